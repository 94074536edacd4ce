"""Data folders that come back from the past, or run twice: found, told, and nothing of either is lost."""

import shutil
import signal
import unittest

from nodes import NodesTest, free_ports, wait_until


class TwinTest(NodesTest):
    def copy_running(self, node, to) -> None:
        """The folder as a power cut would leave it."""
        node.process.send_signal(signal.SIGSTOP)
        # A socket is no data, and can't be copied.
        shutil.copytree(node.data, to, ignore=shutil.ignore_patterns('*.sock'))
        node.process.send_signal(signal.SIGCONT)

    def names(self, node) -> list[str]:
        return sorted(record['content']['name'] for record in node.ask('list', 'actor'))

    def test_a_copy_from_an_hour_ago_that_the_lease_cannot_tell_is_found_by_a_peer(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        savoie.run('create', 'actor', 'name=Avant')
        self.wait_identical()
        old = self.folder / 'ancien'
        self.copy_running(savoie, old)
        savoie.run('create', 'actor', 'name=Depuis')
        self.wait_identical()
        before = savoie.status()
        savoie.kill()
        shutil.rmtree(savoie.data)
        old.rename(savoie.data)
        # What the copy writes before it meets anyone bears numbers that Lyon knows for something else.
        savoie.peers, peers = [], savoie.peers
        savoie.start()
        savoie.wait_ready()
        savoie.run('create', 'actor', 'name=Après')
        savoie.stop()
        savoie.peers = peers
        savoie.start()
        savoie.wait_ready()
        self.wait_identical()
        for node in (lyon, savoie):
            self.assertEqual(self.names(node), ['Après', 'Avant', 'Depuis'])
        after = savoie.status()
        self.assertNotEqual(after['incarnation'], before['incarnation'])
        self.assertEqual(after['site_id'], before['site_id'])
        self.assertIn('nouvelles incarnations', savoie.run('status'))

    def test_a_folder_that_was_copied_to_a_second_laptop_and_runs_on_both(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        savoie.run('create', 'actor', 'name=Avant')
        self.wait_identical()
        savoie.stop()
        laptop = self.node('portable', free_ports(1)[0])
        shutil.copytree(savoie.data, laptop.data, ignore=shutil.ignore_patterns('*.sock'))
        savoie.start()
        laptop.start('--site', 'savoie', '--data', laptop.data, '--listen', laptop.address, '--peer', lyon.address)
        for node in (savoie, laptop):
            node.wait_ready()
        self.assertIn('restauré ou copié', laptop.run('status'))
        for number in range(5):
            savoie.run('create', 'actor', f'name=Bureau {number}')
            laptop.run('create', 'actor', f'name=Portable {number}')
        # Lyon keeps one link to a site, so the two take turns; each has its turn.
        wait_until('Lyon a tout reçu', lambda: self.names(lyon), lambda names: len(names) == 11, 120)
        self.assertEqual(int(savoie.status()['renewals']), 0)


if __name__ == '__main__':
    unittest.main()
