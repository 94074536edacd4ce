"""Google Benchmark's JSON as a table: each figure, its limit in the same run, and figure ÷ limit.

    table.py RESULT.json [--update-readme README.md]

Of several repetitions it takes medians; the ratio is that of the two medians. Exit 1 where a measure failed, or
where there is none.
"""

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

BEGIN, END = '<!-- figures: run.sh --update-readme writes from here -->', '<!-- to here -->'
# Fields of an entry that are Google Benchmark's own, and no counters.
OWN = {'family_index', 'per_family_instance_index', 'repetitions', 'repetition_index', 'threads', 'iterations',
       'real_time', 'cpu_time'}


class Row(NamedTuple):
    measure: str
    figure: str
    value: float
    limit: float
    # Figures without a limit, in the first row of their measure.
    beside: str


def measure_name(run_name: str) -> str:
    """catch_up_with_hint/edits_each_side:100/iterations:1/manual_time -> catch up with hint, edits each side 100"""
    words = [part.replace('_', ' ').replace(':', ' ') for part in run_name.split('/')]
    return ', '.join(word for word in words if word not in ('iterations 1', 'manual time'))


def rows_of(result: dict) -> list[Row]:
    samples: dict[str, dict[str, list[float]]] = {}
    for entry in result['benchmarks']:
        if entry.get('error_occurred'):
            raise ValueError(f"{entry['name']}: {entry.get('error_message')}")
        if entry['run_type'] != 'iteration':
            continue
        counters = samples.setdefault(entry['run_name'], {})
        for name, value in entry.items():
            if name not in OWN and isinstance(value, (int, float)) and not isinstance(value, bool):
                counters.setdefault(name, []).append(value)
    return [row for run_name, counters in samples.items() for row in rows_of_measure(run_name, counters)]


def rows_of_measure(run_name: str, counters: dict[str, list[float]]) -> list[Row]:
    medians = {name: median(values) for name, values in counters.items()}
    beside = []
    limited = []
    for name, value in medians.items():
        figure = name.replace('_per_', '/').replace('_', ' ')
        if name + '.limit' in medians:
            limited.append((figure, value, medians[name + '.limit']))
        elif not name.endswith(('.limit', '.ratio')):
            beside.append(f'{figure} {number(value)}')
    return [Row(measure_name(run_name), *figure, '' if i else '; '.join(beside)) for i, figure in enumerate(limited)]


def number(value: float) -> str:
    if value == int(value):
        return f'{value:,.0f}'
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f'{value:,.{digits}f}'


def table(rows: list[Row]) -> str:
    cells = [('measure', 'figure', 'measured', 'limit', 'ratio', 'beside it')]
    for row in rows:
        cells.append((row.measure, row.figure, number(row.value), number(row.limit), f'{row.value / row.limit:.2f}',
                      row.beside))
    right = (2, 3, 4)
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]

    def aligned(line: tuple[str, ...]) -> str:
        return '| ' + ' | '.join(cell.rjust(width) if column in right else cell.ljust(width)
                                 for column, (cell, width) in enumerate(zip(line, widths))) + ' |'
    ruler = '|' + '|'.join('-' * (width + 1) + (':' if column in right else '-')
                           for column, width in enumerate(widths)) + '|'
    return '\n'.join([aligned(cells[0]), ruler, *map(aligned, cells[1:])])


def machine(context: dict) -> str:
    repetitions = context.get('repetitions', '1')
    return (f"{context['records']} records; {context['cores']} cores ({context['processor']}), {context['kernel']}, "
            f"{context['disk']}; medians of {repetitions}")


def update(readme: Path, text: str) -> None:
    old = readme.read_text(encoding='utf-8')
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise ValueError(f'{readme}: lacks the lines "{BEGIN}" and "{END}"')
    before, rest = old.split(BEGIN)
    readme.write_text(f'{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}', encoding='utf-8')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('result', type=Path)
    parser.add_argument('--update-readme', type=Path)
    arguments = parser.parse_args()
    try:
        result = json.loads(arguments.result.read_text(encoding='utf-8'))
        rows = rows_of(result)
        if not rows:
            raise ValueError('no measure ran')
        text = f"{date.today()}, {machine(result['context'])}:\n\n{table(rows)}"
        print(text)
        if arguments.update_readme:
            update(arguments.update_readme, text)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
