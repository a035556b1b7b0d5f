#!/usr/bin/env bash
# Builds the project, gets the small local model unless a provider is set, and shows a swarm of
# agents working on a question about a document. What follows the build takes under a minute;
# the last line says what each took.
#
# Usage: make demo
#        make demo DOC=path/to/text.md ASK="What does it say about backups?"
#   QWEN_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL   use that provider's model
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup/packages.sh"

# Runs a program to its end, and gives its exit code. It stands beside this shell, so that whoever
# ends this script by its id ends the program; Ctrl-C reaches both, and is the program's to answer.
run() {
  local status=0 program
  "$@" &
  program="$!"
  trap ':' INT
  trap 'kill -TERM "$program" 2>/dev/null || true' TERM HUP
  while kill -0 "$program" 2>/dev/null; do wait "$program" || true; done
  wait "$program" || status="$?"
  trap - INT TERM HUP
  return "$status"
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  local document=""
  if [ -n "${DOC:-}" ]; then
    [ -r "$DOC" ] || die "DOC names $DOC, which cannot be read"
    document="$(realpath "$DOC")"
  fi
  cd "$repository"

  say "1/4 tools: cmake, libclang, C++ compiler"
  "$repository/scripts/setup/toolchain.sh"
  say "2/4 local model"
  "$repository/scripts/models/get.sh" --unless-provider
  # shellcheck source=scripts/setup/env.sh
  . "$repository/scripts/setup/env.sh"
  local binaries arguments=()
  binaries="$("$repository/scripts/build/binaries.sh")"
  if [ -x "$binaries/swarm" ]; then
    say "3/4 build (what changed)"
  else
    say "3/4 build (the first takes about ten minutes on two processors, llama.cpp included)"
  fi
  local begun="$SECONDS" built status=0
  cargo build --workspace --bins --locked
  built="$((SECONDS - begun))"
  say "4/4 demo"
  [ -z "$document" ] || arguments+=(--doc "$document")
  [ -z "${ASK:-}" ] || arguments+=(--ask "$ASK")
  begun="$SECONDS"
  run "$binaries/swarm" demo "${arguments[@]}" || status="$?"
  say "build $built s, demo $((SECONDS - begun)) s, everything $SECONDS s"
  exit "$status"
}

main "$@"
