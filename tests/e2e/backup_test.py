"""Backups of running nodes, and what comes back from them."""

import json
import shutil
import subprocess
import threading
import unittest

from nodes import DATA, PROGRAMS, NodesTest

ACTORS = DATA / 'acteurs-reseau.csv'


class BackupTest(NodesTest):
    def restore(self, backup, data) -> subprocess.CompletedProcess:
        return subprocess.run([PROGRAMS / 'client' / 'maillage', 'restore', backup, '--data', data],
                              capture_output=True, text=True, check=False)

    def verify(self, backup) -> subprocess.CompletedProcess:
        return subprocess.run([PROGRAMS / 'client' / 'maillage', 'backup', '--verify', backup],
                              capture_output=True, text=True, check=False)

    def flip(self, path, offset: int) -> None:
        data = bytearray(path.read_bytes())
        data[offset % len(data)] ^= 4
        path.write_bytes(data)

    def test_nothing_is_lost_by_a_restored_backup_that_was_made_under_load(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        savoie.run('import', str(ACTORS))
        stop = threading.Event()
        written = []

        def write() -> None:
            while not stop.is_set():
                written.append(savoie.ask('create', 'actor', f'name=Pendant {len(written)}')['id'])

        writer = threading.Thread(target=write)
        writer.start()
        backup = self.folder / 'copie'
        summary = json.loads(savoie.run('backup', str(backup), '--output', 'json'))
        stop.set()
        writer.join()
        self.assertEqual(summary['folder'], str(backup))
        self.assertEqual(self.verify(backup).returncode, 0)
        self.assertEqual((backup / 'identity.key').stat().st_mode & 0o777, 0o600)
        self.assertFalse((self.folder / 'copie.partial').exists())
        self.assertFalse((savoie.data / 'backup-in-progress').exists())
        later = savoie.ask('create', 'actor', 'name=Après la sauvegarde')['id']
        self.wait_identical()
        before = savoie.status()
        savoie.stop()

        shutil.rmtree(savoie.data)
        restored = self.restore(backup, savoie.data)
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertIn('nouvelle incarnation', restored.stdout)
        self.assertFalse((savoie.data / 'restore-in-progress').exists())
        savoie.start()
        savoie.wait_ready()
        self.wait_identical()
        after = savoie.status()
        actions = [entry['action'] for entry in savoie.ask('audit')['entries']]
        self.assertEqual(actions[:2], ['restored', 'new-incarnation'], 'what was done to the folder before it ran')
        self.assertEqual(after['site_id'], before['site_id'])
        self.assertNotEqual(after['incarnation'], before['incarnation'])
        for record in [*written, later]:
            savoie.run('get', 'actor', record)
        savoie.run('edit', 'actor', later, 'sdgs+=4')
        self.wait_identical()
        self.assertEqual(lyon.ask('get', 'actor', later)['content']['sdgs'], ['4'])

    def holding(self, folder, text: str) -> list[str]:
        return [path.name for path in folder.rglob('*') if path.is_file() and text.encode() in path.read_bytes()]

    def test_what_is_said_of_persons_is_read_with_its_key_alone(self):
        node = self.start('savoie')
        actor = node.ask('create', 'actor', 'name=Amis du Mali', 'emails+=awa.diallo@exemple.fr', 'internal_notes=absente le mardi')['id']
        backup = self.folder / 'copies' / 'lundi'
        backup.parent.mkdir()
        said = node.run('backup', str(backup))
        node.stop()
        for text in ('awa.diallo', 'absente le mardi'):
            self.assertEqual(self.holding(self.folder, text), [])
        [keys] = backup.parent.glob('personal-*.key')
        self.assertIn(f'Elle va avec {keys}', said)
        self.assertEqual(keys.read_bytes(), (node.data / 'personal.key').read_bytes())
        self.assertEqual(keys.stat().st_mode & 0o777, 0o600)

        shutil.rmtree(node.data)
        elsewhere = keys.rename(self.folder / keys.name)
        refused = self.restore(backup, node.data)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('copiez ce fichier', refused.stderr)
        self.assertFalse(node.data.exists())
        elsewhere.rename(keys)
        self.assertEqual(self.restore(backup, node.data).returncode, 0)
        node.start()
        node.wait_ready()
        self.assertEqual(node.ask('get', 'actor', actor)['content']['emails'], ['awa.diallo@exemple.fr'])
        node.stop()

        (node.data / 'personal.key').unlink()
        node.start()
        self.assertNotEqual(node.process.wait(timeout=20), 0)
        node.process = None
        self.assertIn('personal.key', node.last_words())
        self.assertFalse((node.data / 'personal.key').exists(), 'no new keys for an old database')

    def test_a_healthy_node_has_no_finding(self):
        node = self.start('savoie')
        node.run('import', str(ACTORS))
        report = json.loads(node.run('doctor', '--output', 'json'))
        self.assertEqual(int(report.get('damaged', 0)), 0, report)
        self.assertGreater(int(report['records']), 10)

    def test_what_is_there_stays(self):
        node = self.start('savoie')
        taken = self.folder / 'pris'
        taken.mkdir()
        (taken / 'notes').write_text('à garder')
        self.assert_refused('existe déjà', node, 'backup', str(taken))
        self.assert_refused('créez-le', node, 'backup', str(self.folder / 'nulle' / 'part'))
        backup = self.folder / 'copie'
        node.run('backup', str(backup))
        for folder, said in ((taken, "n'est pas vide"), (node.data, 'sert à un nœud en marche')):
            refused = self.restore(backup, folder)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(said, refused.stderr)
        self.assertEqual((taken / 'notes').read_text(), 'à garder')

    def test_any_flipped_bit_of_a_backup_is_found(self):
        node = self.start('savoie')
        node.run('import', str(ACTORS))
        backup = self.folder / 'copie'
        node.run('backup', str(backup))
        for path in sorted(path for path in backup.rglob('*') if path.is_file()):
            whole = path.read_bytes()
            self.flip(path, len(whole) // 2)
            with self.subTest(file=path.name):
                self.assertEqual(self.verify(backup).returncode, 1)
                refused = self.restore(backup, self.folder / 'neuf')
                self.assertEqual(refused.returncode, 1)
                self.assertFalse((self.folder / 'neuf').exists())
            path.write_bytes(whole)
        self.assertEqual(self.verify(backup).returncode, 0)

    def test_an_interrupted_restoration_starts_no_node_and_starts_over(self):
        node = self.start('savoie')
        node.run('create', 'actor', 'name=PSS')
        backup = self.folder / 'copie'
        node.run('backup', str(backup))
        node.stop()
        shutil.rmtree(node.data)
        # As it was left between the two renamings.
        (node.data / 'restore-in-progress').mkdir(parents=True)
        shutil.copytree(backup / 'store', node.data / 'store')
        shutil.copy(backup / 'identity.key', node.data / 'restore-in-progress')
        node.start()
        self.assertNotEqual(node.process.wait(timeout=20), 0)
        node.process = None
        self.assertIn('maillage restore', node.last_words())
        self.assertEqual(self.restore(backup, node.data).returncode, 0)
        node.start()
        node.wait_ready()
        self.assertEqual(len(node.ask('list', 'actor')), 1)


if __name__ == '__main__':
    unittest.main()
