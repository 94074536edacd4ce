#!/bin/bash
# Fuzzes the decoders of Maillage with libFuzzer: tests/fuzz/README.md tells what each target asserts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<TEXT
tests/fuzz/run.sh [OPTION…]

Construit les cibles (preset asan, clang-14) et lance chacune sur des octets hostiles, deux à la fois.
  --seconds N     durée de chaque cible (60 par défaut)
  --jobs N        cibles à la fois (2 par défaut)
  --target NOM    seulement celle-ci ; plusieurs fois pour plusieurs ; « --list » les nomme
  --seed N        la graine de libFuzzer ; sinon une nouvelle, qui est affichée
  --merge         ne cherche rien : verse dans tests/fuzz/corpus ce que les recherches d'avant ont trouvé de nouveau
  --list          les noms des cibles
  --help          ceci

Une ligne par cible : « figure: fuzz NOM: … ». Une entrée qui fait échouer une cible reste dans build-asan/fuzz/crashes ;
la rejouer : build-asan/tests/fuzz/maillage_fuzz_NOM FICHIER. Le code de sortie est 1 dès qu'il y en a une.
TEXT
}

readonly CORPUS=tests/fuzz/corpus FOUND=build-asan/fuzz/found CRASHES=build-asan/fuzz/crashes LOGS=build-asan/fuzz/logs
# Of one target; a megabyte of memory for each kilobyte of input is more than any decoder needs.
readonly MEGABYTES=1024 SECONDS_PER_INPUT=10 LONGEST_INPUT=8192
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

program_of() { echo "build-asan/tests/fuzz/maillage_fuzz_$1"; }

# Weighing each input by its rarest behaviour costs more than a whole conversation does.
entropic_of() { [[ $1 == sync ]] && echo 0 || echo 1; }

# The last number after a word of libFuzzer's log; 0 where there is none.
number_after() {
  local number
  number=$(grep -ao "$1[: ]*[0-9]*" "$2" | tail -n 1 | grep -o '[0-9]*$') || number=0
  echo "$number"
}

fuzz() {
  local name=$1 log=$LOGS/$1.log options=() result=0 crashes=0
  mkdir -p "$FOUND/$name" "$CRASHES"
  [[ ! -f tests/fuzz/dictionaries/$name.dict ]] || options+=("-dict=tests/fuzz/dictionaries/$name.dict")
  "$(program_of "$name")" "${options[@]}" -seed="$seed" -max_total_time="$seconds" -max_len=$LONGEST_INPUT \
    -timeout=$SECONDS_PER_INPUT -rss_limit_mb=$MEGABYTES -print_final_stats=1 -entropic="$(entropic_of "$name")" \
    -artifact_prefix="$CRASHES/$name-" "$FOUND/$name" "$CORPUS/$name" >"$log" 2>&1 || result=$?
  ((result == 0)) || crashes=1
  echo "figure: fuzz $name: $(number_after stat::number_of_executed_units: "$log") executions in $seconds s," \
    "$crashes crashes, coverage $(number_after 'cov:' "$log") edges, $(number_after 'ft:' "$log") features, seed $seed"
  ((result == 0)) && return
  # What was broken, and where.
  grep -a -m 1 -A 12 'property broken\|ERROR: \|runtime error' "$log" || tail -n 12 "$log"
  grep -a 'Test unit written to' "$log" || true
  echo "Le journal entier : $log"
  return 1
}

# Into the kept corpus, of each edge of the code the smallest input: how often an edge is passed makes ten times as many.
# Inputs with a name that a person gave stay.
merge() {
  local name=$1 fresh
  fresh=$(mktemp -d)
  mkdir -p "$FOUND/$name"
  "$(program_of "$name")" -merge=1 -use_counters=0 -max_len=$LONGEST_INPUT "$fresh" "$CORPUS/$name" "$FOUND/$name" \
    >"$LOGS/$name-merge.log" 2>&1
  find "$CORPUS/$name" -type f -regextype egrep -regex '.*/[0-9a-f]{40}' -delete
  cp "$fresh"/* "$CORPUS/$name/"
  rm -rf "$fresh"
  echo "$name : $(find "$CORPUS/$name" -type f | wc -l) entrées, $(du -sb "$CORPUS/$name" | cut -f 1) octets"
}

names() { find "$CORPUS" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort; }

# One process per target, `jobs` at a time; the count of those that failed.
each() {
  local failed=0 running=0 name
  for name in "${targets[@]}"; do
    if ((running >= jobs)); then
      wait -n || failed=$((failed + 1))
      running=$((running - 1))
    fi
    "$1" "$name" &
    running=$((running + 1))
  done
  while ((running > 0)); do
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
  done
  ((failed == 0))
}

main() {
  local what=fuzz
  seconds=60 jobs=2 seed=$((RANDOM * 32768 + RANDOM + 1)) targets=()
  while (($# > 0)); do
    case "$1" in
      --seconds) seconds=${2:?--seconds attend un nombre}; shift ;;
      --jobs) jobs=${2:?--jobs attend un nombre}; shift ;;
      --target) targets+=("${2:?--target attend un nom}"); shift ;;
      --seed) seed=${2:?--seed attend un nombre}; shift ;;
      --merge) what=merge ;;
      --list) names; return ;;
      -h | --help) usage; return ;;
      *) echo "Option inconnue : $1 (voir --help)" >&2; return 64 ;;
    esac
    shift
  done
  ((${#targets[@]} > 0)) || mapfile -t targets < <(names)
  deploy/build.sh --preset asan --tests "${targets[@]/#/maillage_fuzz_}"
  mkdir -p "$LOGS"
  each "$what"
}

main "$@"
