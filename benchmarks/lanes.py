"""One system's side of a race: rounds of calls on the word of who holds the other end, so many at a time.

Nothing but the standard library is needed, so that peers run in their own environments by the same rules.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypedDict

AT_A_TIME = 16

Call = Callable[[], Awaitable[object]]


class Taken(TypedDict):
    """Seconds of one round: its calls, and with `all_` what they left to be done behind them, too."""

    wall_s: float
    cpu_s: float
    all_wall_s: float
    all_cpu_s: float


async def _nothing() -> None:
    """Most systems leave nothing to be done."""


async def race(prepare: Callable[[int], Awaitable[Sequence[Call]]], behind: Call = _nothing) -> None:
    """Serves rounds until the standard input ends: a number prepares that many calls, the next line starts them.

    The event loop stands still between rounds, so that all that a system does falls into its own.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a peer that prints does not answer for us
    while number := sys.stdin.readline():
        calls = await prepare(int(number))
        print("ready", file=answers)
        sys.stdin.readline()
        print(json.dumps(await _timed(calls, behind)), file=answers)


async def lanes(calls: Iterable[Call]) -> None:
    """Makes the calls, so many at a time."""
    left = iter(calls)
    await asyncio.gather(*(_lane(left) for _ in range(AT_A_TIME)))


async def _lane(left: Iterator[Call]) -> None:
    for call in left:
        await call()


async def _timed(calls: Sequence[Call], behind: Call) -> Taken:
    wall, cpu = time.perf_counter(), time.process_time()
    await lanes(calls)
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    await behind()
    all_wall_s, all_cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    return Taken(wall_s=wall_s, cpu_s=cpu_s, all_wall_s=all_wall_s, all_cpu_s=all_cpu_s)
