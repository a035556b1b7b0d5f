#!/usr/bin/env bash
# Checks the protos with buf: format, lint, and that no change breaks a client of the release
# before. That is the last tag; without a tag where this branch left main; else the commit
# before this one. Exits with 77 when buf cannot be had.
#
# Usage: scripts/verify/protos.sh [--fix | --help]
#   --fix   write the format instead of checking it
#   PROTO_BASE=REF    compare with another commit
#   PROTO_BASE=none   compare with nothing, for a break that is meant (say so in the changelog)
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"

buf_package=buf-bin==1.75.0

has_protos() { [[ "$(git ls-tree -r --name-only "$1" -- proto 2>/dev/null)" == *.proto* ]]; }

# The commit to compare with, or nothing.
find_base() {
  local head candidate
  head="$(git rev-parse HEAD)" || return 0
  for candidate in "$(git describe --tags --abbrev=0 2>/dev/null)" \
    "$(git describe --tags --abbrev=0 HEAD~1 2>/dev/null)" \
    "$(git merge-base HEAD origin/main 2>/dev/null)" "$(git merge-base HEAD main 2>/dev/null)" HEAD~1; do
    [ -n "$candidate" ] || continue
    [ "$(git rev-parse -q --verify "$candidate^{commit}")" != "$head" ] || continue
    if has_protos "$candidate"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
}

check_breaking() {
  local base="${PROTO_BASE:-$(find_base)}" before
  if [ -z "$base" ] || [ "$base" = none ]; then
    say "breaking changes: nothing to compare with"
    return 0
  fi
  before="$(mktemp -d)"
  # shellcheck disable=SC2064  # the path is known now
  trap "rm -rf '$before'" EXIT
  git archive "$base" proto | tar -x -C "$before"
  cp proto/buf.yaml "$before/proto/buf.yaml"
  buf breaking proto --against "$before/proto" || {
    say "the protos break what $base promised (PROTO_BASE=none if that is meant)"
    return 1
  }
  say "breaking changes: none since $base"
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    --fix | "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  cd "$repository"
  have buf || python_install "$buf_package" || {
    say "buf cannot be had (PyPI $buf_package)"
    exit 77
  }
  PATH="$tools/${buf_package/==/-}/bin:$PATH"
  if [ "${1:-}" = --fix ]; then
    buf format -w proto
    exit 0
  fi
  buf format -d --exit-code proto
  buf lint proto
  check_breaking
}

main "$@"
