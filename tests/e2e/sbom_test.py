"""The software bill of materials names what the built programs are made of."""

import hashlib
import json
import re
import subprocess
import unittest

from nodes import PROGRAMS, ROOT

BUILT = [PROGRAMS / 'server' / 'maillaged', PROGRAMS / 'client' / 'maillage']


class SbomTest(unittest.TestCase):
    def bill(self, *programs) -> str:
        return subprocess.run([ROOT / 'deploy' / 'sbom.py', *programs], capture_output=True, text=True, timeout=120, check=True).stdout

    def test_it_names_every_library_with_its_version(self):
        text = self.bill(*BUILT)
        bill = json.loads(text)
        self.assertEqual((bill['bomFormat'], bill['specVersion']), ('CycloneDX', '1.5'))
        components = {part['name']: part for part in bill['components']}
        for name in ('librocksdb7.8', 'libgrpc++1.51', 'libssl3', 'libsodium23', 'libprotobuf32', 'nlohmann-json3-dev', 'libc6'):
            self.assertIn(name, components)
            self.assertRegex(components[name]['purl'], rf'^pkg:deb/debian/{re.escape(name)}@\S+\?arch=\w+&distro=debian-12$')
        known = {part['bom-ref'] for part in bill['components']}
        for program in bill['dependencies']:
            self.assertLessEqual(set(program['dependsOn']), known)
        hashes = [part['hashes'][0]['content'] for part in bill['metadata']['component']['components']]
        self.assertEqual(hashes, [hashlib.sha256(program.read_bytes()).hexdigest() for program in BUILT])
        self.assertEqual(text, self.bill(*BUILT), 'the same programs give the same bill')
        print(f'figure: packages in the bill of materials {len(components)}')

    def test_a_program_that_is_not_there_is_told(self):
        told = subprocess.run([ROOT / 'deploy' / 'sbom.py', '/nowhere/maillaged'], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(told.returncode, 1)
        self.assertIn('n\'est pas construit', told.stderr)


if __name__ == '__main__':
    unittest.main()
