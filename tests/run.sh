#!/bin/bash
# Installs what is missing, builds, and runs the tests; the same command for a newcomer and for continuous
# integration. tests/README.md says what the tests are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<TEXT
tests/run.sh [OPTION…]

Sans option : tous les essais, ceux d'un seul processus encore une fois sous AddressSanitizer et UBSan, puis --fuzz.
  --quick          sans les seconds, et sans ceux qui lancent de vrais nœuds
  --filter REGEX   seulement les essais dont le nom correspond (ctest -R), dans la construction ordinaire
  --asan, --tsan   seulement sous AddressSanitizer et UBSan, ou sous ThreadSanitizer
  --fuzz           les décodeurs devant des octets hostiles, une minute chacun (tests/fuzz/run.sh)
  --soak [MINUTES] les formes longues de tout, en une heure ou en tant de minutes, d'une graine nouvelle (tests/soak.py)
  --bench          les mesures au lieu des essais (tests/bench/run.sh)
  --reproducible   deux constructions du dernier commit donnent-elles les mêmes octets ? (deploy/reproducible.sh)
  --mutations      des fautes plantées une à une : les essais les voient-ils ? (tests/mutations/run.py)
  --help           ceci

MAILLAGE_SEED=N rejoue une graine. La dernière ligne compte : « N passed, N failed ».
TEXT
}

passed=0 failed=0 skipped=0

# ctest's lines without those that only say "Start", without values of parameters and dots.
shorten() {
  sed -u -e '/^ *Start *[0-9]*: /d' -e 's/  # GetParam() = .* \.\.\.*/ …/' -e 's/ \.\.\.*/ …/'
}

# run_tests BUILD_DIR [CTEST_OPTION…]: adds ctest's own counts to ours. Never fails itself: a run that ctest
# couldn't make counts as one failure.
run_tests() {
  local build_dir=$1 report failures ok=0 total=0 bad=0
  shift
  report=$PWD/$build_dir/tests.xml
  failures=$build_dir/Testing/Temporary/LastTestsFailed.log
  rm -f "$report" "$failures"
  local result=0
  # One more than cores: tests with real nodes mostly wait.
  ctest --test-dir "$build_dir" -j "$(($(nproc) + 1))" --timeout 300 --output-on-failure --no-tests=error \
    --output-junit "$report" "$@" 2>&1 | shorten || result=$?
  if [[ -f $report ]]; then
    total=$(grep -c '<testcase ' "$report") || true
    ok=$(grep -c '<testcase .* status="run">' "$report") || true
  fi
  if [[ -f $failures ]]; then
    bad=$(grep -c . "$failures") || true
  fi
  ((result == 0 || bad > 0)) || bad=1
  passed=$((passed + ok)) failed=$((failed + bad))
  ((total - ok - bad <= 0)) || skipped=$((skipped + total - ok - bad))
}

run_release() {
  deploy/build.sh --tests
  run_tests build "$@"
}

# Searches for what is known to be there: the same code as the other explorations, and much more of it.
readonly planted='^(All/(LimitOf|PlantedIn)|SimulationFaults)'

# Everything of one process, built with the sanitizer of that preset.
run_sanitized() {
  local preset=$1
  shift
  deploy/build.sh --preset "$preset" --tests maillage_unit_tests
  UBSAN_OPTIONS=print_stacktrace=1 \
    TSAN_OPTIONS="suppressions=$PWD/tests/support/tsan.supp second_deadlock_stack=1 history_size=7" \
    run_tests "build-$preset" -E "$planted" "$@"
}

# run_soak MINUTES: building isn't part of them.
run_soak() {
  deploy/build.sh --tests
  if [[ -x tests/fuzz/run.sh ]]; then
    local targets
    mapfile -t targets < <(tests/fuzz/run.sh --list)
    deploy/build.sh --preset asan --tests "${targets[@]/#/maillage_fuzz_}"
  fi
  if tests/soak.py --minutes "$1"; then passed=1; else failed=1; fi
}

run_benchmarks() {
  if tests/bench/run.sh; then passed=1; else failed=1; fi
}

# A target that keeps its properties for a minute is one passed. Always the same inputs, as far as the machine gets: what
# a new seed would find belongs to the soak, and not to whoever commits next.
run_fuzz() {
  local log broken=0 all
  log=$(mktemp)
  tests/fuzz/run.sh --seconds 60 --seed "${MAILLAGE_SEED:-20210115}" | tee "$log" || broken=1
  all=$(grep -c '^figure: fuzz ' "$log") || true
  passed=$((passed + $(grep -c '^figure: fuzz .*, 0 crashes,' "$log" || true)))
  failed=$((failed + $(grep -c '^figure: fuzz .*, [1-9][0-9]* crashes,' "$log" || true)))
  ((broken == 0 || all > 0)) || failed=$((failed + 1))
  rm -f "$log"
}

run_mutations() {
  if tests/mutations/run.py; then passed=1; else failed=1; fi
}

run_reproducible() {
  if deploy/reproducible.sh; then passed=1; else failed=1; fi
}

report() {
  ((skipped == 0)) || echo "$skipped essais sautés ou désactivés"
  echo
  echo "$passed passed, $failed failed"
  ((failed == 0 && passed > 0))
}

main() {
  local what=all minutes=60 options=()
  while (($# > 0)); do
    case "$1" in
      --quick) what=quick ;;
      --filter) what=filter options+=(-R "${2:?--filter attend une expression}"); shift ;;
      --asan | --tsan) what=${1#--} ;;
      --soak)
        what=soak
        if [[ ${2:-} =~ ^[0-9]+$ ]]; then minutes=$2; shift; fi
        ;;
      --mutations) what=mutations ;;
      --reproducible) what=reproducible ;;
      --fuzz) what=fuzz ;;
      --bench) what=bench ;;
      -h | --help) usage; return ;;
      *) echo "Option inconnue : $1 (voir --help)" >&2; return 64 ;;
    esac
    shift
  done
  deploy/install-dependencies.sh build test
  case "$what" in
    all) run_release; run_sanitized asan; run_fuzz ;;
    quick) run_release -LE e2e -E '^bench\.' ;;
    filter) run_release "${options[@]}" ;;
    asan | tsan) run_sanitized "$what" "${options[@]}" ;;
    soak) run_soak "$minutes" ;;
    bench) run_benchmarks ;;
    mutations) run_mutations ;;
    reproducible) run_reproducible ;;
    fuzz) run_fuzz ;;
  esac
  report
}

main "$@"
