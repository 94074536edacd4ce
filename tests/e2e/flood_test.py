"""Strangers who open connections and send what they like: the node's memory stays bounded, and members go on."""

import re
import socket
import ssl
import subprocess
import sys
import threading
import unittest

from nodes import NodesTest, ROOT, free_ports

sys.path.insert(0, str(ROOT / 'deploy' / 'demo'))

import joining  # noqa: E402

MEMORY_LIMIT_MIB = 256
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + b'\x00\x00\x00\x04\x00\x00\x00\x00\x00'
# HEADERS of stream 1 without END_HEADERS, then CONTINUATION frames that never end.
HEADERS = b'\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82'
CONTINUATION = b'\x00\x40\x00\x09\x00\x00\x00\x00\x01' + b'\x00\x01a\x01b' * 3276 + b'\x00\x01a\x01'
CONTINUATION = CONTINUATION[:9 + 0x4000]


def peak_mib(pid: int) -> int:
    """The most memory that the process has had."""
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return int(re.search(r'VmHWM:\s+(\d+)', status.read()).group(1)) // 1024


def anonymous_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(['h2'])
    return context


def flood(connection, mib: int) -> int:
    """Sends an endless header, at most so many MiB; returns how many bytes went."""
    sent = 0
    try:
        connection.settimeout(10)
        connection.sendall(PREFACE + HEADERS)
        while sent < mib << 20:
            connection.sendall(CONTINUATION)
            sent += len(CONTINUATION)
    except OSError:
        pass
    return sent


def flood_over_tls(address, times: int) -> int:
    """The same within TLS, without a certificate of our own."""
    total = 0
    for _ in range(times):
        try:
            with socket.create_connection(address, timeout=10) as plain, anonymous_tls().wrap_socket(plain) as secured:
                total += flood(secured, 64)
        except OSError:
            pass
    return total


def flooders(count: int, act) -> list[threading.Thread]:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


class FloodTest(NodesTest):
    def setUp(self):
        super().setUp()
        self.lyon = self.node('lyon', free_ports(1)[0])
        joining.found(self.lyon, 'RESACOOP', self.folder / 'secours.key')
        self.lyon.start()
        self.lyon.wait_ready()
        host, port = self.lyon.address.split(':')
        self.at = (host, int(port))

    def test_a_node_without_a_certificate_is_not_listened_to(self):
        savoie = self.node('savoie', free_ports(1)[0], self.lyon)
        joining.join(self.lyon, savoie, '--territory', '73')
        savoie.start()
        savoie.wait_ready()
        idle = [socket.create_connection(self.at, timeout=10) for _ in range(400)]
        for number, connection in enumerate(idle[:200]):
            connection.sendall(b'\x16\x03\x01' + bytes([number % 256]) * 40)
        sent = []
        threads = flooders(8, lambda: sent.append(flood_over_tls(self.at, times=20)))
        with socket.create_connection(self.at, timeout=10) as unencrypted:
            plain = flood(unencrypted, 64)
        # Members and people of this machine go on meanwhile.
        made = savoie.ask('create', 'actor', 'name=Pendant', 'department=73')['id']
        savoie.run('sync', self.lyon.address)
        self.assertEqual(self.lyon.ask('get', 'actor', made)['content']['name'], 'Pendant')
        for thread in threads:
            thread.join()
        for connection in idle:
            connection.close()
        peak = peak_mib(self.lyon.process.pid)
        print(f'figure: flood of a node without a certificate: 400 connections, {plain + sum(sent)} bytes taken by the '
              f'kernel, peak {peak} MiB', file=sys.stderr)
        self.assertLess(peak, MEMORY_LIMIT_MIB)

    def test_an_invitation_listens_to_strangers_and_is_bounded(self):
        with joining.Invitation(self.lyon, 'savoie', '--territory', '73') as invitation:
            host, port = invitation.address.split(':')
            sent = []
            for thread in flooders(40, lambda: sent.append(flood_over_tls((host, int(port)), times=2))):
                thread.join()
            peak = peak_mib(invitation.node_process())
            print(f'figure: endless headers to an invitation, 40 connections at a time: {sum(sent)} bytes taken, peak '
                  f'{peak} MiB', file=sys.stderr)
            self.assertLess(peak, MEMORY_LIMIT_MIB)
            # The machine that it waits for still gets in.
            savoie = self.node('savoie', free_ports(1)[0], self.lyon)
            savoie.folder.mkdir()
            joined = subprocess.Popen([savoie.command, 'join', invitation.code, '--at', invitation.address, '--data',
                                       savoie.data], stdout=subprocess.DEVNULL)
            self.assertNotEqual(invitation.asked_by(), '')
            self.assertEqual((invitation.answer(yes=True), joined.wait(timeout=30)), (0, 0))


if __name__ == '__main__':
    unittest.main()
