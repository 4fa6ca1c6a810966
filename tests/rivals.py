"""Processes that want the same rows: run by `multiprocessing`, so importable and without fixtures."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Any

import programs
from stored import ADA, LEASE, NOW, answer, attempt, opening

from persona.store import facts, memories, owners, tasks
from persona.store.engine import Database
from persona.store.opening import Held
from persona.values.memory import Fact, MemoryRow

_barrier: list[Barrier] = []
Work = Callable[[Database, int], Sequence[Any]]


def race(work: Work, url: str, processes: int = 2) -> list[Any]:
    """Runs `work(database, number)` in several new processes at the same moment; returns what all of them gave."""
    server = programs.server()
    start = (_wait_at, (server.Barrier(processes),))
    with ProcessPoolExecutor(processes, server, *start) as pool:
        running = [pool.submit(_run, work, url, number) for number in range(processes)]
        return [one for future in running for one in future.result(timeout=60)]


def _wait_at(barrier: Barrier) -> None:
    _barrier.append(barrier)


def _run(work: Work, url: str, number: int) -> list[Any]:
    database = Database(url, busy_timeout_s=20)
    database.run_now(tasks.counts, write=False)
    _barrier[0].wait(timeout=60)  # also keeps one process from doing the work of two
    found = list(work(database, number))
    database.close()
    return found


def talk(database: Database, number: int) -> list[tuple[int, str]]:
    """Says ten things in each of three conversations that the others talk in too; returns what was said where."""
    said = []
    for turn in range(30):
        id, text = f"c-{turn % 3}", f"{number}:{turn}"
        while isinstance(opened := attempt(database, opening(text, id=id, key=text)), Held):
            pass  # until the other lets go
        answer(database, opened)
        said.append((turn % 3, text))
    return said


def open_all(database: Database, number: int) -> list[str]:
    """Begins the same twenty new conversations with the same keys as the others; returns the turns it got."""
    found = [attempt(database, opening("bonjour", id=f"c-{turn}", key=f"k-{turn}")) for turn in range(20)]
    return [getattr(one, "turn_id", type(one).__name__ if getattr(one, "same_key", False) else "?") for one in found]


def work_off(database: Database, number: int) -> list[str]:
    """Claims tasks, seven at a time, until there are none."""
    got: list[str] = []
    while found := database.run_now(lambda tx: tasks.claim(tx, NOW, LEASE, 7)):
        got += [task.subject for task in found]
    return got


def remember(database: Database, number: int) -> list[int]:
    """Keeps fifty memories and the same ten facts as the others; returns the revisions that the memories got."""
    key = database.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW)).key
    revisions = []
    for turn in range(50):
        row = MemoryRow(f"mem_{number}_{turn}", "turn", "un souvenir", 0, "embedder-1", b"", at_us=NOW)
        revisions.append(database.run_now(lambda tx, row=row: memories.add(tx, key, [row])))
        fact = Fact(f"fct_{number}_{turn}", f"fait {turn % 10}", "fact", "user", NOW, NOW)
        database.run_now(lambda tx, fact=fact: facts.add(tx, key, fact))
    return revisions


def move(database: Database, number: int) -> list[int]:
    """Fills one slot fifty times, as learnt from messages that were sent in another order; returns their times."""
    key = database.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW)).key
    times = []
    for turn in range(50):
        at_us = NOW + (turn * 37 % 50) * 10 + number
        told = Fact(f"fct_{number}_{turn}", f"city: {at_us}", "fact", "learnt", NOW, at_us, slot="city", value=at_us)
        database.run_now(lambda tx, told=told: facts.add(tx, key, told, many=False))
        times.append(at_us)
    return times
