"""What the tests in this folder share: real nodes, started and stopped with each test."""

import os
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / 'tests' / 'data'
sys.path.insert(0, str(ROOT / 'deploy' / 'demo'))

from network import CommandFailed, Node, free_ports, identical, settled, statuses  # noqa: E402
from waiting import wait_until  # noqa: E402

PROGRAMS = Path(os.environ.get('MAILLAGE_PROGRAMS', ROOT / 'build'))

__all__ = ['CommandFailed', 'DATA', 'NodesTest', 'PROGRAMS', 'ROOT', 'free_ports', 'record_id', 'settled', 'statuses', 'wait_until']


def record_id(record: dict) -> str:
    """"actor/018f…" gives 018f…"""
    return record['name'].split('/')[1]


class NodesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='maillage-e2e-')
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.nodes: list[Node] = []

    def node(self, name: str, port: int, *peers: Node) -> Node:
        """A node that is yet to start. After the test it is stopped, which must end well; its log is shown."""
        node = Node(PROGRAMS, name, self.folder / name, port, [peer.address for peer in peers])
        self.nodes.append(node)
        self.addCleanup(self.stop, node)
        return node

    def stop(self, node: Node) -> None:
        code = node.stop()
        print(f'--- {node.name}\n{node.last_words()}', file=sys.stderr)
        self.assertEqual(code, 0, f'{node.name} a mal fini')

    def start(self, name: str, *peers: Node) -> Node:
        """A node that dials `peers` and answers."""
        node = self.node(name, free_ports(1)[0], *peers)
        node.start()
        node.wait_ready()
        return node

    def wait_identical(self, *nodes: Node, limit: float = 60):
        wait_until('Les nœuds sont identiques', lambda: statuses(nodes or self.nodes), identical, limit)

    def assert_refused(self, said: str, node: Node, *arguments: str, code: int | None = None):
        """The command fails, and says `said`."""
        with self.assertRaises(CommandFailed) as failure:
            node.run(*arguments)
        self.assertIn(said, failure.exception.said)
        if code is not None:
            self.assertEqual(failure.exception.exit_code, code)
