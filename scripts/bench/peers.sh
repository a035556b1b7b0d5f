#!/usr/bin/env bash
# Gets the peers that the benches measure beside ours into .swarm/bench, once: Restate's server and
# Node SDK from npm, DBOS from PyPI. A peer that cannot be had is named and left out; the benches
# then go on without it.
#
# Usage: scripts/bench/peers.sh [--help]
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"

restate=(@restatedev/restate-server@1.7.12 @restatedev/restate-sdk@1.17.2)
dbos=(dbos==3.4.0 'fastapi>=0.115' 'uvicorn>=0.30' uvloop httptools)
peers="$repository/.swarm/bench"

# Into a folder beside the last one, which counts only when all of it is there.
get_restate() {
  if ! have node || ! have npm; then
    say "Restate needs node and npm (packages nodejs and npm)"
    return 1
  fi
  rm -rf "$peers/restate.new"
  mkdir -p "$peers/restate.new"
  (cd "$peers/restate.new" && printf '{"private": true}\n' >package.json &&
    npm install --silent --no-audit --no-fund --ignore-scripts "${restate[@]}") >&2 || return 1
  mv "$peers/restate.new" "$peers/restate"
}

get_dbos() {
  rm -rf "$peers/dbos"
  python3 -m venv "$peers/dbos" >&2 || {
    say "DBOS needs python3 with venv (packages python3 and python3-venv)"
    return 1
  }
  "$peers/dbos/bin/pip" install -q --disable-pip-version-check "${dbos[@]}" >&2 || return 1
  touch "$peers/dbos/complete"
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  mkdir -p "$peers"
  [ -d "$peers/restate" ] || get_restate || say "missing peer: Restate (${restate[*]})"
  [ -e "$peers/dbos/complete" ] || get_dbos || {
    rm -rf "$peers/dbos"
    say "missing peer: DBOS (${dbos[0]})"
  }
}

main "$@"
