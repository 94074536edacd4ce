"""Sites without a network: bundles both ways, a snapshot for a new site, and what damaged files come to."""

import unittest

from nodes import DATA, NodesTest, free_ports, record_id, settled, statuses, wait_until


class BundleTest(NodesTest):
    def setUp(self):
        super().setUp()
        self.lyon = self.start('lyon')
        self.savoie = self.relay('savoie', self.lyon)
        self.lyon.run('import', str(DATA / 'acteurs-reseau.csv'))
        self.lyon.run('import', str(DATA / 'projets-reseau.csv'))
        self.wait_settled(self.savoie)

    def relay(self, name: str, *peers):
        node = self.node(name, free_ports(1)[0], *peers)
        node.scope = '73'
        node.start()
        node.wait_ready()
        return node

    def holds_its_territory(self, relay) -> bool:
        return len(settled(statuses([self.lyon, relay]), {'lyon': '', relay.name: '73'}, 'lyon')) == 2

    def wait_settled(self, relay):
        wait_until('Le relais tient son territoire', lambda: self.holds_its_territory(relay), bool, 60)

    def unplug(self, relay):
        """From now on the relay meets nobody."""
        relay.stop()
        relay.peers = []
        relay.start()
        relay.wait_ready()

    def carry(self, sender, receiver, name: str) -> dict:
        file = self.folder / name
        said = sender.run('bundle', 'export', '--for', receiver.name, str(file))
        self.assertIn(f'{sender.name} → {receiver.name}', said)
        return receiver.ask('bundle', 'import', str(file))['outcome']

    def test_two_sites_meet_by_files_alone(self):
        self.unplug(self.savoie)
        pss = record_id(self.savoie.ask('list', 'actor', '--filter', 'acronym = "PSS"')[0])
        self.savoie.run('edit', 'actor', pss, 'description=Écrit en Savoie')
        self.lyon.run('edit', 'actor', pss, 'legal_status=association loi 1901')
        moved = self.savoie.ask('create', 'actor', 'name=Amis du Mali', 'department=73')['id']

        self.assertFalse(self.carry(self.savoie, self.lyon, 'a')['equal'])
        self.lyon.run('edit', 'actor', moved, 'department=38')
        first = self.carry(self.lyon, self.savoie, 'b')
        self.assertFalse(first['gaps'])
        self.assertEqual(self.savoie.ask('get', 'actor', pss)['content']['legal_status'], 'association loi 1901')
        self.assertEqual(self.lyon.ask('get', 'actor', pss)['content']['description'], 'Écrit en Savoie')
        # What moved away is handed over by files, too.
        self.carry(self.savoie, self.lyon, 'c')
        last = self.carry(self.lyon, self.savoie, 'd')
        self.assertTrue(last['equal'])
        self.assertEqual(int(last['leaving_records']), 0)
        self.assertTrue(self.holds_its_territory(self.savoie))
        self.assertIn('a quitté ce site', self.savoie.ask('explain', 'actor', moved)['why'])
        # A second time changes nothing, and the file of another site is refused.
        again = self.savoie.run('bundle', 'import', str(self.folder / 'd'))
        self.assertIn('Les deux sites tiennent la même chose', again)
        self.assert_refused('vient de ce site', self.lyon, 'bundle', 'import', str(self.folder / 'd'), code=1)
        self.assert_refused('existe déjà', self.lyon, 'bundle', 'export', '--for', 'savoie', str(self.folder / 'd'), code=1)
        self.assert_refused('chambery', self.lyon, 'bundle', 'export', '--for', 'chambery', str(self.folder / 'e'), code=1)
        self.assertFalse((self.folder / 'e').exists())
        for node in (self.lyon, self.savoie):
            node.run('doctor')

    def test_a_damaged_file_is_told_and_its_good_part_kept(self):
        self.unplug(self.savoie)
        for number in range(20):
            self.lyon.run('create', 'actor', f'name=Savoyarde {number}', 'department=73', f'description={"x" * 9000}')
        file = self.folder / 'lot'
        self.lyon.run('bundle', 'export', '--for', 'savoie', str(file))
        whole = file.read_bytes()
        cut = self.folder / 'coupé'
        cut.write_bytes(whole[:len(whole) * 2 // 3])
        self.assert_refused('le lot est incomplet', self.savoie, 'bundle', 'import', str(cut), code=1)
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        cut.write_bytes(flipped)
        self.assert_refused('abîmé, à l\'octet', self.savoie, 'bundle', 'import', str(cut), code=1)
        self.assert_refused('n\'est pas un lot', self.savoie, 'bundle', 'import', str(DATA / 'projets-reseau.csv'), code=1)
        self.assert_refused('absent', self.savoie, 'bundle', 'import', str(self.folder / 'absent'), code=1)
        said = self.savoie.run('bundle', 'import', str(file))
        self.assertIn('Les deux sites tiennent la même chose', said)
        self.assertIn('Repris là où il s’était arrêté'.replace('’', '\''), said)

    def test_a_new_site_begins_with_a_snapshot(self):
        file = self.folder / 'savoie.lot'
        self.lyon.run('snapshot', 'save', '--scope', '73', str(file))
        new = self.relay('chambery')
        said = new.run('snapshot', 'load', str(file))
        self.assertIn('lyon (73)', said)
        self.assertEqual(len(new.ask('list', 'actor', '--filter', 'acronym = "PSS"')), 1)
        # Then the network brings the difference.
        self.lyon.run('create', 'actor', 'name=La suivante', 'department=73')
        new.stop()
        new.peers = [self.lyon.address]
        new.start()
        new.wait_ready()
        self.wait_settled(new)
        received = sum(int(peer['changes_received']) for peer in new.status()['peers'])
        self.assertLess(received, 10)
        self.assertIn('complet depuis', new.run('status'))

    def test_a_reference_beyond_the_scope_can_be_read(self):
        project = self.savoie.ask('list', 'project', '--filter', 'acronym = "RECITAL"')[0]
        told = self.savoie.ask('get', 'project', record_id(project))
        presences = {each['presence'] for each in told['references']}
        wait_until('Les fiches abrégées sont là', lambda: {
            each['presence'] for each in self.savoie.ask('get', 'project', record_id(project))['references']},
            lambda found: found == {'HERE', 'STUB'}, 60)
        stub = next(each for each in self.savoie.ask('get', 'project', record_id(project))['references']
                    if each['presence'] == 'STUB')
        self.assertTrue(stub['title'], presences)
        said = self.savoie.run('get', stub['name'])
        self.assertIn('fiche abrégée', said)
        self.assertIn('hors du périmètre', said)
        self.assert_refused('hors du périmètre', self.savoie, 'edit', stub['name'], 'description=x', code=1)
        self.assertEqual(self.savoie.ask('explain', stub['name'])['presence'], 'STUB')
        # It follows what becomes of the record.
        self.lyon.run('edit', stub['name'], 'name=Un autre nom')
        wait_until('Le nouveau nom est là', lambda: self.savoie.run('get', stub['name']),
                   lambda said: 'Un autre nom' in said, 60)


if __name__ == '__main__':
    unittest.main()
