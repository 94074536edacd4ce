"""What was acknowledged is there after any end of the process."""

import unittest

from nodes import NodesTest


class CrashTest(NodesTest):
    def names(self, node) -> list[str]:
        return [record['content']['name']
                for record in node.ask('list', 'actor', '--order-by', 'name')]

    def test_sigterm_ends_in_order(self):
        node = self.start('savoie')
        node.run('create', 'actor', 'name=PSS')
        self.assertEqual(node.stop(), 0)
        node.start()
        node.wait_ready()
        self.assertEqual(self.names(node), ['PSS'])

    def test_linked_nodes_end_in_order_at_the_same_moment(self):
        for round_number in range(8):
            lyon = self.start(f'lyon-{round_number}')
            savoie = self.start(f'savoie-{round_number}', lyon)
            for node in (lyon, savoie):
                node.process.terminate()
            self.assertEqual((lyon.stop(), savoie.stop()), (0, 0))

    def test_sigkill_right_after_the_answer_loses_nothing(self):
        node = self.start('savoie')
        for number in range(5):
            node.run('create', 'actor', f'name=Acteur {number}')
            node.kill()
            node.start()
            node.wait_ready()
        self.assertEqual(self.names(node), [f'Acteur {number}' for number in range(5)])

    def test_a_killed_node_catches_up_and_goes_on_writing(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        record = savoie.ask('create', 'actor', 'name=PSS')['id']
        self.wait_identical()
        savoie.kill()
        lyon.run('edit', 'actor', record, 'sdgs+=4')
        savoie.start()
        savoie.wait_ready()
        savoie.run('edit', 'actor', record, 'sdgs+=13')
        self.wait_identical()
        for node in (lyon, savoie):
            self.assertEqual(node.ask('get', 'actor', record)['content']['sdgs'], ['13', '4'])

    def test_two_nodes_on_one_folder_are_refused(self):
        node = self.start('savoie')
        other = self.node('savoie', 0)
        other.start()
        self.assertNotEqual(other.process.wait(timeout=20), 0)
        other.process = None
        self.assertTrue(node.answers())


if __name__ == '__main__':
    unittest.main()
