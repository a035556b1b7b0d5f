#!/usr/bin/env bash
# Repairs what can be repaired by itself: the format of Rust, shell and protos, and the lints
# for which clippy knows the remedy. Look at the changes before you commit them.
#
# Usage: scripts/verify/fix.sh [--help]
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"
# shellcheck source=scripts/setup/env.sh
. "$repository/scripts/setup/env.sh"

case "${1:-}" in
  -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
  "") ;;
  *) die "unknown option $1 (see --help)" ;;
esac

cd "$repository"
cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
cargo fmt --all
scripts/verify/scripts.sh --fix || say "shell scripts were not formatted"
scripts/verify/protos.sh --fix || say "protos were not formatted"
