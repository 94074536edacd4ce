"""How a network is founded and how machines join it, with the commands that people type, and their answers."""

import re
import subprocess
from pathlib import Path

from network import Node, free_ports


def found(node: Node, network: str, recovery_key: Path) -> str:
    """Makes the machine of `node` the first antenna of a new network; returns what the command said."""
    return _run(node, 'init', '--site', node.name, '--network', network, '--data', str(node.data),
                '--recovery-key', str(recovery_key))


class Invitation:
    """`maillage invite` at an antenna, waiting for its machine. `with` ends it, whatever happened."""

    def __init__(self, antenna: Node, site: str, *options: str) -> None:
        port = free_ports(1)[0]
        self.address = f'127.0.0.1:{port}'
        self._process = subprocess.Popen(
            [antenna.command, 'invite', site, '--data', antenna.data, '--listen', self.address, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = self._read_until('En attente')
        codes = re.findall(r'^  (\S+\.\S+)$', said, re.MULTILINE)
        if len(codes) != 1:
            raise RuntimeError(f'maillage invite {site} : {said}')
        self.code = codes[0]
        self.authority = _fingerprint(said)

    def __enter__(self) -> 'Invitation':
        return self

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            stream.close()

    def asked_by(self) -> str:
        """Waits for a machine, and returns its fingerprint as the antenna shows it."""
        return _fingerprint(self._read_until('Son empreinte'))

    def answer(self, yes: bool) -> int:
        """What the operator says; returns the exit code of the command."""
        self._process.stdin.write('o\n' if yes else 'n\n')
        self._process.stdin.flush()
        return self._process.wait(timeout=30)

    def node_process(self) -> int:
        """The process that listens: maillaged, which `maillage` runs."""
        children = Path(f'/proc/{self._process.pid}/task/{self._process.pid}/children').read_text(encoding='ascii').split()
        return int(children[0]) if children else self._process.pid

    def _read_until(self, word: str) -> str:
        said = ''
        for line in self._process.stdout:
            said += line
            if word in line:
                break
        return said


def join(antenna: Node, node: Node, *options: str) -> None:
    """Both ends of an invitation, as two people on the phone go through it: they compare the fingerprints."""
    with Invitation(antenna, node.name, *options) as invitation:
        node.folder.mkdir(parents=True, exist_ok=True)
        joining = subprocess.Popen([node.command, 'join', invitation.code, '--at', invitation.address, '--data', node.data],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        shown = invitation.asked_by()
        authority, own = (_fingerprint(joining.stdout.readline()) for _ in range(2))
        code = invitation.answer(yes=(authority, own) == (invitation.authority, shown))
        said = joining.communicate(timeout=30)[0]
        if code != 0 or joining.returncode != 0:
            raise RuntimeError(f'{node.name} ne rejoint pas le réseau (codes {code} et {joining.returncode}) : {said}')


def _run(node: Node, *arguments: str) -> str:
    node.folder.mkdir(parents=True, exist_ok=True)
    result = subprocess.run([node.command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise RuntimeError(f'maillage {arguments[0]} : code {result.returncode}\n{result.stdout}')
    return result.stdout


def _fingerprint(said: str) -> str:
    found_one = re.search(r'\b(?:[0-9a-f]{4} ){7}[0-9a-f]{4}\b', said)
    return found_one.group() if found_one else ''
