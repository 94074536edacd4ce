#!/bin/bash
# Installs the Debian packages that Maillage is built, tested and run with, those that are missing only: a
# second run asks no network and prints one line.
set -euo pipefail

usage() {
  cat <<TEXT
deploy/install-dependencies.sh [--list] [build] [test]

Installe les paquets Debian qui manquent pour construire Maillage (build, par défaut) et pour l'essayer (test).
  --list   dit lesquels il faut, un par ligne, et n'installe rien
TEXT
}

# The only list of packages, a group per purpose.
packages_of() {
  case "$1" in
    # To build the node and the command line, and to play the demo.
    build)
      echo cmake ninja-build g++ pkg-config ccache mold
      echo libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
      echo librocksdb-dev libsodium-dev libssl-dev libicu-dev
      echo libspdlog-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libcsv-dev
      echo libcpp-httplib-dev prometheus-cpp-dev libsystemd-dev
      echo python3
      ;;
    # python3-grpcio: a client that isn't ours; grpc-proto: the reflection and health protocols it speaks; clang-14:
    # the fuzz targets; systemd: its judgement of our services; prometheus: what the alert rules are for.
    test)
      echo libgtest-dev libgmock-dev libbenchmark-dev
      echo python3-grpcio python3-protobuf grpc-proto
      echo clang-14 libfuzzer-14-dev libclang-rt-14-dev
      echo systemd prometheus
      ;;
    *)
      echo "Groupe de paquets inconnu : « $1 » ; attendu : build, test." >&2
      return 64
      ;;
  esac
}

# Those of the given packages that are not installed, one a line.
missing_of() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  printf '%s\n' "$@" | grep -vxF -e "$installed" || true
}

# shellcheck disable=SC1091
require_debian_12() {
  local id="" version="" name="ce système"
  if [[ -r /etc/os-release ]]; then
    id=$(. /etc/os-release && echo "${ID:-}")
    version=$(. /etc/os-release && echo "${VERSION_ID:-}")
    name=$(. /etc/os-release && echo "${PRETTY_NAME:-$name}")
  fi
  [[ $id == debian && $version == 12 ]] && return
  cat >&2 <<MESSAGE
Maillage se construit sur Debian 12 (bookworm) ; ceci est $name.
À faire : une machine, une machine virtuelle ou un conteneur Debian 12. Les paquets qu'il faut sont ceux de
« deploy/install-dependencies.sh --list build test ».
MESSAGE
  return 1
}

# Runs a command as root, whoever runs this script.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    echo "Il faut être root, ou avoir sudo, pour installer les paquets qui manquent : ${missing[*]}" >&2
    echo "À faire : su -c 'apt-get install --no-install-recommends ${missing[*]}'" >&2
    return 1
  fi
}

install_packages() {
  local log
  log=$(mktemp)
  echo "Installation de ${#missing[@]} paquets Debian : ${missing[*]}"
  if as_root apt-get update -q >"$log" 2>&1 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" \
      >>"$log" 2>&1; then
    rm -f "$log"
    # Debian starts it as a service; the tests start their own, and want nothing to listen on the machine for good.
    if [[ " ${missing[*]} " == *" prometheus "* ]] && command -v systemctl >/dev/null; then
      as_root systemctl disable --now prometheus >/dev/null 2>&1 || true
    fi
    echo "Paquets Debian : installés."
  else
    tail -n 30 "$log" >&2
    echo "L'installation a échoué ; le journal entier : $log" >&2
    return 1
  fi
}

main() {
  local list_only=false groups=()
  for argument in "$@"; do
    case "$argument" in
      --list) list_only=true ;;
      -h | --help) usage; return ;;
      *) groups+=("$argument") ;;
    esac
  done
  local names wanted=()
  names=$(for group in "${groups[@]:-build}"; do packages_of "$group" || exit; done)
  read -r -a wanted -d '' <<<"$names" || true
  if $list_only; then
    printf '%s\n' "${wanted[@]}"
    return
  fi
  require_debian_12
  mapfile -t missing < <(missing_of "${wanted[@]}")
  if ((${#missing[@]} == 0)); then
    echo "Paquets Debian : les ${#wanted[@]} nécessaires sont là."
  else
    install_packages
  fi
}

main "$@"
