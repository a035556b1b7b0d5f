#!/usr/bin/env bash
# Prints the folder into which cargo puts this project's programs.
#
# Usage: scripts/build/binaries.sh [debug | release | --help]
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"

case "${1:-debug}" in
  -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
  debug | release) ;;
  *) die "unknown profile $1 (see --help)" ;;
esac

# cargo alone knows: CARGO_TARGET_DIR, a setting of the user, or the default.
metadata="$(cargo metadata --manifest-path "$repository/Cargo.toml" --no-deps --format-version 1)"
[[ "$metadata" =~ '"target_directory":"'([^\"]*)'"' ]] || die "cargo metadata names no target_directory"
printf '%s/%s\n' "${BASH_REMATCH[1]}" "${1:-debug}"
