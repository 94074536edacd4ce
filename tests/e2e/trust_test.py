"""A network founded, joined and left with the commands that people type; who is no member gets nothing."""

import os
import pwd
import socket
import ssl
import subprocess
import sys
import unittest

from nodes import NodesTest, ROOT, free_ports, wait_until

sys.path.insert(0, str(ROOT / 'deploy' / 'demo'))

import joining  # noqa: E402


class TrustTest(NodesTest):
    def setUp(self):
        super().setUp()
        self.recovery = self.folder / 'secours.key'
        self.lyon = self.node('lyon', free_ports(1)[0])
        joining.found(self.lyon, 'RESACOOP', self.recovery)
        self.lyon.start()
        self.lyon.wait_ready()

    def member(self, name: str, *options: str):
        node = self.node(name, free_ports(1)[0], self.lyon)
        joining.join(self.lyon, node, *options)
        node.start()
        node.wait_ready()
        return node

    def command(self, node, *arguments: str, said: str = ''):
        return subprocess.run([node.command, *arguments, '--data', node.data], input=said, capture_output=True, text=True,
                              timeout=60, check=False)

    def standing(self, node, site: str) -> dict:
        return {member['site']: member for member in node.ask('members')['members']}[site]

    def test_a_relay_joins_works_and_is_put_out(self):
        clermont = self.member('clermont', '--role', 'antenna', '--recovery-key', str(self.recovery))
        savoie = self.member('savoie', '--territory', '73')
        here = savoie.ask('create', 'actor', 'name=Amis du Mali', 'department=73')['id']
        elsewhere = self.lyon.ask('create', 'actor', 'name=Ailleurs', 'department=38')['id']
        savoie.run('sync', self.lyon.address)
        self.assertEqual(self.lyon.ask('get', 'actor', here)['content']['name'], 'Amis du Mali')
        self.assert_refused(elsewhere, savoie, 'get', 'actor', elsewhere)
        # It can't take more than its territory.
        self.assert_refused('maillage rights savoie', savoie, 'sites', 'set-scope', 'savoie', '*')
        self.assertEqual(self.command(self.lyon, 'rights', 'savoie', '--territory', '38,73').returncode, 0)
        wait_until('La Savoie tient l’Isère', lambda: savoie.ask('list', 'actor'), lambda found: len(found) == 2)

        self.assertEqual(self.command(self.lyon, 'revoke', 'savoie', said='n\n').returncode, 1)
        asked = self.command(self.lyon, 'revoke', 'savoie', '--reason', 'ordinateur volé', said='o\n')
        self.assertIn('Il en faut une seconde', asked.stdout)
        self.assertFalse(self.standing(self.lyon, 'savoie')['revoked'])
        again = self.command(self.lyon, 'revoke', 'savoie', '--yes')
        self.assertFalse(self.standing(self.lyon, 'savoie')['revoked'], f'one antenna twice is one: {again.stdout}')
        self.assertIn('il y faut une autre', again.stdout)
        wait_until('Clermont l’apprend', lambda: self.standing(clermont, 'savoie'), lambda it: it['revocation_pending'])
        self.assertIn('est révoqué', self.command(clermont, 'revoke', 'savoie', '--yes').stdout)
        wait_until('Lyon l’apprend', lambda: self.standing(self.lyon, 'savoie'), lambda it: it['revoked'])
        self.assertEqual(self.standing(self.lyon, 'savoie')['reason'], 'ordinateur volé')
        after = self.lyon.ask('create', 'actor', 'name=Après', 'department=73')['id']
        self.assert_refused('', savoie, 'sync', self.lyon.address)
        self.assert_refused(after, savoie, 'get', 'actor', after)
        peer = next(peer for peer in self.lyon.status()['peers'] if peer['site'] == 'savoie')
        self.assertIn('révoqué', peer['last_error'])

    def test_a_reader_gets_all_but_what_is_internal(self):
        region = self.member('region', '--role', 'reader', '--territory', '*')
        actor = self.lyon.ask('create', 'actor', 'name=Amis du Mali', 'department=73', 'emails+=awa@exemple.fr',
                              'internal_notes=La trésorière est partie fâchée')['id']
        region.run('sync', self.lyon.address)
        told = wait_until('la fiche arrive', lambda: region.ask('list', 'actor'), bool)[0]['content']
        self.assertEqual((told['name'], told['emails'], told.get('internal_notes')), ('Amis du Mali', ['awa@exemple.fr'], None))
        self.assertIn('internal_notes = (interne, non transmis à ce site)', region.run('history', 'actor', actor))
        self.assertEqual(region.status()['root'], self.lyon.status()['root'])
        self.assert_refused('ne peut que lire', region, 'edit', 'actor', actor, 'name=Autre')
        refused = self.command(self.lyon, 'rights', 'region', '--role', 'relay', '--territory', '73')
        self.assertIn('un lecteur n', refused.stderr)
        # Neither do its files hold it, nor a copy of what passed.
        for path in region.data.rglob('*'):
            self.assertFalse(path.is_file() and 'partie fâchée'.encode() in path.read_bytes(), path)
        self.lyon.run('edit', 'actor', actor, 'internal_notes=')
        wait_until('le vide arrive', lambda: region.status()['root'], lambda root: root == self.lyon.status()['root'])

    def test_what_a_stolen_laptop_writes_has_no_effect_whoever_forwards_it(self):
        clermont = self.member('clermont', '--role', 'antenna', '--recovery-key', str(self.recovery))
        ardeche = self.member('ardeche', '--territory', '07,73')
        savoie = self.node('savoie', free_ports(1)[0], self.lyon, ardeche)
        joining.join(self.lyon, savoie, '--territory', '73')
        savoie.start()
        savoie.wait_ready()
        self.assert_refused('la fiche est dans 38, et son territoire est 73', savoie, 'create', 'actor', 'name=Ailleurs',
                            'department=38')
        actor = savoie.ask('create', 'actor', 'name=Amis du Mali', 'department=73')['id']
        savoie.run('sync', self.lyon.address)
        wait_until('l’Ardèche l’a', lambda: ardeche.ask('list', 'actor'), lambda found: len(found) == 1)
        # From here on the Ardèche hears nothing of the antennas; the thief meets it.
        ardeche.run('pause', self.lyon.address)
        self.command(self.lyon, 'revoke', 'savoie', '--reason', 'ordinateur volé', '--yes')
        wait_until('Clermont l’apprend', lambda: self.standing(clermont, 'savoie'), lambda it: it['revocation_pending'])
        self.command(clermont, 'revoke', 'savoie', '--yes')
        wait_until('Lyon l’apprend', lambda: self.standing(self.lyon, 'savoie'), lambda it: it['revoked'])
        savoie.run('edit', 'actor', actor, 'name=Volé', person='le voleur')
        savoie.run('sync', ardeche.address)
        self.assertEqual(ardeche.ask('get', 'actor', actor)['content']['name'], 'Volé')
        ardeche.run('edit', 'actor', actor, 'acronym=AM')
        ardeche.run('resume', self.lyon.address)
        for node in (ardeche, self.lyon):
            content = wait_until(f'{node.name} l’apprend', lambda at=node: at.ask('get', 'actor', actor)['content'],
                                 lambda told: told.get('acronym') == 'AM' and told['name'] != 'Volé')
            self.assertEqual(content['name'], 'Amis du Mali', 'what it had replaced is back')
            self.assertEqual([change['is_void'] for change in node.ask('history', 'actor', actor)], [False, True, False])
            self.assertGreater(int(node.status()['quarantined']), 0)
        # What the thief wrote may have been right all the same.
        row = next(row for row in self.lyon.ask('quarantine') if row['change']['person'] == 'le voleur')
        self.assertIn('« savoie » est révoqué', row['reason'])
        self.assertIn('repris', self.lyon.run('quarantine', 'adopt', row['id'][:8], person='Camille'))
        self.assertEqual(self.lyon.ask('get', 'actor', actor)['content']['name'], 'Volé')
        told = self.lyon.run('audit')
        for words in ('réseau fondé', 'site admis', 'relais, 73 ; signé par lyon', 'révocation', 'ordinateur volé ; signé par clermont et lyon'):
            self.assertIn(words, told.replace('lyon et clermont', 'clermont et lyon'))
        self.lyon.run('export', 'actor', '--out', str(self.folder / 'acteurs.csv'), person='Camille')
        last = self.lyon.ask('audit')['entries'][-1]
        self.assertEqual((last['person'], last['action'], last['subject']), ('Camille', 'export', str(self.folder / 'acteurs.csv')))
        log = self.lyon.data / 'audit.log'
        log.write_text(log.read_text(encoding='utf-8').replace('73', '38', 1), encoding='utf-8')
        self.assert_refused('le journal a été altéré', self.lyon, 'audit', code=2)

    def test_codes_serve_once_and_their_machine_alone(self):
        other = self.node('isere', free_ports(1)[0], self.lyon)
        other.folder.mkdir()
        with joining.Invitation(self.lyon, 'savoie', '--territory', '73') as invitation:
            name, rest = invitation.code.split('.')
            wrong = f'{name}.{"1" if rest[0] == "0" else "0"}{rest[1:]}'
            for code in (wrong, 'n’importe quoi', f'isere.{rest}'):
                joined = self.command(other, 'join', code, '--at', invitation.address)
                self.assertEqual(joined.returncode, 1, joined.stdout)
                self.assertIn('ce n\'est pas un code d\'invitation', joined.stderr)
            # Whoever listens at the address that was given by mistake gets nothing.
            joined = self.command(other, 'join', invitation.code, '--at', self.lyon.address)
            self.assertIn('Rien de secret n\'a été envoyé', joined.stderr)
            self.assertFalse((other.data / 'network.pb').exists())
        joined = self.command(other, 'join', invitation.code, '--at', invitation.address)
        self.assertEqual(joined.returncode, 1, 'the invitation has ended, and the code with it')
        joining.join(self.lyon, other, '--territory', '38')
        twice = self.command(other, 'join', invitation.code, '--at', invitation.address)
        self.assertIn('appartient déjà à un réseau', twice.stderr)
        self.assertIn('appartient déjà à un réseau', self.command(
            self.lyon, 'init', '--site', 'lyon', '--recovery-key', str(self.folder / 'autre')).stderr)

    def test_only_tls_1_3_and_only_with_a_certificate(self):
        host, port = self.lyon.address.split(':')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection((host, int(port)), timeout=10) as plain, self.assertRaises(OSError):
            context.wrap_socket(plain).close()
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        # In TLS 1.3 the client learns that it should have shown a certificate when it reads.
        with socket.create_connection((host, int(port)), timeout=10) as plain, context.wrap_socket(plain) as anonymous:
            self.assertEqual(anonymous.version(), 'TLSv1.3')
            with self.assertRaises(OSError):
                if anonymous.recv(1) == b'':
                    raise ConnectionError('closed')
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            plain.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
            self.assertEqual(plain.recv(1024)[:1] or b'\x15', b'\x15', 'at most an alert of TLS')

    def test_keys_and_sockets_are_not_for_others(self):
        for name in ('identity.key', 'authority.key', 'tls-key.pem'):
            self.assertEqual((self.lyon.data / name).stat().st_mode & 0o777, 0o600, name)
        self.assertEqual(self.recovery.stat().st_mode & 0o777, 0o600)
        path = self.lyon.data / 'maillage.sock'
        self.assertEqual(path.stat().st_mode & 0o777, 0o660)
        if os.geteuid() != 0:
            self.skipTest('only root can be somebody else')
        # Even where the file's mode lets everybody in, the kernel says who is there.
        path.chmod(0o666)
        for folder in (self.folder, self.lyon.folder, self.lyon.data):
            folder.chmod(0o755)
        stranger = subprocess.run(
            [sys.executable, '-c', 'import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); '
                                   's.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"); print(len(s.recv(100)))', str(path)],
            user=pwd.getpwnam('nobody').pw_uid, group=pwd.getpwnam('nobody').pw_gid, extra_groups=[], capture_output=True,
            text=True, timeout=30, check=False)
        self.assertTrue(stranger.stdout == '0\n' or 'Error' in stranger.stderr, stranger)
        self.assertIn('local client refused', self.lyon.last_words())

    def test_a_node_of_no_network_stays_on_its_machine(self):
        alone = self.node('seul', free_ports(1)[0])
        alone.start('--site', 'seul', '--data', alone.data, '--listen', '0.0.0.0:0')
        self.assertEqual(alone.process.wait(timeout=30), 1)
        self.assertIn('maillage init', alone.last_words())
        alone.process = None


if __name__ == '__main__':
    unittest.main()
