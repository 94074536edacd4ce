"""Plants a breach of each law in a small tree, and sees it caught; a tree without one passes."""

import json
import tempfile
import unittest
from pathlib import Path

import check_style
import cpp_text


def long_function(head: str, lines: int) -> str:
    return head + ' {\n' + '  Step();\n' * (lines - 2) + '}\n'


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.plant('README.md', 'Maillage\n')
        for name in check_style.LAYOUT:
            self.plant(f'{name}/README.md', f'{name}\n')

    def plant(self, path: str, text: str):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')

    def breaches(self, compiled: list[str] | None = None) -> list[tuple[str, int, str]]:
        commands = None
        if compiled is not None:
            commands = self.root / 'build' / 'compile_commands.json'
            self.plant('build/compile_commands.json', json.dumps(
                [{'directory': str(self.root / 'build'), 'file': str(self.root / path)} for path in compiled]))
        return [(breach.path, breach.line, breach.law) for breach in check_style.check(self.root, commands)]

    def assert_one(self, path: str, line: int, law: str):
        self.assertEqual(self.breaches(), [(path, line, law)])


class LawsTest(Tree):
    def test_a_tidy_tree_passes(self):
        self.plant('server/node.h', '#ifndef MAILLAGE_SERVER_NODE_H_\n#define MAILLAGE_SERVER_NODE_H_\n'
                   '#include <grpcpp/grpcpp.h>\n#include "replication/replica.h"\n'
                   '#endif  // MAILLAGE_SERVER_NODE_H_\n')
        self.plant('storage/rocks_store.cc', '#include <rocksdb/db.h>\n#include "proto/records.pb.h"\n')
        self.plant('replication/clock.cc', '// time() is passed in; std::mutex is not needed.\n'
                   'const char* kText = "random_device";\nint64_t t = change.time();\n')
        self.assertEqual(self.breaches(compiled=['storage/rocks_store.cc', 'replication/clock.cc']), [])

    def test_storage_may_not_include_replication(self):
        self.plant('storage/keys.cc', '#include "proto/change.pb.h"\n#include "replication/merge.h"\n')
        self.assert_one('storage/keys.cc', 2, 'include direction')

    def test_client_may_not_include_server(self):
        self.plant('client/cli.cc', '#include "server/node.h"\n')
        self.assert_one('client/cli.cc', 1, 'include direction')

    def test_proto_includes_itself_alone(self):
        self.plant('proto/text_fold.cc', '#include "proto/text_fold.h"\n#include "storage/store.h"\n')
        self.assert_one('proto/text_fold.cc', 2, 'include direction')

    def test_rocksdb_stays_behind_the_port(self):
        self.plant('server/main.cc', '#include <rocksdb/db.h>\n')
        self.assert_one('server/main.cc', 1, 'library behind its port')

    def test_grpc_stays_in_server_and_client(self):
        self.plant('storage/a.cc', '#include <grpcpp/grpcpp.h>\n')
        self.plant('replication/b.cc', '#include "proto/sync.grpc.pb.h"\n')
        self.assertEqual(self.breaches(), [('replication/b.cc', 1, 'library behind its port'),
                                           ('storage/a.cc', 1, 'library behind its port')])

    def test_the_core_has_no_clock_thread_chance_or_socket(self):
        impure = ['#include <mutex>', '#include <chrono>\nauto t = std::chrono::system_clock::now();',
                  'int t = time(nullptr);', 'std::random_device seed;', 'absl::Time t = absl::Now();',
                  'int s = socket(1, 2, 3);', '#include "absl/synchronization/mutex.h"', 'int r = std::rand();']
        for text in impure:
            with self.subTest(text):
                self.plant('replication/replica.cc', text + '\n')
                self.assert_one('replication/replica.cc', text.count('\n') + 1, 'pure core')

    def test_a_source_that_no_build_compiles(self):
        self.plant('tests/storage/store_test.cc', 'int x;\n')
        self.plant('server/dead.cc', 'int x;\n')
        self.assertEqual(self.breaches(compiled=['tests/storage/store_test.cc']),
                         [('server/dead.cc', 1, 'every source is built')])

    def test_function_length(self):
        self.plant('server/a.cc', 'namespace maillage {\n' +
                   long_function('void Short()', check_style.MAX_FUNCTION_LINES) +
                   long_function('template <class T>\nvoid Long(T x) const', check_style.MAX_FUNCTION_LINES) +
                   '}  // namespace maillage\n')
        self.assert_one('server/a.cc', 2 + check_style.MAX_FUNCTION_LINES, 'function length')

    def test_unbalanced_braces_are_told(self):
        self.plant('server/a.cc', 'void F() {\n')
        self.assert_one('server/a.cc', 1, 'function length')

    def test_file_length(self):
        self.plant('deploy/long.sh', 'true\n' * (check_style.MAX_FILE_LINES + 1))
        self.assert_one('deploy/long.sh', 1, 'file length')

    def test_unfinished(self):
        self.plant('server/a.cc', '// TO' 'DO: later\n')
        self.assert_one('server/a.cc', 1, 'finished')

    def test_sleep_in_tests(self):
        for path, text in [('tests/a_test.cc', 'absl::SleepFor(absl::Seconds(1));'), ('tests/a.sh', '  sleep 1'),
                           ('tests/a.py', 'time.sleep(1)')]:
            with self.subTest(path):
                self.plant(path, text + '\n')
                self.assert_one(path, 1, 'no sleep in tests')
                (self.root / path).unlink()

    def test_header_guard(self):
        self.plant('client/import/table.h', '#ifndef TABLE_H\n#define TABLE_H\n#endif\n')
        self.assertEqual(self.breaches(), [('client/import/table.h', 1, 'header guard')] * 3)

    def test_missing_readme(self):
        (self.root / 'storage/README.md').unlink()
        self.assert_one('storage/README.md', 1, 'every folder says what it is')

    def test_machine_path(self):
        self.plant('deploy/run.sh', 'cd /ho' 'me/alice/maillage\n')
        self.assert_one('deploy/run.sh', 1, 'no path of one machine')


class CppTextTest(unittest.TestCase):
    def heads(self, text: str) -> list[str]:
        return [function.head for function in cpp_text.functions(text)]

    def test_classes_and_namespaces_are_entered(self):
        self.assertEqual(self.heads('namespace a::b { class C final : public D<int> { public: int F() const { } };'
                                    ' struct E { E() {} }; }'), ['public: int F() const', 'E()'])

    def test_constructors_with_braced_members(self):
        self.assertEqual(self.heads('C::C() : a_{1}, b_(2) { if (x) { y(); } }')[-1], ', b_(2)')

    def test_tables_and_enums_are_no_functions(self):
        self.assertEqual(self.heads('constexpr int kTable[] = { 1, 2 };\nenum class E : int { kA, kB };'), [])

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = 'void F() { G("{", \'{\', R"x({{)x", 1\'000); /* { */ // {\n}\nvoid H() {}\n'
        self.assertEqual(self.heads(text), ['void F()', 'void H()'])

    def test_a_function_that_returns_a_struct(self):
        self.assertEqual(self.heads('struct Foo Make(int x) { return {x}; }'), ['struct Foo Make(int x)'])

    def test_extern_c_is_entered(self):
        self.assertEqual(self.heads('extern "C" { int F() { return 1; } }'), ['int F()'])


if __name__ == '__main__':
    unittest.main()
