"""What the demo shows: headings, steps, one line of progress, tables. Plain text where the output is no terminal."""

import os
import shutil
import sys
from typing import Iterable, Sequence

_STYLED = sys.stdout.isatty() and 'NO_COLOR' not in os.environ
_BOLD, _DIM, _GREEN, _RED, _OFF = (f'\033[{code}m' if _STYLED else '' for code in (1, 2, 32, 31, 0))

THIN = '\u202f'  # Narrow no-break space: French groups of three digits.


def heading(text: str) -> None:
    print(f'\n{_BOLD}{text}{_OFF}\n', flush=True)


def say(text: str) -> None:
    print(f'  {text}', flush=True)


def aside(text: str) -> None:
    print(f'  {_DIM}{text}{_OFF}', flush=True)


def fine(text: str) -> None:
    print(f'  {_GREEN}✓{_OFF} {text}', flush=True)


def wrong(text: str) -> None:
    print(f'  {_RED}✗ {text}{_OFF}', flush=True)


def quote(text: str) -> None:
    """What a command said, line by line."""
    for line in text.strip('\n').splitlines():
        print(f'    {line}'.rstrip(), flush=True)


def number(value: int) -> str:
    """12 345 with French spaces."""
    return f'{value:,}'.replace(',', THIN)


def size(count: int) -> str:
    """Bytes as people read them."""
    if count < 10_000:
        return f'{number(count)} o'
    if count < 10_000_000:
        return f'{number(count // 1000)} ko'
    return f'{number(count // 1_000_000)} Mo'


def seconds(duration: float) -> str:
    return f'{duration:.1f} s'.replace('.', ',')


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Columns as wide as their widest cell; those numbered in `right` are set flush right."""
    lines = [list(header)] + [list(row) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for index, line in enumerate(lines):
        cells = [cell.rjust(width) if column in right else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(line, widths))]
        text = '  '.join(cells).rstrip()
        print(f'  {_DIM}{text}{_OFF}' if index == 0 else f'  {text}')
    sys.stdout.flush()


class Progress:
    """One line that renews itself; away from a terminal, a line now and then."""

    def __init__(self, every_seconds: float = 5) -> None:
        self._every = every_seconds
        self._next = every_seconds

    def show(self, text: str, elapsed: float) -> None:
        line = f'… {text} · {elapsed:.0f} s'
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 3
            print(f'\r\033[K  {line[:width]}', end='', flush=True)
        elif elapsed >= self._next:
            self._next = elapsed + self._every
            say(line)

    def clear(self) -> None:
        if sys.stdout.isatty():
            print('\r\033[K', end='', flush=True)
