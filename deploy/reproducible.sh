#!/bin/bash
# Builds the programs twice, in two folders with different names, and compares them byte by byte.
set -euo pipefail

usage() {
  cat <<TEXT
deploy/reproducible.sh

Construit deux fois les programmes du dernier commit, dans deux dossiers temporaires, sans cache, et les compare octet par
octet. Code de sortie 0 : ils sont identiques. Une dizaine de minutes sur deux cœurs ; rien n'est laissé derrière.
  --help   ceci
TEXT
}

case "${1:-}" in
  --help | -h)
    usage
    exit 0
    ;;
  "") ;;
  *)
    usage >&2
    exit 64
    ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly PROGRAMS=(server/maillaged client/maillage)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CCACHE_DISABLE=1

# build_in FOLDER: prints a line per program, its SHA-256 and its name.
build_in() {
  local folder=$1
  mkdir -p "$folder"
  git archive HEAD | tar -x -C "$folder"
  (cd "$folder" && deploy/build.sh maillaged maillage >&2 && cd build && sha256sum "${PROGRAMS[@]}")
}

deploy/install-dependencies.sh build
build_in "$work/one" >"$work/one.sums"
# Longer, and elsewhere: a path that got in would show.
build_in "$work/another-folder/two" >"$work/two.sums"
if ! diff "$work/one.sums" "$work/two.sums"; then
  echo "Les deux constructions diffèrent : la source, ou le compilateur, y met quelque chose qui change." >&2
  exit 1
fi
cat "$work/one.sums"
echo "Identiques : deux constructions de $(git rev-parse --short HEAD), dans deux dossiers, donnent les mêmes octets."
