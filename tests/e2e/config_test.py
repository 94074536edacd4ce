"""`maillaged` by a file, by flags, and when either is wrong."""

import subprocess
import unittest

from nodes import PROGRAMS, NodesTest, free_ports

MAILLAGED = PROGRAMS / 'server' / 'maillaged'


class ConfigTest(NodesTest):
    def test_a_file_says_what_flags_say(self):
        lyon = self.start('lyon')
        port, = free_ports(1)
        file = self.folder / 'savoie.toml'
        file.write_text(f'site = "savoie"\ndata = "{self.folder / "savoie" / "data"}"\nlisten = "127.0.0.1:{port}"\n'
                        f'peers = ["{lyon.address}"]\n', encoding='utf-8')
        savoie = self.node('savoie', port)
        savoie.start('--config', file)
        savoie.wait_ready()
        lyon.run('create', 'actor', 'name=CIEDEL')
        self.wait_identical()
        self.assertEqual(savoie.status()['site'], 'savoie')

    def refused(self, *arguments: str) -> str:
        result = subprocess.run([MAILLAGED, *arguments], capture_output=True, text=True, timeout=20, check=False)
        self.assertNotEqual(result.returncode, 0)
        return result.stderr + result.stdout

    def test_a_wrong_file_is_refused_with_its_line(self):
        file = self.folder / 'wrong.toml'
        file.write_text('site = "savoie"\npeer = "127.0.0.1:1"\n', encoding='utf-8')
        said = self.refused('--config', str(file))
        self.assertIn('wrong.toml', said)
        self.assertIn('peer', said)

    def test_a_site_without_a_name_is_refused(self):
        self.assertIn('site', self.refused('--data', str(self.folder / 'x'), '--listen', '127.0.0.1:0'))

    def test_a_port_that_is_taken_is_told(self):
        node = self.start('savoie')
        said = self.refused('--site', 'lyon', '--data', str(self.folder / 'lyon'), '--listen', node.address)
        self.assertIn(node.address, said)


if __name__ == '__main__':
    unittest.main()
