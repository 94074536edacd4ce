"""`maillage watch` shows what happens while it runs, here and elsewhere."""

import json
import subprocess
import unittest

from nodes import NodesTest, wait_until


class WatchTest(NodesTest):
    def watch(self, node, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen([node.command, '--node', node.address, 'watch', '--output', 'json', *arguments],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_from_a_position_it_tells_what_came_since_then_what_comes(self):
        node = self.start('savoie')
        position = node.status()['feed_head']
        first = node.ask('create', 'actor', 'name=PSS', person='Awa')
        watch = self.watch(node, 'actor', '--after', str(position))
        event = json.loads(watch.stdout.readline())
        self.assertEqual(event['record']['id'], first['id'])
        node.run('edit', 'actor', first['id'], 'sdgs+=4', person='Noé')
        event = json.loads(watch.stdout.readline())
        self.assertEqual((event['change']['person'], event['change']['fields'][0]['field']), ('Noé', 'sdgs'))
        self.assertIsNone(watch.poll())

    def test_it_sees_what_other_sites_write(self):
        lyon = self.start('lyon')
        savoie = self.start('savoie', lyon)
        self.wait_identical()
        watch = self.watch(savoie, 'actor', '--after', str(savoie.status()['feed_head']), '--count', '1')
        lyon.run('create', 'actor', 'name=CIEDEL', person='Camille')
        event = json.loads(watch.stdout.readline())
        self.assertEqual((event['change']['person'], event['change']['site']), ('Camille', 'lyon'))
        self.assertEqual(wait_until('watch --count 1 se termine', watch.poll, lambda code: code is not None, 10), 0)


if __name__ == '__main__':
    unittest.main()
