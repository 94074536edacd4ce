"""The demo: nine sites, real data, a day offline, and the proof that each ends with all of its territory.

Every step is a `maillage` command that anybody can type; what must hold is checked as it goes, and the exit
code says whether all of it did.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Sequence

import joining
import screen
from network import CommandFailed, Node, free_ports, records_in, settled, statuses
from story import Story
from waiting import Timeout, wait_until

ROOT = Path(__file__).resolve().parents[2]

# Name, what people call it, what it holds; an antenna holds everything. The two antennas first: a relay knows both.
SITES = (
    ('lyon', 'Lyon (antenne)', ''),
    ('clermont', 'Clermont (antenne)', ''),
    ('allier', 'Allier', '03'),
    ('loire', 'Loire', '42'),
    ('savoie', 'Savoie', '73'),
    ('haute-savoie', 'Haute-Savoie', '74'),
    ('isere', 'Isère', '38'),
    ('ardeche', 'Ardèche', '07'),
    ('drome', 'Drôme', '26'),
)


class Network:
    """The nine nodes, and what is asked of all of them at once."""

    def __init__(self, programs: Path, folder: Path, first_port: int) -> None:
        self.folder = folder
        self.nodes: dict[str, Node] = {}
        for (name, label, scope), port in zip(SITES, free_ports(len(SITES), first_port)):
            antennas = [self.nodes[antenna].address for antenna in ('lyon', 'clermont') if antenna in self.nodes]
            self.nodes[name] = Node(programs, name, folder / name, port, antennas, label, scope)

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def start(self) -> None:
        """Founds the network at the first antenna, lets the others join it there, and starts all."""
        recovery_key = self.folder / 'resacoop.recovery'
        antenna = self.nodes['lyon']
        joining.found(antenna, 'RESACOOP', recovery_key)
        antenna.start()
        antenna.wait_ready()
        for node in self.nodes.values():
            if node is antenna:
                continue
            rights = ('--territory', node.scope) if node.scope else ('--role', 'antenna', '--recovery-key', str(recovery_key))
            joining.join(antenna, node, *rights)
            node.start()
        for node in self.nodes.values():
            node.wait_ready()

    def stop(self) -> None:
        for node in self.nodes.values():
            if node.process:
                node.process.terminate()
        for node in self.nodes.values():
            node.stop()

    def scopes(self) -> dict[str, str]:
        return {name: node.scope for name, node in self.nodes.items()}

    def wait_settled(self, limit: float = 180, without: Sequence[str] = ()) -> float:
        """Until both antennas hold the same, and every relay what they hold of its territory; how long that took."""
        nodes = [node for node in self.nodes.values() if node.name not in without]
        progress = screen.Progress()
        started = time.monotonic()

        def look() -> tuple[dict, list[str]]:
            by_site = statuses(nodes)
            return by_site, settled(by_site, self.scopes(), 'lyon') if by_site['lyon'] else []

        def show(found: tuple[dict, list[str]], elapsed: float) -> None:
            counts = [records_in(status) for status in found[0].values()]
            progress.show(f'{len(found[1])} sites sur {len(nodes)} tiennent leur territoire, '
                          f'de {screen.number(min(counts))} à {screen.number(max(counts))} fiches', elapsed)

        try:
            wait_until(f'Les {len(nodes)} sites tiennent leur territoire', look,
                       lambda found: len(found[1]) == len(nodes), limit, show)
        finally:
            progress.clear()
        return time.monotonic() - started


def say_how_to_reach(network: Network) -> None:
    screen.heading('Les neuf nœuds restent en marche')
    screen.table(('site', 'adresse', 'processus'),
                 [(node.label, node.address, str(node.process.pid)) for node in network.nodes.values()])
    pids = ' '.join(str(node.process.pid) for node in network.nodes.values())
    print(f'''
  Leur parler :   export MAILLAGE_NODE={network['savoie'].local}
                  build/client/maillage list event --order-by title
                  build/client/maillage edit actor ID description="…"
                  build/client/maillage status
  Les arrêter :   kill {pids}
  Tout effacer :  rm -r {network.folder}
''', flush=True)


def play(arguments: argparse.Namespace, folder: Path) -> bool:
    network = Network(arguments.programs, folder, arguments.port)
    story = Story(network, ROOT / 'tests' / 'data', quick=arguments.quick)
    played = False
    try:
        story.play()
        played = True
    except (CommandFailed, Timeout, RuntimeError) as error:
        story.failed(str(error))
        for node in network.nodes.values():
            if node.process and node.process.poll() is not None:
                screen.say(f'{node.label} s’est arrêté (code {node.process.returncode}) : {node.last_words()}')
    finally:
        if not (played and arguments.keep):
            network.stop()
    held = story.verdict()
    if played and arguments.keep:
        say_how_to_reach(network)
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--programs', type=Path, required=True, help='build tree with server/ and client/')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('--port', type=int, default=7101)
    arguments = parser.parse_args()
    # So that a terminated demo, too, stops the nodes that it started.
    for how in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix='maillage-demo-'))
    held = False
    try:
        held = play(arguments, folder)
    except KeyboardInterrupt:
        screen.wrong('Interrompu ; les nœuds sont arrêtés.')
    finally:
        if held and not arguments.keep:
            shutil.rmtree(folder)
        elif not held:
            screen.aside(f'Les données et les journaux des sites restent dans {folder}')
    return 0 if held else 1


if __name__ == '__main__':
    sys.exit(main())
