"""SIGKILL at random moments, under load, again and again: what was acknowledged is there, and retries write once.

MAILLAGE_KILLS says how often (100), MAILLAGE_SEED at which moments.
"""

import collections
import os
import random
import sys
import threading
import unittest
import uuid

import grpc

from nodes import NodesTest
from reflected_client import ReflectedClient

KILLS = int(os.environ.get('MAILLAGE_KILLS', '100'))
SEED = int(os.environ.get('MAILLAGE_SEED', '20210108'))
WRITERS_PER_NODE = 3
RECORDS = 'maillage.v1.RecordService'
ACTOR = {'@type': 'type.googleapis.com/maillage.v1.Actor'}
# The outcome is unknown: the same request has to be sent again.
UNKNOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED,
           grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)


class Writer(threading.Thread):
    """A person at one node who edits records of their own, and sends again what got no answer."""

    def __init__(self, client: ReflectedClient, number: int, stop: threading.Event) -> None:
        super().__init__(name=f'writer-{number}')
        self.random = random.Random(SEED * 1000 + number)
        self.stop = stop
        self.calls = {method: client.unary(RECORDS, method)
                      for method in ('CreateRecord', 'UpdateRecord', 'DeleteRecord')}
        self.descriptions: dict[str, str] = {}
        self.domains: dict[str, set[str]] = collections.defaultdict(set)
        self.deleted: set[str] = set()
        self.written = self.acknowledged = self.retried = 0
        self.refused: list[str] = []

    def run(self) -> None:
        while not self.stop.wait(self.random.uniform(0, 0.01)):
            self.write()

    def write(self) -> None:
        self.written += 1
        value = f'{self.name}/{self.written}'
        name = self.random.choice(list(self.descriptions)) if self.descriptions else None
        choice = self.random.random()
        if name is None or choice < 0.05:
            created = self.send('CreateRecord', {'record': {'content': {**ACTOR, 'name': value, 'description': value}}})
            if created:
                self.descriptions[created['name']] = value
        elif choice < 0.7:
            content = {**ACTOR, 'description': value}
            if self.send('UpdateRecord', {'record': {'name': name, 'content': content}, 'update_mask': 'description'}):
                self.descriptions[name] = value
        elif choice < 0.95:
            if self.send('UpdateRecord', {'record': {'name': name}, 'additions': {**ACTOR, 'domains': [value]}}):
                self.domains[name].add(value)
        elif self.send('DeleteRecord', {'name': name}):
            self.deleted.add(name)
            del self.descriptions[name]

    def send(self, method: str, request: dict) -> dict | None:
        """The answer to a write, however often it has to be sent."""
        request['context'] = {'request_id': str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
                              'person': self.name}
        while True:
            try:
                answer = self.calls[method](request)
                self.acknowledged += 1
                return answer
            except grpc.RpcError as error:
                if error.code() not in UNKNOWN:
                    self.refused.append(f'{method}: {error.code()} {error.details()}')
                    return None
                self.retried += 1
                self.stop.wait(0.02)


class KillTest(NodesTest):
    def client(self, node) -> ReflectedClient:
        client = ReflectedClient(node.address, options=[
            ('grpc.initial_reconnect_backoff_ms', 50), ('grpc.min_reconnect_backoff_ms', 50),
            ('grpc.max_reconnect_backoff_ms', 100)])
        client.learn('maillage.v1.Actor')
        self.addCleanup(client.close)
        return client

    def kill_again_and_again(self, nodes: list, chance: random.Random) -> None:
        load = threading.Event()
        for _ in range(KILLS):
            # Never set: the load goes on for that long.
            load.wait(chance.uniform(0.02, 0.6))
            node = chance.choice(nodes)
            node.kill()
            node.start()
            node.wait_ready()

    def test_nothing_acknowledged_is_lost(self):
        print(f'seed: {SEED}', file=sys.stderr)
        lyon = self.start('lyon')
        nodes = [lyon, self.start('savoie', lyon)]
        stop = threading.Event()
        clients = [self.client(node) for node in nodes]
        writers = [Writer(clients[number % 2], number, stop) for number in range(2 * WRITERS_PER_NODE)]
        for writer in writers:
            writer.start()
        try:
            self.kill_again_and_again(nodes, random.Random(SEED))
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        for writer in writers:
            self.assertEqual(writer.refused, [])
        self.wait_identical(limit=120)
        for client in clients:
            self.check(client, writers)
        for name in {name for writer in writers for name in writer.descriptions}:
            self.assert_each_write_is_one_change(clients[0], name)
        acknowledged = sum(writer.acknowledged for writer in writers)
        retried = sum(writer.retried for writer in writers)
        print(f'figure: SIGKILL of a real daemon under load {KILLS}, acknowledged writes {acknowledged}, '
              f'sent again {retried}, lost 0', file=sys.stderr)
        self.assertGreater(acknowledged, 5 * KILLS)
        self.assertGreater(retried, 0)

    def check(self, client: ReflectedClient, writers: list[Writer]) -> None:
        get = client.unary(RECORDS, 'GetRecord')
        for writer in writers:
            for name, description in writer.descriptions.items():
                content = get({'name': name})['content']
                self.assertEqual(content['description'], description, name)
                self.assertEqual(set(content.get('domains', [])), writer.domains[name], name)
            for name in writer.deleted:
                self.assertTrue(get({'name': name})['deleted'], name)
        by_name = {record['name'] for record in self.all_records(client)}
        self.assertEqual(by_name, {name for writer in writers for name in writer.descriptions})

    def all_records(self, client: ReflectedClient) -> list[dict]:
        records, token = [], ''
        listing = client.unary(RECORDS, 'ListRecords')
        while True:
            page = listing({'kind': 'actor', 'page_size': 500, 'page_token': token})
            records += page.get('records', [])
            token = page.get('next_page_token', '')
            if not token:
                return records

    def assert_each_write_is_one_change(self, client: ReflectedClient, name: str) -> None:
        history = client.unary(RECORDS, 'ListRecordChanges')({'name': name, 'page_size': 1000})
        values = [field['value'] for change in history['changes'] for field in change.get('fields', [])
                  if field['field'] in ('description', 'domains')]
        self.assertEqual(len(values), len(set(values)), f'{name}: one write, several changes')


if __name__ == '__main__':
    unittest.main()
