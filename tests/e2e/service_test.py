"""What a service manager hears of a node, on the socket that systemd would hand it."""

import os
import socket
import unittest

from nodes import NodesTest, wait_until


class ServiceTest(NodesTest):
    def listen(self, **environment: str) -> socket.socket:
        path = self.folder / 'notify'
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(str(path))
        manager.settimeout(20)
        self.addCleanup(manager.close)
        for name, value in {'NOTIFY_SOCKET': str(path), **environment}.items():
            os.environ[name] = value
            self.addCleanup(os.environ.pop, name)
        return manager

    def test_it_is_told_ready_alive_how_and_stopping(self):
        manager = self.listen(WATCHDOG_USEC='400000')
        node = self.node('savoie', 0)
        node.start('--site', 'savoie', '--data', node.data, '--listen', '127.0.0.1:0')
        self.assertEqual(manager.recv(4096), b'READY=1')
        beats = [manager.recv(4096).decode() for _ in range(3)]
        for beat in beats:
            self.assertTrue(beat.startswith('WATCHDOG=1\nSTATUS='), beat)
        self.assertIn('fiches ; pairs : 0, dont 0 à jour', beats[-1])
        node.run('create', 'actor', 'name=PSS')
        wait_until('la fiche est comptée', lambda: manager.recv(4096).decode(), lambda beat: 'STATUS=2 fiches' in beat)
        self.assertEqual(node.stop(), 0)
        said = []
        while not said or said[-1] != b'STOPPING=1':
            said.append(manager.recv(4096))

    def test_without_a_watchdog_it_is_told_how_it_is_all_the_same(self):
        manager = self.listen()
        node = self.node('savoie', 0)
        node.start('--site', 'savoie', '--data', node.data, '--listen', '127.0.0.1:0')
        self.assertEqual(manager.recv(4096), b'READY=1')
        self.assertIn('fiches', manager.recv(4096).decode())


if __name__ == '__main__':
    unittest.main()
