"""Several real nodes: what one writes the others read, through any path, and after any time apart."""

import unittest

from nodes import NodesTest, wait_until


class SyncTest(NodesTest):
    def create(self, node, *fields: str, kind: str = 'actor') -> str:
        return node.ask('create', kind, *fields, person='Awa')['id']

    def content(self, node, record: str, kind: str = 'actor') -> dict:
        return node.ask('get', kind, record)['content']

    def conflicts(self, node) -> dict:
        return {(conflict['id'], field['field']): field['versions']
                for conflict in node.ask('conflicts') for field in conflict['fields']}

    def test_both_ways_over_one_link(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        at_lyon, at_savoie = self.create(lyon, 'name=CIEDEL'), self.create(savoie, 'name=PSS')
        self.wait_identical()
        self.assertEqual(self.content(savoie, at_lyon)['name'], 'CIEDEL')
        self.assertEqual(self.content(lyon, at_savoie)['name'], 'PSS')

    def test_through_a_third_site(self):
        lyon = self.start('lyon')
        savoie, loire = self.start('savoie', lyon), self.start('loire', lyon)
        record = self.create(savoie, 'name=PSS')
        self.wait_identical()
        change = loire.ask('history', 'actor', record)[0]
        self.assertEqual((change['person'], change['site']), ('Awa', 'savoie'))

    def test_a_pause_holds_through_a_restart_and_ends(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        self.wait_identical()
        savoie.run('pause', 'lyon')
        savoie.stop()
        savoie.start()
        savoie.wait_ready()
        record = self.create(lyon, 'name=CIEDEL')
        self.assertEqual([peer['state'] for peer in savoie.ask('peers')], ['PAUSED'])
        savoie.run('resume', lyon.address)
        self.wait_identical()
        self.assertEqual(self.content(savoie, record)['name'], 'CIEDEL')

    def test_two_versions_are_kept_told_and_resolved(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        record = self.create(lyon, 'name=PSS')
        self.wait_identical()
        savoie.run('pause', 'lyon')
        savoie.run('edit', 'actor', record, 'description=A', person='Awa')
        lyon.run('edit', 'actor', record, 'description=B', person='Camille')
        savoie.run('resume', 'lyon')
        self.wait_identical()
        for node in (lyon, savoie):
            self.assertEqual({(version['person'], version['site'])
                              for version in self.conflicts(node)[record, 'description']},
                             {('Awa', 'savoie'), ('Camille', 'lyon')})
        self.assertEqual(self.content(lyon, record), self.content(savoie, record))
        savoie.run('resolve', 'actor', record, 'description', '--value', 'A et B', person='Awa')
        self.wait_identical()
        for node in (lyon, savoie):
            self.assertEqual(self.conflicts(node), {})
            self.assertEqual(self.content(node, record)['description'], 'A et B')

    def test_a_delete_that_meets_an_edit_stays_readable(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        record = self.create(lyon, 'title=Stand', 'participants=100', kind='event')
        self.wait_identical()
        savoie.run('pause', 'lyon')
        lyon.run('delete', 'event', record)
        savoie.run('edit', 'event', record, 'participants=120')
        savoie.run('resume', 'lyon')
        self.wait_identical()
        for node in (lyon, savoie):
            self.assertIn((record, 'deleted'), self.conflicts(node))
            self.assertEqual(self.content(node, record, 'event')['participants'], 120)

    def test_a_deletion_that_met_an_edit_is_settled_for_everyone(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        record = self.create(lyon, 'title=Stand', kind='event')
        self.wait_identical()
        savoie.run('pause', 'lyon')
        lyon.run('delete', 'event', record)
        savoie.run('edit', 'event', record, 'participants=120')
        savoie.run('resume', 'lyon')
        self.wait_identical()
        versions = self.conflicts(lyon)[record, 'deleted']
        keep = next(version['version'] for version in versions if version['text'] == 'fiche supprimée')
        lyon.run('resolve', 'event', record, 'deleted', '--keep', str(keep))
        self.wait_identical()
        for node in (lyon, savoie):
            self.assertEqual((self.conflicts(node), node.ask('list', 'event')), ({}, []))

    def test_exports_of_equal_sites_are_equal_bytes(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        for number in range(20):
            self.create((lyon, savoie)[number % 2], f'name=Acteur {number}', 'sdgs+=4', 'sdgs+=13')
        self.wait_identical()
        for form in ('csv', 'jsonl'):
            self.assertEqual(lyon.run('export', 'actor', '--format', form), savoie.run('export', 'actor', '--format', form))

    def test_sync_answers_when_the_two_are_equal(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        record = self.create(lyon, 'name=CIEDEL')
        savoie.run('sync', lyon.address)
        self.assertEqual(self.content(savoie, record)['name'], 'CIEDEL')

    def test_peers_say_who_is_offline(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        self.wait_identical()
        lyon.stop()
        states = wait_until('la Savoie voit Lyon hors ligne',
                            lambda: [peer['state'] for peer in savoie.ask('peers')],
                            lambda states: states == ['OFFLINE'], limit=30)
        self.assertEqual(states, ['OFFLINE'])


if __name__ == '__main__':
    unittest.main()
