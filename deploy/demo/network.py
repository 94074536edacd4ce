"""Nodes as processes of this machine, and the command line as people type it. The demo and tests/e2e stand on it."""

import json
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Sequence

from waiting import wait_until


class CommandFailed(Exception):
    """A command of `maillage` ended with another exit code than 0; holds what it said."""

    def __init__(self, arguments: Sequence[str], result: subprocess.CompletedProcess) -> None:
        self.exit_code = result.returncode
        self.said = (result.stderr or result.stdout).strip()
        super().__init__(f'maillage {" ".join(arguments)} : code {self.exit_code}\n{self.said}')


class Node:
    """One maillaged with its own data folder. Not running until start()."""

    def __init__(self, programs: Path, name: str, folder: Path, port: int, peers: Sequence[str] = (),
                 label: str = '', scope: str = '') -> None:
        self.name = name
        self.label = label or name
        self.scope = scope
        self.folder = folder
        self.address = f'127.0.0.1:{port}'
        self.peers = list(peers)
        # HOST:PORT of its HTTP door; empty: none.
        self.http = ''
        self.process: subprocess.Popen | None = None
        self._programs = programs

    @property
    def log(self) -> Path:
        return self.folder / 'journal.txt'

    @property
    def data(self) -> Path:
        return self.folder / 'data'

    @property
    def local(self) -> str:
        """Where programs of the same machine reach it, without a certificate."""
        return f'unix:{self.data / "maillage.sock"}'

    @property
    def command(self) -> Path:
        """The program `maillage`."""
        return self._programs / 'client' / 'maillage'

    def start(self, *arguments: str | Path) -> None:
        """Starts the process: with its own name, data, address and peers, or with these arguments instead."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [self._programs / 'server' / 'maillaged', *arguments]
        if not arguments:
            command += ['--site', self.name, '--data', self.data, '--listen', self.address]
            # A member holds what its antenna let it hold; a node of no network says it itself.
            if self.scope and not (self.data / 'network.pb').exists():
                command += ['--scope', self.scope]
            if self.http:
                command += ['--http', self.http]
            for peer in self.peers:
                command += ['--peer', peer]
        with self.log.open('ab') as log:
            # A session of its own, so that Ctrl-C ends this program, which then ends the node in order.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def wait_ready(self, limit: float = 30) -> None:
        def look() -> bool:
            if self.process and self.process.poll() is not None:
                raise RuntimeError(f'Le nœud {self.name} s’est arrêté (code {self.process.returncode}) :\n'
                                   f'{self.last_words()}')
            return self.answers()

        wait_until(f'Le nœud {self.name} répond', look, bool, limit)

    def answers(self) -> bool:
        host, port = self.address.rsplit(':', 1)
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return True
        except OSError:
            return False

    def last_words(self, lines: int = 15) -> str:
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:]) if self.log.exists() else ''

    def kill(self) -> None:
        """SIGKILL: the process has no chance to write anything more."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, as an administrator stops a node. Returns its exit code; kills it after 20 seconds."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(how)
        try:
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def run(self, *arguments: str, person: str = '', codes: Sequence[int] = (0,)) -> str:
        """What `maillage` prints when asked this on the node. Raises CommandFailed on any exit code not in `codes`."""
        environment = dict(os.environ, MAILLAGE_NODE=self.local, LC_ALL='C.UTF-8')
        command = [self.command, *(['--person', person] if person else []), *arguments]
        result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=300, check=False)
        if result.returncode not in codes:
            raise CommandFailed(arguments, result)
        return result.stdout

    def ask(self, *arguments: str, person: str = ''):
        """The same with --output json, parsed."""
        return json.loads(self.run(*arguments, '--output', 'json', person=person))

    def status(self) -> dict:
        return self.ask('status')


def statuses(nodes: Sequence[Node]) -> dict[str, dict]:
    """The status of each node by its name; {} for one that doesn't answer."""

    def one(node: Node) -> dict:
        try:
            return node.status()
        except CommandFailed:
            return {}

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip((node.name for node in nodes), pool.map(one, nodes)))


def records_in(status: dict) -> int:
    return sum(int(kind.get('records', 0)) for kind in status.get('kinds', []) if kind['kind'] != 'site')


def identical(by_site: dict[str, dict]) -> bool:
    roots = {status.get('root') for status in by_site.values()}
    return len(roots) == 1 and None not in roots and '' not in roots


def territory(status: dict, scope: str) -> dict:
    """Records and root by kind and territory, of a scope ('' is everything) and of the whole region."""
    held = {*scope.split(','), ''}
    return {(row['kind'], row.get('territory', '')): (row['records'], row['root'])
            for row in status.get('partitions', []) if not scope or row.get('territory', '') in held}


def settled(by_site: dict[str, dict], scopes: dict[str, str], antenna: str) -> list[str]:
    """The sites that hold of their territory what the antenna holds of it, and nothing that lies outside."""
    whole = by_site[antenna]
    return [site for site, status in by_site.items()
            if status and territory(status, scopes[site]) == territory(whole, scopes[site])
            and int(status.get('leaving_records', 0)) == 0]


def free_ports(count: int, wanted: int = 0) -> list[int]:
    """`count` ports of the loopback that nothing listens on: from `wanted` on where those are free."""
    if wanted:
        ports = list(range(wanted, wanted + count))
        if all(_is_free(port) for port in ports):
            return ports
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(('127.0.0.1', 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
            return True
        except OSError:
            return False
