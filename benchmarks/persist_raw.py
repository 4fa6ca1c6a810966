"""The limit of a persisted turn: its own statements, replayed on sqlite3 itself with nothing around them."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Protocol

from persona.store import sqlite
from persona.store.engine import Database
from persona.store.transaction import Transaction

Executed = tuple[str, tuple[Any, ...]]


class Kept(Protocol):
    """Turns that can be kept one by one."""

    database: Database

    def now(self) -> None:
        """Keeps one turn."""
        ...


@contextmanager
def raw_turns(turns: Kept) -> Iterator["Raw"]:
    """Watches three turns, and replays the last one for as long as it is asked to."""
    turns.now()
    earlier, later = _watched(turns), _watched(turns)
    path = str(turns.database.engine.url.database)
    turns.database.close()
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection, ThreadPoolExecutor(1) as threads:
        sqlite.prepare(connection, "normal", 5.0)
        yield Raw(connection, threads, earlier, later)


class Raw:
    """Replays two transactions. From turn to turn a number goes on as it did, and an id becomes a new one."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        threads: ThreadPoolExecutor,
        earlier: list[list[Executed]],
        later: list[list[Executed]],
    ) -> None:
        self._connection = connection
        self._threads = threads
        self._transactions = [
            [(sql, _next_of(old, new)) for (_, old), (sql, new) in zip(before, after, strict=True)]
            for before, after in zip(earlier, later, strict=True)
        ]
        self._number = 0

    def now(self) -> None:
        """One turn, in this thread."""
        self._number += 1
        for transaction in self._transactions:
            self._run(transaction)

    async def hopping(self) -> None:
        """One turn, in a thread beside the loop."""
        self._number += 1
        for transaction in self._transactions:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._run, transaction)

    def _run(self, transaction: Sequence[tuple[str, Sequence[Callable[[int], Any]]]]) -> None:
        cursor = self._connection.cursor()
        cursor.execute(sqlite.BEGIN_WRITE)
        for sql, values in transaction:
            cursor.execute(sql, [value(self._number) for value in values])
            if sql.startswith("SELECT"):
                cursor.fetchall()
            else:
                assert cursor.rowcount == 1, "a replayed statement changes the row that it changed before"
        cursor.execute("COMMIT")


class _Watching:
    """A cursor that notes what is executed."""

    def __init__(self, cursor: Any, executed: list[Executed]) -> None:
        self._cursor = cursor
        self._executed = executed

    def execute(self, sql: str, values: tuple[Any, ...]) -> None:
        self._executed.append((sql, values))
        self._cursor.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def _watched(turns: Kept) -> list[list[Executed]]:
    """The statements of one turn, by transaction."""
    transactions: list[list[Executed]] = []
    run_now = turns.database.run_now

    def watching(work: Callable[[Transaction], Any], write: bool = True) -> Any:
        transactions.append([])

        def watched(tx: Transaction) -> Any:
            tx._cursor = _Watching(tx._cursor, transactions[-1])
            return work(tx)

        return run_now(watched, write)

    turns.database.run_now = watching  # type: ignore[method-assign]
    turns.now()
    turns.database.run_now = run_now  # type: ignore[method-assign]
    return transactions


def _next_of(earlier: tuple[Any, ...], later: tuple[Any, ...]) -> list[Callable[[int], Any]]:
    return [_going_on(old, new) for old, new in zip(earlier, later, strict=True)]


def _going_on(old: Any, new: Any) -> Callable[[int], Any]:
    if old == new:
        return lambda number: new
    if isinstance(new, int):
        return lambda number: new + (new - old) * number
    return lambda number: f"{new}{number}"
