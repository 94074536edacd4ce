"""The tour in the README does what it says: its commands are run as they stand there."""

import os
import re
import subprocess
import unittest

from nodes import PROGRAMS, ROOT, NodesTest, free_ports


# A reader takes longer for the next paragraph than the nodes to start.
UNTIL_READY = 'until { lyon status && savoie status; } >/dev/null 2>&1; do :; done\n'


def tour_commands() -> str:
    """The indented lines of the tour, but for the block that builds."""
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    tour = re.search(r'^## A tour.*?(?=^## )', readme, re.MULTILINE | re.DOTALL).group()
    _, starts, *others = re.findall(r'(?:^    .*\n)+', tour, re.MULTILINE)
    return starts + UNTIL_READY + ''.join(others)


class TourTest(NodesTest):
    def run_tour(self) -> str:
        script = tour_commands().replace('/tmp/', f'{self.folder}/')
        for port, free in zip(('7101', '7103'), free_ports(2)):
            script = script.replace(port, str(free))
        path = f'{PROGRAMS / "server"}:{PROGRAMS / "client"}:{os.environ["PATH"]}'
        result = subprocess.run(['bash', '-e', '-o', 'pipefail', '-O', 'expand_aliases', '-c',
                                 f'trap "kill %1 %2 2>/dev/null || true" EXIT\n{script}'],
                                cwd=ROOT, env=dict(os.environ, PATH=path, LC_ALL='C.UTF-8'), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        print(result.stdout)
        self.assertEqual(result.returncode, 0)
        return result.stdout

    def test_the_readme_tells_the_truth(self):
        said = self.run_tour()
        self.assertIn('43 créées', said)
        for text in ('+33 4 65 71 00 73', '+33 4 65 71 00 69', 'Relais de la Savoie', 'Relais et RDJSI'):
            self.assertIn(text, said.split('Identique à lyon')[2], 'the reunion shows both sides')
        self.assertIn('deux versions à comparer', said)
        self.assertIn('Aucune version à comparer', said)
        digests = re.findall(r'^[0-9a-f]{64}', said, re.MULTILINE)
        self.assertEqual((len(digests), len(set(digests))), (2, 1))


if __name__ == '__main__':
    unittest.main()
