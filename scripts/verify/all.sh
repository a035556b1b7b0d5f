#!/usr/bin/env bash
# Runs every check that needs no test, the quick ones first, and says at the end what failed.
# Writes nothing but build output and tools (in .swarm/tools). A tool that cannot be had is
# named and fails nothing.
#
# Usage: scripts/verify/all.sh [CHECK ...] [--help]
#   CHECK   format, scripts, protos, yaml, links, licences, lints or documents; all unless given
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"
# shellcheck source=scripts/setup/env.sh
. "$repository/scripts/setup/env.sh"

checks=(format scripts protos yaml links licences lints documents)
skipped_code=77

run_check() {
  case "$1" in
    format) cargo fmt --all -- --check ;;
    scripts) scripts/verify/scripts.sh ;;
    protos) scripts/verify/protos.sh ;;
    yaml) scripts/verify/yaml.sh ;;
    links) scripts/verify/links.py ;;
    licences) scripts/verify/licences.py ;;
    lints) cargo clippy --workspace --all-targets --locked -- -D warnings ;;
    documents) RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked ;;
    *) die "there is no check $1 (see --help)" ;;
  esac
}

main() {
  local name code begin report=() failed=0
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    "") ;;
    *) checks=("$@") ;;
  esac
  cd "$repository"
  for name in "${checks[@]}"; do
    say "== $name"
    begin="$SECONDS"
    code=0
    (run_check "$name") || code="$?"
    case "$code" in
      0) report+=("ok       $name, $((SECONDS - begin)) s") ;;
      "$skipped_code") report+=("skipped  $name: its tool cannot be had here") ;;
      *)
        report+=("FAILED   $name, $((SECONDS - begin)) s")
        failed=1
        ;;
    esac
  done
  printf '\n'
  printf '%s\n' "${report[@]}"
  exit "$failed"
}

main "$@"
