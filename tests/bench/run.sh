#!/bin/bash
# Builds the measures, runs them, and prints one table of figures beside the limits of the same run.
# README.md says what each one means.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<TEXT
tests/bench/run.sh [OPTION…]

Sans option : 100 000 fiches, trois répétitions, médianes ; sur une machine où rien d'autre ne tourne.
  --quick           une répétition, quelques minutes
  --records N       N fiches au lieu de 100 000 (au moins 400)
  --filter REGEX    seulement les mesures dont le nom correspond
  --folder DOSSIER  où écrire les bases, donc le disque que l'on mesure (par défaut build/)
  --update-readme   récrit le tableau de tests/bench/README.md
  --help            ceci

Le détail va dans build/bench.json.
TEXT
}

# One line for each measure that is done.
show_progress() {
  sed -un 's#^\([a-z_]*[^ ]*\)/iterations:1/manual_time[a-z:0-9/]* .*#  \1#p'
}

main() {
  local repetitions=3 filter=. update=() folder=$PWD/build
  local result=$PWD/build/bench.json
  while (($# > 0)); do
    case "$1" in
      --quick) repetitions=1 ;;
      --records) export MAILLAGE_BENCH_RECORDS=${2:?--records attend un nombre}; shift ;;
      --filter) filter=${2:?--filter attend une expression}; shift ;;
      --folder) folder=$(realpath "${2:?--folder attend un dossier}"); shift ;;
      --update-readme) update=(--update-readme tests/bench/README.md) ;;
      -h | --help) usage; return ;;
      *) echo "Option inconnue : $1 (voir --help)" >&2; return 64 ;;
    esac
    shift
  done
  if [[ $filter != . && ${#update[@]} -gt 0 ]]; then
    echo "--update-readme récrit tout le tableau : sans --filter" >&2
    return 64
  fi
  deploy/build.sh --tests maillage_bench
  MAILLAGE_BENCH_FOLDER=$(mktemp -d "$folder/bench-data-XXXXXX")
  export MAILLAGE_BENCH_FOLDER
  # shellcheck disable=SC2064
  trap "rm -rf '$MAILLAGE_BENCH_FOLDER'" EXIT
  build/tests/bench/maillage_bench --benchmark_filter="$filter" --benchmark_repetitions="$repetitions" \
    --benchmark_context=repetitions="$repetitions" --benchmark_out="$result" --benchmark_out_format=json \
    2>&1 | tee build/bench.log | show_progress ||
    { tail -n 20 build/bench.log >&2; return 1; }
  python3 tests/bench/table.py "$result" "${update[@]}"
}

main "$@"
