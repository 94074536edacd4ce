#!/usr/bin/env python3
"""Écrit la nomenclature logicielle (SBOM) des programmes : chaque paquet Debian dont le code y tourne, avec sa version.

Au format CycloneDX 1.5, en JSON, sur la sortie standard :

    deploy/sbom.py build/server/maillaged build/client/maillage > maillage.cdx.json
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Libraries that are compiled into the programs: no linker names them.
HEADERS_ALONE = ('libcli11-dev', 'libtomlplusplus-dev', 'nlohmann-json3-dev')


def lines_of(*command: str) -> list[str]:
    environment = dict(os.environ, LC_ALL='C')
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()


def libraries_of(program: Path) -> set[Path]:
    """The shared libraries that the program loads, those that libraries load among them."""
    found = set()
    for line in lines_of('ldd', str(program)):
        match = re.search(r'(/\S+) \(0x', line)
        if match:
            found.add(Path(match.group(1)).resolve())
        elif 'not found' in line:
            raise SystemExit(f'{program} : bibliothèque absente : {line.strip()}')
    return found


def package_of(file: Path) -> str:
    """The Debian package that the file belongs to, its architecture included where there may be several."""
    # /lib is /usr/lib here, and packages say either.
    for name in (str(file), str(file).removeprefix('/usr')):
        try:
            return lines_of('dpkg-query', '-S', name)[0].rsplit(': ', 1)[0].split(',')[0]
        except subprocess.CalledProcessError:
            continue
    raise SystemExit(f'{file} : d\'aucun paquet Debian')


def licences_of(package: str) -> list[str]:
    """As the package's machine-readable copyright file names them; none where it has no such file."""
    file = Path('/usr/share/doc') / package / 'copyright'
    text = file.read_text(encoding='utf-8', errors='replace') if file.exists() else ''
    if not text.startswith('Format:'):
        return []
    return sorted({name.strip() for name in re.findall(r'^License:[ \t]*(\S.*)$', text, re.MULTILINE)})


def component_of(package: str, how: str) -> dict:
    name, version, architecture, source = lines_of(
        'dpkg-query', '-W', '-f=${Package}\t${Version}\t${Architecture}\t${source:Package} ${source:Version}\n', package)[0].split('\t')
    component = {
        'type': 'library',
        'bom-ref': f'pkg:deb/debian/{name}@{version}?arch={architecture}&distro=debian-12',
        'name': name,
        'version': version,
        'purl': f'pkg:deb/debian/{name}@{version}?arch={architecture}&distro=debian-12',
        'properties': [{'name': 'maillage:source', 'value': source}, {'name': 'maillage:how', 'value': how}],
    }
    licences = licences_of(name)
    if licences:
        component['licenses'] = [{'license': {'name': licence}} for licence in licences]
    return component


def program_component(program: Path, version: str) -> dict:
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    return {'type': 'application', 'bom-ref': f'maillage/{program.name}', 'name': program.name, 'version': version,
            'hashes': [{'alg': 'SHA-256', 'content': digest}]}


def bill_of(programs: list[Path]) -> dict:
    version = re.search(r'project\(maillage VERSION (\S+)', (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8')).group(1)
    components, dependencies = {}, []
    for program in programs:
        packages = {package_of(library): 'linked' for library in libraries_of(program)}
        packages |= {package: 'headers' for package in HEADERS_ALONE}
        parts = [component_of(package, how) for package, how in sorted(packages.items())]
        components |= {part['bom-ref']: part for part in parts}
        dependencies.append({'ref': f'maillage/{program.name}', 'dependsOn': [part['bom-ref'] for part in parts]})
    bill = {
        'bomFormat': 'CycloneDX',
        'specVersion': '1.5',
        'version': 1,
        'metadata': {'component': {'type': 'application', 'name': 'maillage', 'version': version, 'bom-ref': 'maillage',
                                   'components': [program_component(program, version) for program in programs]}},
        'components': [components[ref] for ref in sorted(components)],
        'dependencies': dependencies,
    }
    # The same programs on the same packages give the same bytes.
    bill['serialNumber'] = 'urn:uuid:' + str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True)))
    return bill


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', nargs='+', type=Path, help='les programmes construits')
    programs = parser.parse_args().program
    for program in programs:
        if not program.is_file():
            print(f'{program} : ce programme n\'est pas construit ; d\'abord : deploy/build.sh', file=sys.stderr)
            return 1
    json.dump(bill_of(programs), sys.stdout, ensure_ascii=False, indent=2)
    print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
