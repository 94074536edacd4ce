#!/bin/bash
# Builds Maillage, with one line of progress and as many compilers at once as the machine has cores and memory
# for. Prints what failed, and nothing else, when something does.
set -euo pipefail

usage() {
  cat <<TEXT
deploy/build.sh [--preset release|asan|tsan] [--tests] [CIBLE…]

Construit les cibles nommées, ou tout.
  --preset NOM   release (par défaut, dans build/), asan ou tsan (dans build-asan/, build-tsan/)
  --tests        avec les essais, qui demandent « deploy/install-dependencies.sh test »
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A translation unit with gRPC's headers takes about 1.2 GB, more with a sanitizer.
readonly MEGABYTES_PER_COMPILER=1300

available_megabytes() {
  local available limit
  available=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
  if limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) && [[ $limit != max ]]; then
    limit=$((limit / 1024 / 1024))
    ((limit < available)) && available=$limit
  fi
  echo "$available"
}

compilers_at_once() {
  local by_cores by_memory
  by_cores=$(nproc)
  by_memory=$(($(available_megabytes) / MEGABYTES_PER_COMPILER))
  ((by_memory < 1)) && by_memory=1
  echo $((by_cores < by_memory ? by_cores : by_memory))
}

# Reads ninja's lines, "[done/total] what": on a terminal one line that renews itself, else one per quarter.
show_progress() {
  local line done_count total quarter=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*) ]] || continue
    done_count=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
    if [[ -t 1 ]]; then
      printf '\r\e[KConstruction (%s) : %d/%d %.50s' "$preset" "$done_count" "$total" "${BASH_REMATCH[3]##*/}"
    elif ((done_count * 4 / total > quarter)); then
      quarter=$((done_count * 4 / total))
      printf 'Construction (%s) : %d/%d\n' "$preset" "$done_count" "$total"
    fi
  done
  if [[ -t 1 ]]; then printf '\r\e[K'; fi
}

fail() {
  echo "La construction ($preset) a échoué. Les erreurs :" >&2
  # From the first failed step on, without the progress of the others.
  sed -n '/^FAILED:\|CMake Error/,$p' "$log" | grep -v '^\[[0-9]*/[0-9]*\] ' | head -n 120 >&2
  echo "Le journal entier : $log" >&2
  exit 1
}

configure() {
  local options=()
  # The demo needs no test packages; once the tests are configured they stay so.
  if $with_tests; then
    options+=(-DMAILLAGE_TESTS=ON)
  elif [[ ! -f $build_dir/CMakeCache.txt ]]; then
    options+=(-DMAILLAGE_TESTS=OFF)
  fi
  cmake --preset "$preset" "${options[@]}" >"$log" 2>&1 || fail
}

main() {
  preset=release with_tests=false
  local targets=() jobs started=$SECONDS
  while (($# > 0)); do
    case "$1" in
      --preset) preset=${2:?--preset attend un nom}; shift ;;
      --tests) with_tests=true ;;
      -h | --help) usage; return ;;
      -*) echo "Option inconnue : $1 (voir --help)" >&2; return 64 ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  build_dir=build
  [[ $preset == release ]] || build_dir=build-$preset
  mkdir -p "$build_dir"
  log=$PWD/$build_dir/build.log
  jobs=$(compilers_at_once)
  configure
  cmake --build "$build_dir" -j "$jobs" --target "${targets[@]:-all}" 2>&1 | show_progress || fail
  echo "Construction ($preset) : terminée en $((SECONDS - started)) s, $jobs compilations à la fois."
}

main "$@"
