#!/usr/bin/env python3
"""The long forms of the tests, within a bound of time: rounds with ever new seeds, part by part, then a table.

  tests/soak.py                   an hour, from a new seed
  tests/soak.py --minutes 5       a quick try
  tests/soak.py --only sim kill   the parts whose names hold one of these

It runs what `deploy/build.sh --tests` has built. Each part gets its share of the time on two cores and runs rounds of
the size that the last one calls for; the seeds follow from the one that is printed (MAILLAGE_SEED=N repeats it), how
many of them are reached depends on the machine. What fails is told with the command that repeats it, and the next part
goes on. README.md tells what the parts are. Beside the table: build/soak/soak.json, and the output of what failed.
"""

import argparse
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / 'build'
OUT = BUILD / 'soak'
PYTHON = '/usr/bin/python3'
FUZZ = ROOT / 'tests' / 'fuzz' / 'run.sh'
# A round takes about this part of its share, and never less than a few seconds.
ROUNDS_PER_SHARE = 8
SHORTEST_ROUND = 4.0
# What runs longer than its share and this hangs.
PATIENCE = 1800
SHOWN_LINES = 30
# Of the operations of one workload; a quick try leaves most of them out.
QUICK_MINUTES = 30
IO_STRIDE = 1


def say(text: str = '') -> None:
    print(text, flush=True)


class Command(NamedTuple):
    arguments: list
    environment: dict = {}
    folder: Path = ROOT

    def __str__(self) -> str:
        words = [f'{name}={value}' for name, value in self.environment.items()]
        words += [shlex.quote(str(Path(word).relative_to(ROOT)) if str(word).startswith(f'{ROOT}/') else str(word))
                  for word in self.arguments]
        line = ' '.join(words)
        return line if self.folder == ROOT else f'(cd {self.folder.relative_to(ROOT)} && {line})'


@dataclass
class Part:
    name: str
    # Of the whole time, together with all others.
    weight: float
    # From a seed and a size of the round.
    command: Callable[[int, int], Command]
    # The first round's size; each is a multiple of it.
    first: int
    # What is counted, and the pattern whose number says how many there were; each round may say it several times.
    counts: dict
    lanes: int = 2
    # Sizes that are tried one after the other instead, while the time suffices: each this many times as dear.
    ladder: tuple = ()
    dearer: float = 15
    needs: Path | None = None


@dataclass
class Result:
    name: str
    reached: dict
    seconds: float = 0
    rounds: int = 0
    violations: int = 0
    # First and last of each lane.
    seeds: list = field(default_factory=list)
    repeat: list = field(default_factory=list)
    absent: bool = False


def gtest(program: str, tests: str, **environment) -> Command:
    return Command([BUILD / program, f'--gtest_filter={tests}'], environment)


def simulation(seed: int, count: int, *options: str) -> Command:
    return Command([BUILD / 'tests/sim/maillage_simulation', '--first', seed, '--seeds', count, *options])


def fuzz(seed: int, seconds: int) -> Command:
    return Command([FUZZ, '--seconds', seconds, '--seed', seed % 2**31])


def failing_operations(seed: int, count: int) -> Command:
    return gtest(STORAGE, '*AnyOperationMayFail*', MAILLAGE_SEED=seed, MAILLAGE_IO_WORKLOADS=count,
                 MAILLAGE_IO_STRIDE=IO_STRIDE)


def model(tests: str) -> Callable[[int, int], Command]:
    return lambda _, depth: gtest('tests/model/maillage_model_test', tests, MAILLAGE_MODEL_DEPTH=depth)


def histories(tests: str, program: str = 'maillage_merge_test') -> Callable[[int, int], Command]:
    return lambda seed, count: gtest(f'tests/replication/{program}', tests, MAILLAGE_SEED=seed,
                                     MAILLAGE_HISTORIES=count)


STORAGE = 'tests/storage/maillage_power_test'
HISTORIES = {'histoires': r'random histories (\d+)'}
STATES = {'états': r'figure: model .*?: (\d+) states'}

PARTS = [
    Part('simulation, chaque graine deux fois', 20, lambda seed, count: simulation(seed, count, '--twice'), 20,
         {'graines': r'simulation seeds (\d+)', 'années de site': r'site-years ([\d.]+)'}),
    Part('simulation, une fois', 14, simulation, 20,
         {'graines': r'simulation seeds (\d+)', 'années de site': r'site-years ([\d.]+)'}),
    Part('coupures de courant', 12, lambda seed, count: gtest(
        STORAGE, '*PowerRounds.CutsLoseNothing*', MAILLAGE_SEED=seed, MAILLAGE_POWER_CUTS=count), 200,
         {'coupures': r'power cuts (\d+)'}),
    Part('octets abîmés', 8, lambda seed, count: gtest(
        STORAGE, '*PowerRounds.DamageIsNever*', MAILLAGE_SEED=seed, MAILLAGE_BIT_FLIPS=count), 200,
         {'fichiers abîmés': r'other damage (\d+)'}),
    Part('pannes à chaque opération', 8, failing_operations, 1,
         {'points': r'points (\d+)'}),
    Part('SIGKILL de vrais nœuds', 14, lambda seed, count: Command(
        [PYTHON, '-m', 'unittest', 'kill_test'],
        {'MAILLAGE_SEED': seed, 'MAILLAGE_KILLS': count, 'MAILLAGE_PROGRAMS': BUILD, 'PYTHONDONTWRITEBYTECODE': 1},
        ROOT / 'tests' / 'e2e'), 10,
         {'kills': r'under load (\d+)', 'écritures confirmées': r'acknowledged writes (\d+)'}, lanes=1),
    Part('histoires contre l’oracle', 6, histories('MergeLaws.EveryCopyIsWhatTheDefinitionsSay'), 200, HISTORIES),
    Part('histoires des autres lois', 3, histories('*-*.EveryCopyIsWhatTheDefinitionsSay'), 200, HISTORIES),
    Part('histoires de répliques', 2, histories('ReplicaHistories.*', 'maillage_replication_test'), 50, HISTORIES),
    Part('clones et restaurations', 6, lambda seed, count: gtest(
        'tests/replication/maillage_sync_test', '*Twin*', MAILLAGE_SEED=seed, MAILLAGE_TWINS=count), 50,
         {'clones et restaurations': r'clones and restores:? (\d+)'},
         needs=ROOT / 'tests/replication/sync_twin_fleet_test.cc'),
    Part('territoires, abrégés et lots', 6, lambda seed, count: gtest(
        'tests/replication/maillage_sync_test', 'ScopeFleets.*', MAILLAGE_SEED=seed, MAILLAGE_SCOPES=count), 50,
         {'flottes': r'fleets with scopes (\d+)', 'fiches transmises': r'scope, (\d+) records handed over',
          'lots': r'elsewhere, (\d+) bundles'}),
    Part('octets hostiles', 8, fuzz, 0, {'exécutions': r'figure: fuzz .*?: (\d+) executions'}, lanes=1, needs=FUZZ),
    Part('modèle des jointures', 2, model('JoinModel.*'), 0, STATES, lanes=1, ladder=(4, 5, 6)),
    Part('modèle des conversations', 4, model('SessionModel/*'), 0, STATES, lanes=1, ladder=(0, 1, 2), dearer=60),
]


class Lane:
    """One process after the other, from one row of seeds."""

    def __init__(self, part: Part, base: int, number: int) -> None:
        self.part = part
        self.seed = self.first_seed = random.Random(f'{base}/{part.name}/{number}').randrange(1, 2**40)
        self.last_seed = self.seed
        self.reached = dict.fromkeys(part.counts, 0)
        self.rounds = 0
        self.failure: str | None = None

    def run(self, size: int, patience: float) -> float:
        """Plays one round; how many seconds it took."""
        command = self.part.command(self.seed, size)
        began = time.monotonic()
        output, code = run(command, patience)
        self.rounds += 1
        self.last_seed = self.seed
        counted = {name: sum(map(float, re.findall(pattern, output))) for name, pattern in self.part.counts.items()}
        for name, many in counted.items():
            self.reached[name] += many
        if code != 0:
            self.fail(command, output, f'code {code}')
        elif not all(counted.values()):
            # A test that was renamed passes without having run.
            self.fail(command, output, 'rien n’a été compté')
        # Tests draw from the seeds that follow theirs, too.
        self.seed += max(size, 16)
        return time.monotonic() - began

    def fail(self, command: Command, output: str, why: str) -> None:
        self.failure = str(command)
        log = OUT / f'{re.sub(r"[^a-z]+", "-", self.part.name.lower())}-{self.seed}.log'
        log.write_text(f'{command}\n\n{output}')
        say(f'  ÉCHEC ({why}) : {command}')
        telling = [line for line in output.splitlines() if re.search(r'Failure|rror|seed|violation|FAIL', line)]
        for line in (telling or output.splitlines())[:SHOWN_LINES]:
            say(f'    {line}')
        say(f'  toute la sortie : {log.relative_to(ROOT)}')

    def fill(self, share: float) -> None:
        """Rounds until the share is used up or one fails."""
        end = time.monotonic() + share
        target = max(share / ROUNDS_PER_SHARE, SHORTEST_ROUND)
        size = self.part.first
        while self.failure is None:
            took = max(self.run(size, share + PATIENCE), 0.01)
            left = end - time.monotonic()
            wished = size * min(max(min(target, left) / took, 0.25), 4)
            if left < 0.5 * took * self.part.first / size or left <= 0:
                return
            size = max(int(wished) // self.part.first, 1) * self.part.first

    def climb(self, share: float) -> None:
        """The sizes of a ladder, while the next one is expected to fit."""
        end = time.monotonic() + share
        for size in self.part.ladder:
            took = self.run(size, share + PATIENCE)
            if self.failure is not None or time.monotonic() + took * self.part.dearer > end:
                return


def run(command: Command, patience: float) -> tuple[str, int]:
    """What it printed, and its exit code; after `patience` seconds it is taken to hang."""
    environment = {**os.environ, **{name: str(value) for name, value in command.environment.items()}}
    process = subprocess.Popen([str(word) for word in command.arguments], cwd=command.folder, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=patience)
        return output, process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return f'{output}\nkilled: it hangs', 124


def play(part: Part, base: int, share: float) -> Result:
    began = time.monotonic()
    if part.command is fuzz:
        targets = subprocess.run([FUZZ, '--list'], check=True, capture_output=True, text=True).stdout.split()
        part.ladder, part.dearer = (max(1, int(2 * share / len(targets))),), float('inf')
    lanes = [Lane(part, base, number) for number in range(part.lanes)]
    threads = [threading.Thread(target=lane.climb if part.ladder else lane.fill, args=(share,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(part.name, {name: round(sum(lane.reached[name] for lane in lanes), 1) for name in part.counts},
                  seconds=round(time.monotonic() - began, 1), rounds=sum(lane.rounds for lane in lanes),
                  violations=sum(1 for lane in lanes if lane.failure is not None),
                  seeds=[[lane.first_seed, lane.last_seed] for lane in lanes],
                  repeat=[lane.failure for lane in lanes if lane.failure is not None])


def number(value: float) -> str:
    return f'{value:,.1f}'.replace(',', ' ').removesuffix('.0')


def reached(result: Result) -> str:
    if result.absent:
        return 'absent de cette version'
    return ', '.join(f'{number(value)} {name}' for name, value in result.reached.items())


def tell(results: list[Result]) -> None:
    rows = [('partie', 'atteint', 'violations', 'secondes', 'graines')]
    for result in results:
        seeds = ', '.join(f'{first}…{last}' if first != last else f'{first}' for first, last in result.seeds)
        rows.append((result.name, reached(result), '–' if result.absent else str(result.violations),
                     number(result.seconds), seeds))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    say()
    for row in rows:
        say('| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |')
        if row is rows[0]:
            say('|' + '|'.join('-' * (width + 2) for width in widths) + '|')
    for result in results:
        for command in result.repeat:
            say(f'À rejouer : {command}')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60, help='for all parts together (default: %(default)s)')
    parser.add_argument('--only', nargs='+', default=[''], metavar='TEXT', help='parts whose names hold one of these')
    options = parser.parse_args()
    parts = [part for part in PARTS if any(text.lower() in part.name.lower() for text in options.only)]
    if not parts or options.minutes <= 0:
        parser.error('no part of that name' if not parts else 'the minutes have to be more than 0')
    base = int(os.environ.get('MAILLAGE_SEED') or random.SystemRandom().randrange(1, 2**31))
    global IO_STRIDE
    if options.minutes < QUICK_MINUTES:
        IO_STRIDE = 16
    OUT.mkdir(parents=True, exist_ok=True)
    say(f'MAILLAGE_SEED={base}, {number(options.minutes)} minutes')
    present = [part for part in parts if part.needs is None or part.needs.exists()]
    seconds_per_weight = 60 * options.minutes / max(sum(part.weight for part in present), 1)
    results = []
    for part in parts:
        if part not in present:
            results.append(Result(part.name, {}, absent=True))
            continue
        share = part.weight * seconds_per_weight
        say(f'{time.strftime("%H:%M:%S")}  {part.name} : {number(round(share))} s …')
        results.append(play(part, base, share))
        say(f'          {reached(results[-1])}, {results[-1].violations} violations, {number(results[-1].seconds)} s')
    tell(results)
    (OUT / 'soak.json').write_text(json.dumps(
        {'seed': base, 'minutes': options.minutes, 'parts': [vars(result) for result in results]},
        ensure_ascii=False, indent=1) + '\n')
    return 1 if any(result.violations for result in results) else 0


if __name__ == '__main__':
    sys.exit(main())
