"""A real small disk that fills up: read-only before the end, and writing again by itself."""

import os
import subprocess
import unittest

from nodes import CommandFailed, NodesTest, free_ports, wait_until

DISK_MIB = 320
# Of server/tuning.h: below this nothing is written, above twice as much it is again.
RESERVE_MIB = 128


class DiskFullTest(NodesTest):
    def mount_small_disk(self, folder) -> None:
        folder.mkdir()
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_MIB}m', 'tmpfs', str(folder)],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f'no small file system can be mounted here: {mounted.stderr.strip()}')
        self.addCleanup(subprocess.run, ['umount', str(folder)], check=True)

    def fill(self, file, free_mib: int) -> None:
        """Leaves so much free."""
        disk = os.statvfs(file.parent)
        with file.open('wb') as filler:
            os.posix_fallocate(filler.fileno(), 0, disk.f_bavail * disk.f_frsize - (free_mib << 20))

    def wait_state(self, node, state: str) -> dict:
        return wait_until(f'{node.name} : {state}', node.status, lambda status: status['write_state'] == state, limit=60)

    def names(self, node) -> list[str]:
        return [record['content']['name'] for record in node.ask('list', 'actor', '--order-by', 'name')]

    def test_a_full_disk_is_read_only_and_writing_resumes(self):
        if os.geteuid() != 0:
            self.skipTest('only root can mount a small file system')
        # Before the node, so that it is unmounted after the node has stopped.
        self.mount_small_disk(self.folder / 'savoie')
        lyon = self.start('lyon')
        savoie = self.node('savoie', free_ports(1)[0], lyon)
        savoie.start()
        savoie.wait_ready()
        savoie.run('create', 'actor', 'name=avant')
        self.wait_identical(lyon, savoie)
        filler = savoie.folder / 'filler'
        self.fill(filler, free_mib=20)
        status = self.wait_state(savoie, 'READ_ONLY_DISK_FULL')
        self.assertIn('20 Mio libres', status['read_only_reason'])
        self.assert_refused('libérez de la place', savoie, 'create', 'actor', 'name=refusée')
        with self.subTest('told'):
            self.assertIn('lecture seule, disque plein', savoie.run('status'))
            self.assertIn('critique', savoie.run('status', '--check', codes=(2,)))
        self.assertEqual(self.names(savoie), ['avant'])
        lyon.run('create', 'actor', 'name=de Lyon')
        filler.unlink()
        self.wait_state(savoie, 'WRITING')
        savoie.run('create', 'actor', 'name=ensuite')
        self.wait_identical(lyon, savoie)
        self.assertEqual(self.names(savoie), ['avant', 'de Lyon', 'ensuite'])
        log = savoie.log.read_text()
        self.assertEqual((log.count('level=critical writing stopped'), log.count('level=critical writing resumed')), (1, 1))

    def test_a_disk_without_a_byte_left_loses_nothing(self):
        if os.geteuid() != 0:
            self.skipTest('only root can mount a small file system')
        self.mount_small_disk(self.folder / 'savoie')
        savoie = self.start('savoie')
        written = []
        for number in range(5):
            savoie.run('create', 'actor', f'name=A{number}')
            written.append(f'A{number}')
        filler = savoie.folder / 'filler'
        self.fill(filler, free_mib=0)
        unsure = []
        # Whichever comes first, the look at the disk or the end of it. A page that the log has already takes some more.
        while not unsure:
            name = f'B{len(written):04}'
            try:
                savoie.run('create', 'actor', f'name={name}')
                written.append(name)
            except CommandFailed as refused:
                self.assertRegex(refused.said, 'lecture seule|issue inconnue')
                unsure.append(name)
        wait_until('lecture seule', savoie.status, lambda status: status['write_state'] != 'WRITING')
        print(f'{len(written) - 5} more writes acknowledged without a free block')
        self.assertEqual(self.names(savoie), written)
        filler.unlink()
        self.wait_state(savoie, 'WRITING')
        savoie.run('create', 'actor', 'name=C')
        written.append('C')
        self.assertEqual([name for name in self.names(savoie) if name not in unsure], written)
        self.assertEqual(savoie.stop(), 0)
        savoie.start()
        savoie.wait_ready()
        self.assertEqual([name for name in self.names(savoie) if name not in unsure], written)


if __name__ == '__main__':
    unittest.main()
