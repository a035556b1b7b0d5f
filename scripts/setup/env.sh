#!/usr/bin/env bash
# Sourced by the Makefile before cargo: lets it find what the setup scripts put into
# .swarm/tools. Changes nothing on a machine whose own packages suffice.
#
# Usage: . scripts/setup/env.sh
swarm_tools="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/../.." && pwd)/.swarm/tools"

if [ -d "$swarm_tools/bin" ]; then
  export PATH="$swarm_tools/bin:$PATH"
fi
if [ -z "${LIBCLANG_PATH:-}" ] && [ -e "$swarm_tools/libclang/libclang.so" ]; then
  export LIBCLANG_PATH="$swarm_tools/libclang"
  # The wheel lacks the compiler's own headers (stddef.h and the like): take the C++ compiler's.
  BINDGEN_EXTRA_CLANG_ARGS="-isystem $("${CXX:-c++}" -print-file-name=include)"
  export BINDGEN_EXTRA_CLANG_ARGS
fi
unset swarm_tools
