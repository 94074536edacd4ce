"""The four real files, through the command line, into a real node."""

import unittest

from nodes import DATA, NodesTest

FILES = ('acteurs-reseau.csv', 'projets-reseau.csv', 'evenements-2021.csv')


class ImportTest(NodesTest):
    def setUp(self):
        super().setUp()
        self.node = self.start('lyon')

    def import_file(self, path, *options: str) -> str:
        return self.node.run('import', str(path), *options, person='Camille')

    def count(self, kind: str) -> int:
        counts = {each['kind']: int(each.get('records', 0)) for each in self.node.status()['kinds']}
        return counts.get(kind, 0)

    def records(self, kind: str, *options: str) -> list[dict]:
        return [record['content'] for record in self.node.ask('list', kind, '--page-size', '1000', *options)]

    def test_figures_of_the_events(self):
        for file in FILES:
            self.import_file(DATA / file)
        events = self.records('event')
        self.assertEqual(len(events), 49)
        known = [event['participants'] for event in events if 'participants' in event]
        self.assertEqual((len(known), sum(known)), (39, 807))
        self.assertEqual(len([event for event in events if event.get('mode') == 'ONLINE']), 29)
        places = [event['department'] for event in events if 'department' in event]
        self.assertEqual({place: places.count(place) for place in places},
                         {'69': 12, '74': 4, '38': 2, '07': 1, '01': 1})
        self.assertIn(['2021-03-23', '2021-03-26', '2021-04-07'], [sorted(event.get('dates', [])) for event in events])

    def test_a_second_import_changes_nothing(self):
        for file in FILES:
            self.import_file(DATA / file)
        root = self.node.status()['root']
        for file in FILES:
            self.import_file(DATA / file)
        self.assertEqual(self.node.status()['root'], root)

    def test_a_dry_run_changes_nothing(self):
        root = self.node.status()['root']
        self.import_file(DATA / FILES[0], '--dry-run')
        self.assertEqual(self.node.status()['root'], root)

    def test_windows_1252_gives_the_same(self):
        text = (DATA / FILES[0]).read_text(encoding='utf-8')
        copy = self.folder / FILES[0]
        copy.write_bytes(text.encode('cp1252'))
        self.import_file(copy)
        root = self.node.status()['root']
        self.assertIn('Conseil départemental de l’Allier', [actor['name'] for actor in self.records('actor')])
        self.import_file(DATA / FILES[0])
        self.assertEqual(self.node.status()['root'], root)

    def test_a_broken_line_is_refused_and_can_be_corrected(self):
        lines = (DATA / 'collectivites-ara.csv').read_text(encoding='utf-8').splitlines()[:4]
        source, refused = self.folder / 'collectivites-ara.csv', self.folder / 'refus.csv'
        source.write_text('\n'.join(lines).replace('210100020', '210100021') + '\n', encoding='utf-8')
        said = self.node.run('import', str(source), '--refused', str(refused), codes=(0, 1, 2))
        self.assertIn('SIREN', said)
        self.assertEqual(self.count('actor'), 2)
        refused.write_text(refused.read_text(encoding='utf-8').replace('210100021', '210100020'), encoding='utf-8')
        self.import_file(refused)
        self.assertEqual(self.count('actor'), 3)

    def test_partners_become_references_where_the_actor_exists(self):
        for file in FILES:
            self.import_file(DATA / file)
        fund = self.records('project', '--search', 'microprojets')[0]
        parties = [partner['party'] for partner in fund['partners']]
        self.assertTrue(all('actor' in party for party in parties), parties)
        self.assertIn({'text': 'Départements de l’Allier et de la Savoie'}, [each['funder'] for each in fund['funding']])


if __name__ == '__main__':
    unittest.main()
