"""A client that isn't ours finds the services by reflection and uses them."""

import unittest

import grpc

from nodes import NodesTest, record_id
from reflected_client import ReflectedClient

RECORDS = 'maillage.v1.RecordService'
STATUS = 'maillage.v1.StatusService'


class ServicesTest(NodesTest):
    def setUp(self):
        super().setUp()
        self.node = self.start('savoie')
        self.client = ReflectedClient(self.node.address)
        self.addCleanup(self.client.close)
        self.client.learn('maillage.v1.Actor')

    def create(self, **content) -> dict:
        return self.client.call(RECORDS, 'CreateRecord', {
            'record': {'content': {'@type': 'type.googleapis.com/maillage.v1.Actor', **content}},
            'context': {'person': 'Awa'}})

    def test_reflection_lists_every_service(self):
        services = self.client.services()
        for service in (RECORDS, STATUS, 'maillage.v1.SyncService', 'grpc.health.v1.Health'):
            self.assertIn(service, services)

    def test_reflection_describes_methods(self):
        self.assertIn('ListRecords', self.client.methods(RECORDS))
        self.assertEqual(self.client.methods('maillage.v1.SyncService'), ['Sync'])

    def test_health_is_serving(self):
        self.assertEqual(self.client.health(), 'SERVING')

    def test_the_kinds_are_those_of_the_proto(self):
        kinds = {kind['kind']['name']: kind['message_type']
                 for kind in self.client.call(RECORDS, 'ListKinds')['kinds']}
        self.assertLessEqual({'actor': 'maillage.v1.Actor', 'project': 'maillage.v1.Project',
                              'event': 'maillage.v1.Event'}.items(), kinds.items())

    def test_create_then_get_then_list(self):
        created = self.create(name='Amis du Mali', departments=['73'])
        self.assertRegex(created['name'], r'^actor/[0-9a-f]{8}-[0-9a-f]{4}-7')
        got = self.client.call(RECORDS, 'GetRecord', {'name': created['name']})
        self.assertEqual((got['content']['name'], got['etag']), ('Amis du Mali', created['etag']))
        listed = self.client.call(RECORDS, 'ListRecords', {'kind': 'actor', 'filter': 'departments:73'})
        self.assertEqual([record['name'] for record in listed['records']], [created['name']])

    def test_a_retried_create_makes_one_record(self):
        request = {'record': {'content': {'@type': 'type.googleapis.com/maillage.v1.Actor', 'name': 'ADOS'}},
                   'context': {'request_id': '0c1f6a4e-5a3b-4f0e-9f57-2f7f3f0f7a10', 'person': 'Awa'}}
        first, second = (self.client.call(RECORDS, 'CreateRecord', request) for _ in range(2))
        self.assertEqual(first['name'], second['name'])
        self.assertEqual(len(self.client.call(RECORDS, 'ListRecords', {'kind': 'actor'})['records']), 1)

    def test_a_write_after_an_old_reading_keeps_what_came_between(self):
        read = self.create(name='ADOS', description='lu')

        def write(description: str, person: str) -> dict:
            return self.client.call(RECORDS, 'UpdateRecord', {
                'record': {'name': read['name'], 'etag': read['etag'], 'content': {
                    '@type': 'type.googleapis.com/maillage.v1.Actor', 'description': description}},
                'update_mask': 'description', 'context': {'person': person}})

        write('A', 'Awa')
        self.assertEqual(write('B', 'Camille')['conflicting_fields'], ['description'])
        conflict, = self.client.call(RECORDS, 'ListConflicts')['conflicts']
        self.assertEqual({(version['value'], version['person']) for version in conflict['fields'][0]['versions']},
                         {('A', 'Awa'), ('B', 'Camille')})

    def test_pages_follow_each_other(self):
        names = {self.create(name=f'Acteur {number}')['name'] for number in range(5)}
        seen, token = [], ''
        while True:
            page = self.client.call(RECORDS, 'ListRecords', {'kind': 'actor', 'page_size': 2, 'page_token': token})
            self.assertLessEqual(len(page['records']), 2)
            seen += [record['name'] for record in page['records']]
            token = page.get('next_page_token', '')
            if not token:
                break
        self.assertEqual((len(seen), set(seen)), (5, names))

    def test_what_does_not_exist_is_not_found(self):
        with self.assertRaises(grpc.RpcError) as failure:
            self.client.call(RECORDS, 'GetRecord', {'name': 'actor/018f3c1e-0000-7000-8000-000000000000'})
        self.assertEqual(failure.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_a_wrong_format_names_the_field(self):
        with self.assertRaises(grpc.RpcError) as failure:
            self.create(name='ADOS', departments=['7300'])
        self.assertEqual(failure.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn('departments', failure.exception.details())

    def test_status_counts_what_is_there(self):
        before = self.client.call(STATUS, 'GetStatus')
        self.create(name='ADOS')
        after = self.client.call(STATUS, 'GetStatus')
        self.assertEqual(after['site'], 'savoie')
        self.assertNotEqual(after['root'], before['root'])
        self.assertEqual({kind['kind']: kind.get('records', '0') for kind in after['kinds']}['actor'], '1')

    def test_ids_of_the_node_and_the_command_line_agree(self):
        created = self.create(name='ADOS')
        self.assertIn('ADOS', self.node.run('get', 'actor', record_id(created)))


if __name__ == '__main__':
    unittest.main()
