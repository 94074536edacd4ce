"""A record damaged on one node's disk: told, no obstacle to the others, and back from a peer."""

import json
import os
import pty
import subprocess
import unittest

from nodes import PROGRAMS, CommandFailed, NodesTest, record_id, wait_until


class RepairTest(NodesTest):
    def damage_states(self, node) -> None:
        """Flips a bit in a block of the largest sorted file that holds records."""
        # A file tells its table among its properties, whose keys leave out what they share.
        files = [path for path in (node.data / 'store').glob('*.sst')
                 if b'namestates' in path.read_bytes()]
        path = max(files, key=lambda path: path.stat().st_size)
        data = bytearray(path.read_bytes())
        self.assertGreater(len(data), 50_000)
        data[len(data) // 3] ^= 4
        path.write_bytes(data)

    def run_maillage(self, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run([PROGRAMS / 'client' / 'maillage', *arguments], capture_output=True, text=True,
                              check=False)

    def said_by(self, node, *arguments: str) -> tuple[int, str]:
        try:
            return 0, node.run(*arguments)
        except CommandFailed as failure:
            return failure.exit_code, failure.said

    def two_nodes_one_damaged(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        # Each larger than a block, so that damage has one record, and of letters that don't compress into others.
        names = [f'Zone {number} ' + ''.join(chr(0x4e00 + (number * 7919 + i * i * 31) % 20000) for i in range(5000))
                 for number in range(6)]
        ids = [record_id(lyon.ask('create', 'actor', f'name=Acteur {number}', f'description={names[number]}'))
               for number in range(6)]
        self.wait_identical()
        savoie.stop()
        # What was in the log is in sorted files once the store was opened again.
        savoie.start()
        savoie.wait_ready()
        self.wait_identical()
        savoie.stop()
        return lyon, savoie, ids

    def test_a_flipped_bit_is_told_and_salvaged(self):
        lyon, savoie, ids = self.two_nodes_one_damaged()
        self.damage_states(savoie)
        savoie.start()
        savoie.wait_ready()
        damaged = [record for record in ids if self.said_by(savoie, 'get', 'actor', record)[0] != 0]
        self.assertGreaterEqual(len(damaged), 1)
        self.assertLess(len(damaged), len(ids))
        code, said = self.said_by(savoie, 'get', 'actor', damaged[0])
        self.assertIn('endommagée', said)
        self.assertIn('doctor --repair', said)
        self.assertNotIn('pas de fiche', said)
        # The rest is listed, and what is missing is said.
        code, said = self.said_by(savoie, 'list', 'actor')
        self.assertEqual(code, 1)
        self.assertIn('manque', said)

        # Everything else is written and exchanged, both ways.
        healthy = next(record for record in ids if record not in damaged)
        lyon.run('edit', 'actor', healthy, 'acronym=LYON')
        wait_until('La modification de Lyon arrive', lambda: savoie.ask('get', 'actor', healthy)['content'],
                   lambda content: content.get('acronym') == 'LYON', 30)
        savoie.run('edit', 'actor', healthy, 'sdgs+=13')
        wait_until('La modification de Savoie arrive', lambda: lyon.ask('get', 'actor', healthy)['content'],
                   lambda content: content.get('sdgs') == ['13'], 30)
        code, said = self.said_by(savoie, 'status', '--check')
        self.assertEqual(code, 2)
        self.assertIn('endommagé', said)
        # What can't be had is told as soon as it is known.
        lyon.run('edit', 'actor', damaged[0], 'acronym=MANQUE')
        for node, peer in ((savoie, 'lyon'), (lyon, 'savoie')):
            code, said = self.said_by(node, 'sync', peer)
            self.assertNotEqual(code, 0)
            self.assertIn('maillage doctor --repair', said)

        code, said = self.said_by(savoie, 'doctor', '--output', 'json')
        self.assertEqual(code, 2)
        self.assertIn(damaged[0], said)

        refused = self.run_maillage('doctor', '--salvage', str(savoie.data))
        self.assertEqual(refused.returncode, 2)
        self.assertIn('arrêtez le nœud', refused.stderr)
        savoie.stop()
        self.assert_salvaged(lyon, savoie, ids)

    def shown_on_a_terminal(self, node, *arguments: str) -> str:
        """What the command says on its error stream where that is a terminal."""
        reader, terminal = pty.openpty()
        subprocess.run([PROGRAMS / 'client' / 'maillage', *arguments], stdout=subprocess.DEVNULL, stderr=terminal,
                       env=dict(os.environ, MAILLAGE_NODE=node.address), check=True)
        os.close(terminal)
        with open(reader, 'rb', buffering=0) as shown:
            return shown.read(65536).decode()

    def assert_salvaged(self, lyon, savoie, ids) -> None:
        salvaged = self.run_maillage('doctor', '--salvage', str(savoie.data))
        self.assertIn(salvaged.returncode, (0, 1), salvaged.stdout + salvaged.stderr)
        self.assertTrue((savoie.data / 'damaged-store-1').exists())
        self.assertFalse((savoie.data / 'salvage-in-progress').exists())
        savoie.start()
        savoie.wait_ready()
        self.wait_identical()
        self.assertRegex(self.shown_on_a_terminal(savoie, 'doctor'), r'\[#+ *\] \d+/[1-9]')
        report = json.loads(savoie.run('doctor', '--output', 'json'))
        self.assertEqual(int(report.get('damaged', 0)), 0, report)
        self.assertEqual(int(report.get('waiting_records', 0)), 0, report)
        for record in ids:
            savoie.run('edit', 'actor', record, 'sdgs+=4')
        self.wait_identical()
        for record in ids:
            self.assertIn('4', lyon.ask('get', 'actor', record)['content']['sdgs'])

    def test_a_store_that_opens_no_more_is_salvaged_with_what_nobody_else_has(self):
        lyon, savoie, ids = self.two_nodes_one_damaged()
        lyon.stop()
        savoie.start()
        savoie.wait_ready()
        mine = record_id(savoie.ask('create', 'actor', 'name=À moi seul'))
        savoie.run('edit', 'actor', ids[0], 'acronym=HORS-LIGNE')
        savoie.stop()
        manifest = next((savoie.data / 'store').glob('MANIFEST-*'))
        data = bytearray(manifest.read_bytes())
        data[len(data) // 2] ^= 4
        manifest.write_bytes(data)
        savoie.start()
        self.assertNotEqual(savoie.process.wait(timeout=30), 0)
        savoie.process = None
        self.assertIn('doctor --salvage', savoie.last_words())
        lyon.start()
        lyon.wait_ready()
        self.assert_salvaged(lyon, savoie, [*ids, mine])
        self.assertEqual(lyon.ask('get', 'actor', ids[0])['content']['acronym'], 'HORS-LIGNE')

    def test_a_backup_of_damage_is_refused(self):
        _, savoie, _ = self.two_nodes_one_damaged()
        self.damage_states(savoie)
        savoie.start()
        savoie.wait_ready()
        self.assert_refused('endommagées', savoie, 'backup', str(self.folder / 'copie'))
        self.assertFalse((self.folder / 'copie').exists())


if __name__ == '__main__':
    unittest.main()
