"""Relays that hold their département: what they get, what moves, and what the administrator says."""

import unittest

from nodes import DATA, NodesTest, free_ports, record_id, wait_until


def roots(node, *territories: str) -> dict:
    """The roots of a node by kind and territory, of these alone; '' is the whole region."""
    return {(row['kind'], row.get('territory', '')): (row['records'], row['root'])
            for row in node.status().get('partitions', []) if row.get('territory', '') in territories}


class ScopeTest(NodesTest):
    def start_scoped(self, name: str, scope: str, *peers):
        node = self.node(name, free_ports(1)[0], *peers)
        node.scope = scope
        node.start()
        node.wait_ready()
        return node

    def setUp(self):
        super().setUp()
        self.lyon = self.start('lyon')
        self.savoie = self.start_scoped('savoie', '73', self.lyon)
        self.isere = self.start_scoped('isere', '38', self.lyon)

    def settle(self):
        """Until each relay holds what Lyon holds of its territory, and nothing waits to be handed over."""
        def state():
            return [(roots(relay, *relay.scope.split(','), '') == roots(self.lyon, *relay.scope.split(','), ''),
                     int(relay.status().get('leaving_records', 0))) for relay in (self.savoie, self.isere)]
        wait_until('Chaque relais tient son territoire', state, lambda found: found == [(True, 0)] * 2, 60)

    def test_a_record_moves_while_its_relay_is_away_and_edits_it(self):
        for file in ('acteurs-reseau.csv', 'collectivites-ara.csv'):
            self.lyon.run('import', str(DATA / file), '--refused', str(self.folder / 'refusées.csv'), codes=(0, 1, 2))
        self.settle()
        everything = len(self.lyon.ask('list', 'actor'))
        held = self.savoie.ask('list', 'actor')
        self.assertTrue(0 < len(held) < everything, (len(held), everything))
        moved = next(actor for actor in held if actor['content'].get('department') == '73')
        name = record_id(moved)

        # Away for the day, as the laptop of a village hall.
        self.savoie.run('pause', 'lyon')
        self.savoie.run('edit', 'actor', name, 'description=Écrit en Savoie, hors ligne')
        self.lyon.run('edit', 'actor', name, 'department=38', 'departments=38')
        wait_until('L’Isère a la fiche', lambda: self.isere.run('get', 'actor', name, codes=(0, 1)),
                   lambda said: '38' in said, 60)
        self.savoie.run('resume', 'lyon')
        self.settle()

        for node in (self.lyon, self.isere):
            self.assertEqual(node.ask('get', 'actor', name)['content']['description'], 'Écrit en Savoie, hors ligne')
        self.assert_refused('a quitté ce site le', self.savoie, 'get', 'actor', name, code=1)
        self.assert_refused('département 38 ; lyon', self.savoie, 'edit', 'actor', name, 'description=x', code=1)
        # Fails where anything is damaged.
        self.savoie.run('doctor')

        # And back again.
        self.isere.run('edit', 'actor', name, 'department=73', 'departments=73')
        self.settle()
        self.assertEqual(self.savoie.ask('get', 'actor', name)['content']['description'],
                         'Écrit en Savoie, hors ligne')
        self.assert_refused('a quitté ce site le', self.isere, 'get', 'actor', name, code=1)

    def test_the_administrator_says_what_a_site_holds(self):
        for number in range(30):
            self.lyon.run('create', 'actor', f'name=Iséroise {number}', 'department=38')
        self.settle()
        sites = {site['site']: site for site in self.lyon.ask('sites')}
        self.assertEqual({name: site['scope'] for name, site in sites.items()},
                         {'lyon': '*', 'savoie': '73', 'isere': '38'})
        self.assertIn('lyon (ce nœud)', self.lyon.run('sites'))

        preview = self.lyon.run('sites', 'set-scope', 'savoie', '73,38', '--dry-run')
        self.assertIn('73 → 38, 73', preview)
        self.assertIn('entrent : 30', preview)
        self.assertIn('Rien n\'a été écrit', preview)
        self.assertEqual(self.savoie.status()['scope'], '73')

        self.lyon.run('sites', 'set-scope', 'savoie', '73,38')
        self.savoie.scope = '73,38'
        self.settle()
        self.assertEqual(len(self.savoie.ask('list', 'actor')), 30)
        # The list wins over the flag, and says so.
        self.savoie.scope = '73'
        self.savoie.stop()
        self.savoie.start()
        self.savoie.wait_ready()
        self.assertEqual(self.savoie.status()['scope'], '38,73')
        self.assertIn('scope of the list of sites wins', self.savoie.last_words(40))

        self.lyon.run('sites', 'set-scope', 'savoie', '73')
        self.settle()
        self.assertEqual(self.savoie.ask('list', 'actor'), [])

        wrong = self.node('faux', free_ports(1)[0])
        wrong.scope = '7x'
        wrong.start()
        self.assertEqual(wrong.process.wait(timeout=20), 1)
        wrong.process = None
        self.assertIn('--scope 7x', wrong.last_words())

        self.assert_refused('chambery', self.lyon, 'sites', 'set-scope', 'chambery', '73', code=1)
        self.assert_refused('7X', self.lyon, 'sites', 'set-scope', 'savoie', '7x', code=1)
        self.assert_refused('acteur', self.lyon, 'sites', 'set-scope', 'savoie', '73|acteur', code=1)


if __name__ == '__main__':
    unittest.main()
