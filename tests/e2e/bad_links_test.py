"""Lines that die without a word or hardly move: noticed, and nobody else's concern."""

import statistics
import time
import unittest
from pathlib import Path
from typing import Callable

from nodes import DATA, NodesTest, free_ports, wait_until
from proxy import Proxy

NOTICED_WITHIN_SECONDS = 60
EDITS = 10


def resident_mib(node) -> float:
    for line in Path(f'/proc/{node.process.pid}/status').read_text(encoding='ascii').splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) / 1024
    raise AssertionError('no VmRSS')


class BadLinksTest(NodesTest):
    def proxy(self, target) -> Proxy:
        proxy = Proxy(target.address)
        self.addCleanup(proxy.close)
        return proxy

    def start_through(self, name: str, proxy: Proxy):
        node = self.node(name, free_ports(1)[0])
        node.peers.append(proxy.address)
        node.start()
        node.wait_ready()
        return node

    def states(self, node) -> dict[str, str]:
        return {peer['site']: peer['state'] for peer in node.ask('peers')}

    def test_a_half_open_connection_is_noticed_at_both_ends(self):
        lyon = self.start('lyon')
        proxy = self.proxy(lyon)
        savoie = self.start_through('savoie', proxy)
        self.wait_identical(lyon, savoie)
        proxy.freeze()
        began = time.monotonic()
        for node, other in ((savoie, 'lyon'), (lyon, 'savoie')):
            wait_until(f'{node.name} voit la liaison morte', lambda: self.states(node).get(other),
                       lambda state: state not in ('UP_TO_DATE', 'BEHIND', 'SYNCING'), limit=NOTICED_WITHIN_SECONDS)
            print(f'{node.name}: half-open connection noticed after {time.monotonic() - began:.1f} s')
        self.assertLess(time.monotonic() - began, NOTICED_WITHIN_SECONDS)

    def median_seconds(self, writer, reader, label: str) -> float:
        """From an edit on one node until the other shows it."""
        seconds = []
        for number in range(EDITS):
            began = time.monotonic()
            record = writer.ask('create', 'actor', f'name={label} {number}')['id']
            wait_until('la fiche arrive', lambda: record in reader.run('get', 'actor', record, codes=(0, 1)), bool,
                       limit=30, pause=0.01)
            seconds.append(time.monotonic() - began)
        return statistics.median(seconds)

    def test_a_peer_that_reads_a_byte_a_second_slows_nobody(self):
        self.hold_up_one_peer(Proxy.trickle, 'that reads a byte a second')

    def test_a_peer_that_reads_nothing_slows_nobody(self):
        self.hold_up_one_peer(Proxy.freeze, 'that reads nothing')

    def hold_up_one_peer(self, spoil: Callable[[Proxy], None], what: str):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        proxy = self.proxy(lyon)
        self.start_through('loire', proxy)
        self.wait_identical()
        before = self.median_seconds(savoie, lyon, 'avant')
        memory = resident_mib(lyon)
        spoil(proxy)
        # Some megabytes that the Loire doesn't take.
        lyon.run('import', str(DATA / 'collectivites-ara.csv'))
        during = self.median_seconds(savoie, lyon, 'pendant')
        grown = resident_mib(lyon) - memory
        self.assertEqual(self.states(lyon)['loire'], 'BEHIND')
        print(f'edit until seen: {before:.3f} s before, {during:.3f} s with a peer {what}; the node, which took in '
              f'4,190 records meanwhile, grew by {grown:.0f} MiB')
        # Both hold the start of two commands; a wait for the slow peer would be seconds.
        self.assertLess(during, 3 * before + 1)
        self.assertLess(grown, 64)
        self.wait_identical(lyon, savoie)


if __name__ == '__main__':
    unittest.main()
