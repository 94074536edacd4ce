"""Every site of a network sees every other, also those that it never meets, and what has arrived where."""

import datetime
import sys
import unittest

from nodes import NodesTest, ROOT, free_ports, wait_until

sys.path.insert(0, str(ROOT / 'deploy' / 'demo'))

import joining  # noqa: E402


def standing(node, site: str) -> dict:
    return {each['site']: each for each in node.status()['fleet']}[site]


def link(node, site: str, other: str) -> str:
    return {each['site']: each['state'] for each in standing(node, site).get('links', [])}.get(other, '')


class FleetTest(NodesTest):
    """Savoie and Isère call Lyon; they never meet."""

    def setUp(self):
        super().setUp()
        self.lyon = self.node('lyon', free_ports(1)[0])
        joining.found(self.lyon, 'RESACOOP', self.folder / 'secours.key')
        self.lyon.start()
        self.lyon.wait_ready()
        self.savoie = self.member('savoie', '--territory', '73')
        self.isere = self.member('isere', '--territory', '38')

    def member(self, name: str, *options: str):
        node = self.node(name, free_ports(1)[0], self.lyon)
        joining.join(self.lyon, node, *options)
        node.start()
        node.wait_ready()
        return node

    def wait_everywhere(self, node, after: str) -> dict:
        return wait_until(f'{node.name} sait que tout est partout', node.status,
                          lambda status: status.get('everywhere_time', '') > after, limit=90)

    def test_all_see_all_and_what_is_everywhere(self):
        began = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        self.savoie.run('create', 'actor', 'name=Amis du Mali', 'department=73')
        for node in (self.lyon, self.savoie, self.isere):
            status = self.wait_everywhere(node, began)
            self.assertEqual([each['site'] for each in status['fleet']], ['isere', 'lyon', 'savoie'])
        told = standing(self.isere, 'savoie')
        self.assertEqual((told['scope'], told['root'], told['version']),
                         ('73', self.savoie.status()['root'], self.savoie.status()['version']))
        self.assertEqual([kind['records'] for kind in told['kinds'] if kind['kind'] == 'actor'], [1])
        self.assertIn('est partout', self.isere.run('status'))
        self.assertIn('relié à lyon', self.isere.run('status'))

        # Savoie goes; Isère, which never meets it, sees within seconds that Lyon has lost it.
        self.assertIn(link(self.isere, 'lyon', 'savoie'), ('UP_TO_DATE', 'SYNCING', 'BEHIND'))
        self.savoie.stop()
        wait_until('Isère voit la Savoie coupée', lambda: link(self.isere, 'lyon', 'savoie'), lambda state: state == 'OFFLINE', limit=30)
        for number in range(3):
            self.lyon.run('create', 'actor', f'name=Acteur {number}', 'department=73')
        lack = wait_until('Lyon sait ce qui lui manque', lambda: standing(self.lyon, 'savoie'),
                          lambda it: int(it.get('lacking_changes', 0)) >= 3)
        self.assertIn('lacking_since_time', lack)

        # It comes back and has all: everybody knows.
        again = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        self.savoie.start()
        self.savoie.wait_ready()
        self.wait_everywhere(self.isere, again)
        self.assertEqual(int(standing(self.lyon, 'savoie').get('lacking_changes', 0)), 0)

    def test_what_it_knew_is_there_after_a_restart_without_a_network(self):
        wait_until('Isère entend la Savoie', lambda: 'report_time' in standing(self.isere, 'savoie'), bool, limit=60)
        wait_until('et l’a noté', lambda: standing(self.isere, 'isere').get('complete_time', ''), bool, limit=60)
        self.lyon.stop()
        self.savoie.stop()
        self.isere.stop()
        self.isere.start()
        self.isere.wait_ready()
        self.assertIn('report_time', standing(self.isere, 'savoie'))


if __name__ == '__main__':
    unittest.main()
