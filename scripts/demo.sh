#!/usr/bin/env bash
# Builds the project, gets the small local model unless a provider is set, and shows a swarm of
# agents working on a question about a document. What follows the build takes under a minute.
#
# Usage: make demo
#        make demo DOC=path/to/text.md ASK="What does it say about backups?"
#   QWEN_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL   use that provider's model
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup/packages.sh"

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
  cargo build --workspace --bins --locked
  say "4/4 demo"
  [ -z "$document" ] || arguments+=(--doc "$document")
  [ -z "${ASK:-}" ] || arguments+=(--ask "$ASK")
  exec "$binaries/swarm" demo "${arguments[@]}"
}

main "$@"
