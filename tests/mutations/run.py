#!/usr/bin/env python3
"""Plants one known bug after the other and asks whether the tests notice.

  tests/mutations/run.py                 all of them, two at a time
  tests/mutations/run.py --only 07 feed  those whose names hold one of these
  tests/mutations/run.py --list          what each one breaks

Works on a copy of the tree in build-mutations/, which is kept, so that the next run builds little. README.md tells more.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATCHES = pathlib.Path(__file__).resolve().parent / 'patches'
SCRATCH = ROOT / 'build-mutations'
# In the order of their speed: (binary, arguments, environment).
RUNS = [
    ('tests/replication/maillage_replication_test', [], {}),
    ('tests/replication/maillage_sync_test', [], {}),
    ('tests/replication/maillage_merge_test', [], {'MAILLAGE_HISTORIES': '400'}),
    ('tests/server/maillage_door_test', [], {}),
    ('tests/storage/maillage_storage_test', [], {}),
    ('tests/sim/maillage_simulation', ['--seeds', '150', '--first', '20210108'], {}),
]
SECONDS_PER_RUN = 120


def say(text):
    print(text, flush=True)


class Tree:
    """A copy of the sources with a build of its own."""

    def __init__(self, number):
        self.sources = SCRATCH / f'tree-{number}'
        self.build = SCRATCH / f'build-{number}'

    def prepare(self):
        files = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT,
                               check=True, capture_output=True).stdout.decode().split('\0')
        wanted = {name for name in files if name and (ROOT / name).is_file()}
        for old in self.sources.rglob('*'):
            if old.is_file() and str(old.relative_to(self.sources)) not in wanted:
                old.unlink()
        for name in wanted:
            target = self.sources / name
            content = (ROOT / name).read_bytes()
            # Files that are as they should be keep their time, and are not built again.
            if not target.exists() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                shutil.copymode(ROOT / name, target)
        self.check(['cmake', '-S', self.sources, '-B', self.build, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=None',
                    '-DCMAKE_CXX_FLAGS=-O1'])
        log = self.compile(jobs=os.cpu_count() or 1)
        if log is not None:
            raise SystemExit(f'the tree without any bug does not build:\n{log[-3000:]}')
        caught = self.first_failure()
        if caught:
            raise SystemExit(f'{caught} fails without any bug planted')

    def check(self, command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f'{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')

    def compile(self, jobs=1):
        """What the compiler said, where it refused."""
        targets = [pathlib.Path(binary).name for binary, _, _ in RUNS]
        done = subprocess.run(['cmake', '--build', self.build, '-j', str(jobs), '--target', *targets],
                              capture_output=True, text=True)
        return None if done.returncode == 0 else done.stdout + done.stderr

    def first_failure(self):
        for binary, arguments, environment in RUNS:
            try:
                done = subprocess.run([self.build / binary, *arguments], env={**os.environ, **environment},
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS_PER_RUN)
            except subprocess.TimeoutExpired:
                return f'{pathlib.Path(binary).name} (hangs)'
            if done.returncode != 0:
                return pathlib.Path(binary).name
        return None

    def patch(self, patch, back=False):
        command = ['patch', '-p1', '-s', '--no-backup-if-mismatch', '-F0', *(['-R'] if back else []), '-i', patch]
        done = subprocess.run(command, cwd=self.sources, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f'{patch.name} no longer applies: write it anew for the code as it is\n{done.stdout}')


def plant(trees, patch):
    tree = trees.pop()
    began = time.monotonic()
    try:
        tree.patch(patch)
        try:
            refused = tree.compile()
            caught = 'the compiler' if refused is not None else tree.first_failure()
        finally:
            tree.patch(patch, back=True)
    finally:
        trees.append(tree)
    say(f'{"caught" if caught else "MISSED":7} {patch.stem:45} {caught or "":30} {time.monotonic() - began:5.0f} s')
    return patch, caught


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--list', action='store_true', help='what each one breaks, and nothing else')
    parser.add_argument('--only', nargs='+', default=[''], metavar='TEXT', help='those whose names hold one of these')
    parser.add_argument('--required', type=int, default=90, metavar='PERCENT',
                        help='fewer caught is a failure (default: %(default)s)')
    options = parser.parse_args()
    patches = [patch for patch in sorted(PATCHES.glob('*.patch')) if any(part in patch.stem for part in options.only)]
    if options.list:
        for patch in patches:
            say(f'{patch.stem:45} {patch.read_text().splitlines()[0]}')
        return 0
    trees = [Tree(number) for number in range(min(2, len(patches)))]
    for tree in trees:
        tree.prepare()
    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        results = list(pool.map(lambda patch: plant(trees, patch), patches))
    caught = sum(1 for _, by in results if by)
    say(f'figure: planted bugs {len(results)}, caught {caught} ({100 * caught // max(1, len(results))} %)')
    for patch, by in results:
        if not by:
            say(f'missed: {patch.stem}: {patch.read_text().splitlines()[0]}')
    return 0 if results and 100 * caught >= options.required * len(results) else 1


if __name__ == '__main__':
    sys.exit(main())
