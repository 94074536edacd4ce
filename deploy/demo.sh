#!/bin/bash
# The whole of Maillage in a few minutes: nine sites on this machine, real data, a day offline, and the proof
# that all nine end with the same. deploy/README.md tells what is played.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<TEXT
deploy/demo.sh [--quick] [--keep] [--port N]

Installe ce qui manque, construit, puis joue la démonstration. Code de sortie 0 : tout était comme annoncé.
  --quick    sans les 4 190 collectivités : la même histoire, plus vite
  --keep     laisse les neuf nœuds en marche à la fin, et dit comment leur parler
  --port N   premier des neuf ports, sur la boucle locale (7101 ; d'autres s'ils sont pris)
TEXT
}

main() {
  for argument in "$@"; do
    if [[ $argument == -h || $argument == --help ]]; then usage; return; fi
  done
  deploy/install-dependencies.sh build
  deploy/build.sh maillaged maillage
  exec /usr/bin/python3 -B deploy/demo/main.py --programs build "$@"
}

main "$@"
