#!/usr/bin/env bash
# Checks the YAML files with yamllint, those of chart templates excepted (they are no YAML
# before they are rendered). Exits with 77 when yamllint cannot be had.
#
# Usage: scripts/verify/yaml.sh [--help]
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"

yamllint_package=yamllint==1.38.0

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  cd "$repository"
  local files
  mapfile -t files < <(git ls-files -co --exclude-standard '*.yml' '*.yaml' ':!*/templates/*')
  if [ "${#files[@]}" = 0 ]; then
    say "no YAML files"
    exit 0
  fi
  python_install "$yamllint_package" || {
    say "yamllint cannot be had (PyPI $yamllint_package)"
    exit 77
  }
  PYTHONPATH="$tools/${yamllint_package/==/-}" python3 -m yamllint -s -c .config/yamllint.yaml "${files[@]}"
  say "${#files[@]} YAML files"
}

main "$@"
