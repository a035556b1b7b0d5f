#!/usr/bin/env bash
# Makes sure that the project can be compiled here: Rust, a C++ compiler, cmake and libclang
# (the last two for llama.cpp). Takes what is installed; else installs Debian packages when it
# is root or has sudo without a password; else takes the wheels `cmake` and `libclang` from
# PyPI into .swarm/tools, which needs no permission. `. scripts/setup/env.sh` then lets cargo
# find them; the Makefile does so by itself.
#
# Usage: scripts/setup/toolchain.sh [--no-apt | --has-libclang | --help]
#   --no-apt         install no Debian packages, even if that were possible
#   --has-libclang   install nothing; the exit code says whether libclang is there
set -euo pipefail

# shellcheck source=scripts/setup/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

cmake_package=cmake==4.4.5
libclang_package=libclang==18.1.1

check_rust() {
  local wanted found
  have cargo || die "Rust is missing: install it as https://rustup.rs says, then run this again"
  wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repository/Cargo.toml")"
  found="$(cargo --version | cut -d ' ' -f 2)"
  [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
    die "Rust $found is too old, $wanted or newer is needed: rustup update stable"
}

has_compiler() { have "${CXX:-c++}"; }

has_cmake() { [ -x "$tools/bin/cmake" ] || cmake --version >/dev/null 2>&1; }

# libclang, and beside it the headers that belong to the compiler.
has_libclang() {
  [ -e "$tools/libclang/libclang.so" ] && return 0
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  compgen -G '/usr/lib*/llvm*/lib/libclang*.so*' >/dev/null || compgen -G '/usr/lib*/libclang*.so*' >/dev/null || return 1
  compgen -G '/usr/lib*/llvm*/lib/clang/*/include/stddef.h' >/dev/null ||
    compgen -G '/usr/lib*/clang/*/include/stddef.h' >/dev/null
}

install_from_apt() {
  local packages=()
  has_compiler || packages+=(g++)
  has_cmake || packages+=(cmake)
  has_libclang || packages+=(libclang-dev)
  have make || packages+=(make)
  [ "${#packages[@]}" = 0 ] || ! can_apt || apt_install "${packages[@]}" || say "apt could not install ${packages[*]}"
}

install_cmake_from_pypi() {
  local folder="$tools/${cmake_package/==/-}"
  say "getting $cmake_package from PyPI into .swarm/tools"
  fetch_wheel "$cmake_package" "$folder" || die "cmake is missing: install the package cmake"
  chmod +x "$folder"/cmake/data/bin/*
  mkdir -p "$tools/bin"
  ln -sf "../$(basename "$folder")/cmake/data/bin/cmake" "$tools/bin/cmake"
}

install_libclang_from_pypi() {
  local folder="$tools/${libclang_package/==/-}"
  say "getting $libclang_package from PyPI into .swarm/tools"
  fetch_wheel "$libclang_package" "$folder" || die "libclang is missing: install the package libclang-dev"
  mkdir -p "$tools/libclang"
  ln -sfr "$(find "$folder" -name libclang.so)" "$tools/libclang/libclang.so"
}

main() {
  case "${1:-}" in
    -h | --help) print_help "${BASH_SOURCE[0]}" && exit 0 ;;
    --has-libclang)
      has_libclang
      exit
      ;;
    --no-apt) export SWARM_NO_APT=1 ;;
    "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  check_rust
  install_from_apt
  has_compiler || die "a C++ compiler is missing: install the package g++ (or build-essential)"
  has_cmake || install_cmake_from_pypi
  has_libclang || install_libclang_from_pypi
}

main "$@"
