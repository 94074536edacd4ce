"""The HTTP door of running nodes, and a real Prometheus that reads it: the board shows something, an alert fires and clears."""

import json
import re
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from nodes import NodesTest, ROOT, free_ports, wait_until

sys.path.insert(0, str(ROOT / 'deploy' / 'demo'))

import joining  # noqa: E402

BOARD = ROOT / 'deploy' / 'grafana' / 'maillage.json'
RULES = ROOT / 'deploy' / 'prometheus' / 'maillage.rules.yml'


def fetch(address: str, path: str, host: str = '') -> tuple[int, str]:
    request = urllib.request.Request(f'http://{address}{path}', headers={'Host': host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class PrometheusTest(NodesTest):
    def with_http(self, name: str, *peers):
        node = self.node(name, free_ports(1)[0], *peers)
        node.http = f'127.0.0.1:{free_ports(1)[0]}'
        return node

    def start_prometheus(self, *nodes) -> str:
        address = f'127.0.0.1:{free_ports(1)[0]}'
        # Each node under its own name.
        targets = ''.join(f"      - targets: ['{node.http}']\n        labels: {{instance: {node.name}}}\n" for node in nodes)
        config = self.folder / 'prometheus.yml'
        config.write_text(f"""global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{RULES}']
scrape_configs:
  - job_name: maillage
    static_configs:
{targets}""")
        log = (self.folder / 'prometheus.log').open('ab')
        self.addCleanup(log.close)
        process = subprocess.Popen(['prometheus', f'--config.file={config}', f'--storage.tsdb.path={self.folder / "tsdb"}',
                                    f'--web.listen-address={address}'], stdout=log, stderr=log)

        def stop():
            process.terminate()
            process.wait(timeout=20)

        self.addCleanup(stop)
        return address

    def query(self, prometheus: str, expression: str) -> dict[str, float]:
        """Values by instance; nothing while Prometheus isn't ready."""
        try:
            _, body = fetch(prometheus, '/api/v1/query?query=' + urllib.parse.quote(expression))
        except OSError:
            return {}
        answer = json.loads(body) if body.startswith('{') else {}
        return {row['metric']['instance']: float(row['value'][1]) for row in answer.get('data', {}).get('result', [])}

    def test_the_door_answers_this_machine_alone(self):
        node = self.with_http('savoie')
        node.start()
        node.wait_ready()
        self.assertEqual(fetch(node.http, '/livez'), (200, '{"alive":true}\n'))
        self.assertEqual(fetch(node.http, '/readyz'), (200, '{"ready":true}\n'))
        self.assertEqual(fetch(node.http, '/metrics', host='evil.test')[0], 421)
        self.assertEqual(fetch(node.http, '/')[0], 404)
        metrics = fetch(node.http, '/metrics')[1]
        self.assertIn('maillage_store_writable 1', metrics)
        self.assertNotIn('maillage_backup_timestamp_seconds', metrics)
        node.run('backup', str(self.folder / 'copie'))
        self.assertIn('maillage_backup_timestamp_seconds', fetch(node.http, '/metrics')[1])
        self.assertIn('backup_time', node.status())
        checked = subprocess.run(['promtool', 'check', 'metrics'], input=metrics, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stderr), (0, ''))
        for address, said in (('0.0.0.0:7180', "n'écoute que sur sa propre machine"), (node.http, 'prise'), ('x', 'HÔTE:PORT')):
            other = self.with_http(f'autre-{len(self.nodes)}')
            other.http = address
            other.start()
            self.assertNotEqual(other.process.wait(timeout=20), 0)
            other.process = None
            self.assertIn(said, other.last_words())

    def ask(self, prometheus: str, expression: str) -> list:
        """All that an expression finds; fails where it is none."""
        status, body = fetch(prometheus, '/api/v1/query?query=' + urllib.parse.quote(expression))
        self.assertEqual(status, 200, f'{expression} : {body}')
        return json.loads(body)['data']['result']

    def test_every_panel_of_the_board_shows_something(self):
        board = json.loads(BOARD.read_text(encoding='utf-8'))
        lyon = self.with_http('lyon')
        joining.found(lyon, 'RESACOOP', self.folder / 'secours.key')
        savoie = self.with_http('savoie', lyon)
        lyon.start()
        lyon.wait_ready()
        joining.join(lyon, savoie, '--territory', '73')
        savoie.start()
        savoie.wait_ready()
        prometheus = self.start_prometheus(lyon, savoie)
        savoie.run('create', 'actor', 'name=Amis du Mali', 'department=73')
        lyon.run('backup', str(self.folder / 'copie'))
        self.assertEqual(self.shapes_that_overlap(board['panels']), [])
        wait_until('Prometheus voit les deux', lambda: self.query(prometheus, 'up{job="maillage"} == 1'), lambda seen: len(seen) == 2)
        for panel in board['panels']:
            self.assertTrue(panel['description'] and panel['fieldConfig']['defaults']['unit'], panel['title'])
            for target in panel['targets']:
                expression = target['expr'].replace('$instance', '.*').replace('$__rate_interval', '1m')
                wait_until(f'{panel["title"]} : {expression}', lambda asked=expression: self.ask(prometheus, asked), bool)
                labels = self.ask(prometheus, expression)[0]['metric'].keys()
                for label in re.findall(r'{{(\w+)}}', target['legendFormat']):
                    self.assertIn(label, labels, panel['title'])

    @staticmethod
    def shapes_that_overlap(panels: list) -> list:
        taken: dict[tuple[int, int], str] = {}
        overlapping = []
        for panel in panels:
            place = panel['gridPos']
            cells = [(x, y) for x in range(place['x'], place['x'] + place['w']) for y in range(place['y'], place['y'] + place['h'])]
            if place['x'] + place['w'] > 24 or any(cell in taken for cell in cells):
                overlapping.append(panel['title'])
            taken.update((cell, panel['title']) for cell in cells)
        return overlapping

    def test_an_alert_fires_and_clears(self):
        lyon = self.with_http('lyon')
        recovery = self.folder / 'secours.key'
        joining.found(lyon, 'RESACOOP', recovery)
        ardeche = self.with_http('ardeche', lyon)
        savoie = self.with_http('savoie', lyon, ardeche)
        lyon.start()
        lyon.wait_ready()
        joining.join(lyon, ardeche, '--territory', '07,73')
        joining.join(lyon, savoie, '--territory', '73')
        for node in (ardeche, savoie):
            node.start()
            node.wait_ready()
        prometheus = self.start_prometheus(lyon, ardeche, savoie)
        wait_until('Prometheus voit les trois', lambda: self.query(prometheus, 'up{job="maillage"} == 1'),
                   lambda seen: len(seen) == 3)
        actor = savoie.ask('create', 'actor', 'name=Amis du Mali', 'department=73')['id']
        savoie.run('sync', lyon.address)
        wait_until('l’Ardèche l’a', lambda: ardeche.ask('list', 'actor'), bool)
        firing = 'ALERTS{alertname="MaillageQuarantine", alertstate="firing"}'
        self.assertEqual(self.query(prometheus, firing), {})

        waits = 'maillage_peer_oldest_unsent_timestamp_seconds{peer="lyon"}'
        told = fetch(ardeche.http, '/metrics')[1]
        self.assertIn('maillage_peer_antenna{peer="lyon"} 1\n', told)
        self.assertIn('maillage_peer_round_trip_seconds{peer="lyon"} 0.0', told)
        self.assertNotIn(waits, told)

        # Stolen, and put out; what it writes reaches whoever hasn't heard.
        ardeche.run('pause', lyon.address)
        before = time.time()
        ardeche.ask('create', 'actor', 'name=Attend', 'department=07')
        [line] = [line for line in fetch(ardeche.http, '/metrics')[1].splitlines() if line.startswith(waits)]
        self.assertAlmostEqual(float(line.split()[1]), before, delta=20)
        subprocess.run([lyon.command, 'revoke', 'savoie', '--reason', 'ordinateur volé', '--yes', '--recovery-key', recovery,
                        '--data', lyon.data], check=True, capture_output=True, timeout=60)
        savoie.run('edit', 'actor', actor, 'name=Volé')
        savoie.run('sync', ardeche.address)
        ardeche.run('resume', lyon.address)
        wait_until('L’alerte est là', lambda: self.query(prometheus, firing), lambda alerts: {'lyon', 'ardeche'} <= alerts.keys())
        for node in (lyon, ardeche):
            for row in node.ask('quarantine'):
                node.run('quarantine', 'drop', row['id'])
        wait_until('L’alerte est partie', lambda: self.query(prometheus, firing),
                   lambda alerts: not {'lyon', 'ardeche'} & alerts.keys())


if __name__ == '__main__':
    unittest.main()
