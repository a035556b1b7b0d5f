#!/usr/bin/env bash
# Deletes what the services and the demo stored in this clone (.swarm/data and .swarm/demo).
# Models and tools stay. Asks first, unless YES=1.
#
# Usage: scripts/clean-data.sh [--help]
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup/packages.sh"

case "${1:-}" in
  -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
  "") ;;
  *) die "unknown option $1 (see --help)" ;;
esac

folders=()
for folder in "$repository/.swarm/data" "$repository/.swarm/demo"; do
  [ ! -d "$folder" ] || folders+=("$folder")
done
if [ "${#folders[@]}" = 0 ]; then
  say "nothing is stored here"
  exit 0
fi
du -sh "${folders[@]}" >&2
if [ "${YES:-}" != 1 ]; then
  read -r -p "Delete this? [y/N] " answer || answer=n
  [ "$answer" = y ] || die "nothing was deleted"
fi
rm -rf "${folders[@]}"
say "deleted"
