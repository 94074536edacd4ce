"""Waiting for something in another process: asking again until it is so, within a bound."""

import time
from typing import Callable, TypeVar

T = TypeVar('T')


class Timeout(Exception):
    """What was waited for did not come; says what the last look saw."""


def wait_until(what: str, look: Callable[[], T], done: Callable[[T], bool], limit: float = 60,
               seen: Callable[[T, float], None] | None = None, pause: float = 0.2) -> T:
    """Calls `look` until `done` of what it gives, and gives that.

    `seen` is told each look and the seconds so far. Raises Timeout after `limit` seconds.
    """
    started = time.monotonic()
    while True:
        value = look()
        elapsed = time.monotonic() - started
        if seen:
            seen(value, elapsed)
        if done(value):
            return value
        if elapsed > limit:
            raise Timeout(f'{what} : toujours pas après {elapsed:.0f} s ; vu en dernier : {value}')
        time.sleep(pause)
