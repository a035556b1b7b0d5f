#!/usr/bin/env bash
# Starts the six services as six processes on 127.0.0.1, with the default ports and one data
# folder (.swarm/data), and stops them all on Ctrl-C, or when one of them ends. Each writes its
# log to .swarm/data/logs.
#
# Usage: make run-services
#        scripts/run-services.sh [--config FILE | --help]
#   QWEN_SWARM__<SECTION>__<KEY>   any setting, for all six
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup/packages.sh"

services=(auth consensus memory learning agent-manager gateway)
declare -A admin_port=(["gateway"]=9190 ["agent-manager"]=9191 ["consensus"]=9192 ["memory"]=9193 ["learning"]=9194 ["auth"]=9195)
declare -A pid=()
data="$repository/.swarm/data"
ready_within_s=60
stopped_within_s=30

# Services trust each other by a secret that each of them knows; it is made once.
ensure_secret() {
  local file="$data/service-secret"
  [ -s "$file" ] || (umask 077 && head -c 32 /dev/urandom | base64 >"$file.new" && mv "$file.new" "$file")
  QWEN_SWARM__SERVICE__SECRET="${QWEN_SWARM__SERVICE__SECRET:-$(cat "$file")}"
  export QWEN_SWARM__SERVICE__SECRET
}

# In a session of its own, so that Ctrl-C reaches this script alone: a service takes a second
# signal as the order to stop at once.
start() { # NAME [ARGUMENT ...]
  local name="$1"
  shift
  setsid "$binaries/swarm-$name" "$@" >"$data/logs/$name.log" 2>&1 &
  pid["$name"]="$!"
}

is_running() { kill -0 "${pid[$1]}" 2>/dev/null; }

# Whether a service's admin port says that it and what it needs are ready.
is_ready() {
  local status=""
  {
    exec 3<>"/dev/tcp/127.0.0.1/${admin_port[$1]}"
    printf 'GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
    read -r -t 2 _ status _ <&3
    exec 3>&-
  } 2>/dev/null || true
  [ "$status" = 200 ]
}

show_end_of_log() {
  say "--- last lines of .swarm/data/logs/$1.log"
  tail -n 15 "$data/logs/$1.log" >&2
}

wait_until_ready() {
  local name begin="$SECONDS"
  for name in "${services[@]}"; do
    until is_ready "$name"; do
      is_running "$name" || {
        show_end_of_log "$name"
        die "swarm-$name ended instead of starting"
      }
      [ $((SECONDS - begin)) -lt "$ready_within_s" ] || {
        show_end_of_log "$name"
        die "swarm-$name was not ready within $ready_within_s s"
      }
      sleep 0.1
    done
    printf '  %-14s pid %-8s admin http://127.0.0.1:%s\n' "$name" "${pid[$name]}" "${admin_port[$name]}"
  done
}

# Asks each process that this script started to end, gateway first.
ask_to_end() {
  local index name
  for ((index = ${#services[@]} - 1; index >= 0; index--)); do
    name="${services[$index]}"
    [ -z "${pid[$name]:-}" ] || kill -TERM "${pid[$name]}" 2>/dev/null || true
  done
}

# Ends them all; a second Ctrl-C hurries, and after a grace time they are not asked any more.
stop_all() {
  local name deadline=$((SECONDS + stopped_within_s))
  [ "${#pid[@]}" -gt 0 ] || return 0
  say "stopping: running work may finish; a second Ctrl-C stops at once"
  trap ask_to_end INT TERM HUP
  ask_to_end
  for name in "${!pid[@]}"; do
    while is_running "$name" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
    if is_running "$name"; then
      say "swarm-$name did not end within $stopped_within_s s and is killed"
      kill -KILL "${pid[$name]}" 2>/dev/null || true
    fi
  done
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    --config) [ -r "${2:-}" ] || die "--config needs a file that can be read" ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  # shellcheck source=scripts/setup/env.sh
  . "$repository/scripts/setup/env.sh"
  binaries="$("$repository/scripts/build/binaries.sh")"
  [ -x "$binaries/swarm-gateway" ] || die "nothing is built yet: make build"
  mkdir -p "$data/logs"
  cd "$repository"
  ensure_secret
  trap stop_all EXIT
  trap 'exit 0' INT TERM HUP
  local name
  for name in "${services[@]}"; do
    ! (exec 3<>"/dev/tcp/127.0.0.1/${admin_port[$name]}") 2>/dev/null ||
      die "port ${admin_port[$name]} is taken: is the swarm running already?"
    start "$name" "$@"
  done
  wait_until_ready
  say "ready: REST on http://127.0.0.1:3000, WebSocket on ws://127.0.0.1:3001; Ctrl-C stops all"
  wait -n || true
  for name in "${services[@]}"; do
    is_running "$name" || {
      show_end_of_log "$name"
      die "swarm-$name ended; stopping the others"
    }
  done
}

main "$@"
