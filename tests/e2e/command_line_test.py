"""`maillage` as a person types it, against a real node."""

import csv
import io
import json
import unittest

from nodes import NodesTest


class CommandLineTest(NodesTest):
    def setUp(self):
        super().setUp()
        self.node = self.start('savoie')

    def create(self, *fields: str, kind: str = 'actor') -> str:
        return self.node.ask('create', kind, *fields, person='Awa')['id']

    def content(self, record: str, kind: str = 'actor') -> dict:
        return self.node.ask('get', kind, record)['content']

    def names(self, *arguments: str) -> list[str]:
        return [record['content']['name'] for record in self.node.ask('list', 'actor', *arguments)]

    def test_create_prints_the_record_its_id_and_etag(self):
        said = self.node.run('create', 'actor', 'name=Amis du Mali', 'departments+=73')
        for text in ('Amis du Mali', '73', 'actor/', 'etag'):
            self.assertIn(text, said)

    def test_edit_sets_adds_and_removes(self):
        record = self.create('name=Amis du Mali', 'sdgs+=4', 'sdgs+=6')
        self.node.run('edit', 'actor', record, 'phone_numbers+=+33 4 65 71 00 73', 'description=À Chambéry', 'sdgs-=4')
        content = self.content(record)
        self.assertEqual((content['sdgs'], content['phone_numbers'], content['description']),
                         (['6'], ['+33 4 65 71 00 73'], 'À Chambéry'))

    def test_edit_clears_a_field(self):
        record = self.create('name=ADOS', 'description=x')
        self.node.run('edit', 'actor', record, 'description=')
        self.assertNotIn('description', self.content(record))

    def test_search_ignores_accents_and_case(self):
        self.create('name=Pays de Savoie Solidaires', 'acronym=PSS')
        self.create('name=Cité de la solidarité internationale')
        self.assertEqual(self.names('--search', 'SAVOIÉ solidaires'), ['Pays de Savoie Solidaires'])
        self.assertEqual(self.names('--search', 'cite'), ['Cité de la solidarité internationale'])

    def test_filter_order_and_pages(self):
        for name in ('Bourg', 'Annecy', 'Chambéry'):
            self.create(f'name={name}', 'departments+=73')
        self.create('name=Lyon', 'departments+=69')
        self.assertEqual(self.names('--filter', 'departments:73', '--order-by', 'name', '--page-size', '2'),
                         ['Annecy', 'Bourg', 'Chambéry'])

    def test_delete_hides_and_history_remembers(self):
        record = self.create('name=ADOS')
        self.node.run('delete', 'actor', record, person='Noé')
        self.assertEqual(self.names(), [])
        self.assertTrue(self.node.ask('get', 'actor', record)['deleted'])
        history = self.node.ask('history', 'actor', record)
        self.assertEqual([change['person'] for change in history], ['Noé', 'Awa'])
        self.assertEqual({change['site'] for change in history}, {'savoie'})

    def test_export_is_the_same_twice_and_readable(self):
        self.create('name=Zèbre', 'sdgs+=6', 'sdgs+=4')
        self.create('name=Amis ; "du" Mali')
        text = self.node.run('export', 'actor', '--format', 'csv')
        self.assertEqual(text, self.node.run('export', 'actor', '--format', 'csv'))
        dialect = ';' if text.splitlines()[0].count(';') else ','
        rows = list(csv.DictReader(io.StringIO(text.lstrip('\ufeff')), delimiter=dialect))
        self.assertEqual({row['name'] for row in rows}, {'Zèbre', 'Amis ; "du" Mali'})
        lines = self.node.run('export', 'actor', '--format', 'jsonl').splitlines()
        self.assertEqual(len([json.loads(line) for line in lines]), 2)

    def test_outputs(self):
        self.create('name=ADOS')
        self.assertIn('ADOS', self.node.run('list', 'actor'))
        self.assertIn('ADOS', self.node.run('list', 'actor', '--output', 'csv'))
        self.assertEqual(self.names(), ['ADOS'])

    def test_wrong_usage_says_what_to_do(self):
        self.assert_refused('--help', self.node, 'crate', 'actor', code=64)
        self.assert_refused('nam', self.node, 'create', 'actor', 'nam=ADOS')
        self.assert_refused('departments', self.node, 'create', 'actor', 'name=ADOS', 'departments+=7300')
        self.assert_refused('acteurs', self.node, 'list', 'acteurs')

    def test_a_node_that_is_not_there(self):
        self.node.stop()
        self.assert_refused(self.node.local, self.node, 'list', 'actor')

    def test_status_for_people_and_for_machines(self):
        self.assertIn('savoie', self.node.run('status'))
        self.assertEqual(self.node.status()['site'], 'savoie')


if __name__ == '__main__':
    unittest.main()
