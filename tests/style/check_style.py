"""Holds the tree to the laws that design.md gives it, and names every place that breaks one.

    check_style.py --root ROOT [--compile-commands FILE]

Exit 0: every law holds. Exit 1: each breach on a line, "path:line: law: what, and what to do". A law with an
exception has it here, beside its reason.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import cpp_text

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 600

LAYOUT = ('proto', 'server', 'client', 'replication', 'storage', 'tests', 'deploy')

# Which folders a folder may include from, itself aside. Tests may include from everywhere.
INCLUDES = {
    'proto': set(),
    'storage': {'proto'},
    'replication': {'proto', 'storage'},
    'server': {'proto', 'storage', 'replication'},
    'client': {'proto'},
}

# A library's headers: the files that may name them, as a regular expression on the path.
LIBRARIES = {
    r'rocksdb/': r'storage/rocks_store\w*\.(?:h|cc)|tests/.*',
    r'(?:grpc|grpcpp|grpc\+\+)/|.*\.grpc\.pb\.h$': r'(?:server|client|tests)/.*',
}

# The replication core is a function of its inputs: no clock, no thread, no chance, no socket, no file.
IMPURE_HEADERS = re.compile(
    r'(?:thread|mutex|shared_mutex|condition_variable|future|atomic|stop_token|semaphore|barrier|latch|fstream'
    r'|filesystem|ctime|time\.h|unistd\.h|pthread\.h|sys/.*|netinet/.*|arpa/.*|absl/synchronization/.*'
    r'|absl/time/clock\.h)$'
)
IMPURE_CODE = re.compile(
    r'\b(?:steady_clock|system_clock|high_resolution_clock|random_device|this_thread|sleep_for|sleep_until'
    r'|clock_gettime|gettimeofday|getenv|thread_local)\b|\babsl::(?:Now|SleepFor)\b'
    r'|(?<![\w.>:])(?:std::)?(?:time|rand|srand|sleep|usleep|socket)\s*\('
)

UNFINISHED = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
SLEEP = re.compile(
    r'\b(?:sleep_for|sleep_until|SleepFor|usleep|nanosleep)\b|(?<![\w.])(?:time\.)?sleep\s*\(|^\s*sleep\s+[\d.$]',
    re.MULTILINE,
)
# Paths that exist on one person's machine only.
MACHINE_PATH = re.compile(r'(?<![\w.}~/-])/(?:home|root|Users|work|workspace|builds|mnt|media)/\w')

CPP = ('.h', '.cc')
TEXT = CPP + ('.proto', '.py', '.sh', '.md', '.txt', '.cmake', '.json', '.toml', '.yml', '.yaml', '.service')


class Breach(NamedTuple):
    path: str
    line: int
    law: str
    what: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: {self.law}: {self.what}'


class File(NamedTuple):
    path: str
    text: str

    @property
    def folder(self) -> str:
        return self.path.split('/')[0] if '/' in self.path else ''

    @property
    def suffix(self) -> str:
        return Path(self.path).suffix

    def line_of(self, position: int) -> int:
        return self.text.count('\n', 0, position) + 1


def files_of(root: Path) -> Iterator[File]:
    """Our own texts; build trees, data and golden bytes aside."""
    for path in sorted(root.rglob('*')):
        relative = path.relative_to(root)
        parts = relative.parts
        if re.match(r'\.git$|build|out$', parts[0]) or '__pycache__' in parts or not path.is_file():
            continue
        if relative.as_posix().startswith(('tests/data/', 'tests/golden/', 'tests/fuzz/corpus/')):
            continue
        if path.suffix in TEXT or (path.suffix == '' and path.read_bytes()[:2] == b'#!'):
            yield File(relative.as_posix(), path.read_text(encoding='utf-8'))


def include_directions(file: File) -> Iterator[Breach]:
    if file.suffix not in CPP:
        return
    for line, included in cpp_text.includes(file.text):
        target = included.split('/')[0]
        allowed = INCLUDES.get(file.folder)
        if allowed is not None and target in LAYOUT and target != file.folder and target not in allowed:
            yield Breach(file.path, line, 'include direction',
                         f'{file.folder}/ includes "{included}"; it may include from '
                         f'{", ".join(sorted(allowed)) or "itself alone"}')
        for library, may in LIBRARIES.items():
            if re.match(library, included) and not re.fullmatch(may, file.path):
                yield Breach(file.path, line, 'library behind its port', f'<{included}> belongs in {may}')


def pure_core(file: File) -> Iterator[Breach]:
    if file.folder != 'replication' or file.suffix not in CPP:
        return
    for line, included in cpp_text.includes(file.text):
        if IMPURE_HEADERS.match(included):
            yield Breach(file.path, line, 'pure core', f'<{included}>: pass it in from server/')
    code = cpp_text.blank(file.text)
    for match in IMPURE_CODE.finditer(code):
        yield Breach(file.path, file.line_of(match.start()), 'pure core',
                     f'{match.group().strip()}: pass it in from server/')


def sizes(file: File) -> Iterator[Breach]:
    lines = file.text.count('\n')
    if file.suffix in CPP + ('.py', '.sh', '.proto') and lines > MAX_FILE_LINES:
        yield Breach(file.path, 1, 'file length', f'{lines} lines, {MAX_FILE_LINES} at most: split it by what it does')
    if file.suffix not in CPP:
        return
    try:
        for function in cpp_text.functions(file.text):
            if function.lines > MAX_FUNCTION_LINES:
                yield Breach(file.path, function.first_line, 'function length',
                             f'{function.lines} lines, {MAX_FUNCTION_LINES} at most: {function.head[:60]}')
    except ValueError as error:
        yield Breach(file.path, 1, 'function length', f'braces that this check can follow: {error}')


def header_guard(file: File) -> Iterator[Breach]:
    if file.suffix != '.h':
        return
    guard = 'MAILLAGE_' + re.sub(r'\W', '_', file.path).upper() + '_'
    wanted = (f'#ifndef {guard}', f'#define {guard}', f'#endif  // {guard}')
    for text in wanted:
        if not re.search(rf'^{re.escape(text)}$', file.text, re.MULTILINE):
            yield Breach(file.path, 1, 'header guard', f'lacks the line "{text}"')


def finished(file: File) -> Iterator[Breach]:
    for match in UNFINISHED.finditer(file.text):
        yield Breach(file.path, file.line_of(match.start()), 'finished', f'{match.group()}: do it, or file an issue')


def no_sleep_in_tests(file: File) -> Iterator[Breach]:
    if file.folder != 'tests' or file.path.startswith('tests/style/'):
        return
    code = cpp_text.blank(file.text) if file.suffix in CPP else file.text
    for match in SLEEP.finditer(code):
        yield Breach(file.path, file.line_of(match.start()), 'no sleep in tests',
                     f'{match.group().strip()}: wait for what you wait for, or drive the clock')


def no_machine_path(file: File) -> Iterator[Breach]:
    for match in MACHINE_PATH.finditer(file.text):
        yield Breach(file.path, file.line_of(match.start()), 'no path of one machine', f'{match.group()}…')


EACH_FILE: tuple[Callable[[File], Iterator[Breach]], ...] = (
    include_directions, pure_core, sizes, header_guard, finished, no_sleep_in_tests, no_machine_path)


def readmes(root: Path) -> Iterator[Breach]:
    for folder in ('.',) + LAYOUT:
        if not (root / folder / 'README.md').is_file():
            yield Breach(f'{folder}/README.md', 1, 'every folder says what it is', 'is missing')


def all_compiled(root: Path, files: list[File], compile_commands: Path) -> Iterator[Breach]:
    """What the build compiles is what the build says, not what a CMakeLists seems to say."""
    compiled = {Path(entry['directory'], entry['file']).resolve()
                for entry in json.loads(compile_commands.read_text(encoding='utf-8'))}
    for file in files:
        if file.suffix == '.cc' and (root / file.path).resolve() not in compiled:
            yield Breach(file.path, 1, 'every source is built', 'no CMakeLists.txt names it')


def check(root: Path, compile_commands: Path | None) -> list[Breach]:
    files = list(files_of(root))
    breaches = [breach for file in files for law in EACH_FILE for breach in law(file)]
    breaches += readmes(root)
    if compile_commands:
        breaches += all_compiled(root, files, compile_commands)
    return breaches


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--root', type=Path, required=True)
    parser.add_argument('--compile-commands', type=Path, help='compile_commands.json of a build with tests')
    arguments = parser.parse_args()
    breaches = check(arguments.root, arguments.compile_commands)
    for breach in breaches:
        print(breach)
    print(f'{len(breaches)} breaches')
    return 1 if breaches else 0


if __name__ == '__main__':
    sys.exit(main())
