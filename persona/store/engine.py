"""The database: opened once, used in short transactions, from worker threads or, when they are brief, on the loop.

SQLAlchemy's pool keeps the connections, and rolls back what was not committed when one is given back.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from persona.errors import StoreError, StoreUnavailable
from persona.store import sqlite
from persona.store.backend import Backend
from persona.store.brief import Brief, Locked
from persona.store.failures import cause, collided, locked, of_unknown_end, translated
from persona.store.forks import Gate, Origin
from persona.store.transaction import Transaction

T = TypeVar("T")
_CROSSED_PAUSE_S = 0.02
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0  # between two tries to reach a server
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")


class _Failed(Exception):
    """The driver's error in a transaction; whether its connection was lost, and whether COMMIT had been sent."""

    def __init__(self, error: Exception, lost: bool, at_commit: bool) -> None:
        self.error = error
        self.lost = lost
        self.at_commit = at_commit


class Database:
    """One database, and the threads that talk to it. SQLite has one writer, so one thread serves it.

    `url` is a SQLAlchemy URL: `sqlite:///file.db`, `sqlite://` (in memory, for as long as this object lives),
    `sqlite:///file:file.db?mode=ro&uri=true` (read only) or `postgresql://user@host/name`. The last two arguments
    are for a server: how long one statement may take, and how many connections (and threads) this process uses.
    """

    def __init__(
        self,
        url: str,
        *,
        durability: str = "normal",
        busy_timeout_s: float = 5.0,
        statement_timeout_s: float = 30.0,
        connections: int = 8,
    ) -> None:
        self._backend = _backend(url, durability, busy_timeout_s, statement_timeout_s, connections)
        self.engine: Engine = self._backend.engine
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._threads = ThreadPoolExecutor(1 if self.sqlite else connections, thread_name_prefix="persona-store")
        self._newest: Future[Any] | None = None  # of what the threads were given
        self._errors = (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error)
        in_memory = self.sqlite and sqlite.in_memory(self.engine.url)
        self._turnstile: AbstractContextManager[object] = nullcontext()
        if self.sqlite:
            self._turnstile = sqlite.Turnstile(busy_timeout_s) if in_memory else Gate(self._disconnect)
        self._brief: Brief | None = None
        if self.sqlite and not in_memory and durability == "normal":  # a full one waits for the disk at each COMMIT
            self._brief = Brief(sqlite.impatient(self.engine.url))
        self._strands = self._backend.strands
        self._origin = Origin()
        self._closed = False

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """A transaction in this thread. Raises StoreError for whatever the database says."""
        try:
            with self._attempt(write, self.engine) as transaction:
                yield transaction
        except _Failed as failed:
            raise self._told(failed) from cause(failed.error)

    @contextmanager
    def _attempt(self, write: bool, engine: Engine) -> Iterator[Transaction]:
        self._check_open()
        with self._turnstile:
            lost = at_commit = False
            try:
                connection = engine.raw_connection()
                try:
                    with self._backend.begun(connection, write) as cursor:
                        yield Transaction(cursor, self._backend)
                        at_commit = True
                except BaseException as error:
                    lost = self._backend.lost(connection.driver_connection, error)
                    if lost:
                        connection.invalidate()
                    raise
                finally:
                    connection.close()  # the pool rolls back what was not committed
            except self._errors as error:
                raise _Failed(error, lost, at_commit) from None

    @contextmanager
    def connection(self, *, write: bool = True) -> Iterator[Connection]:
        """A transaction on SQLAlchemy's own connection: slower, and for what needs one, such as migrations."""
        self._check_open()
        with self._turnstile:
            try:
                with self.engine.connect().execution_options(persona_write=write) as connection, connection.begin():
                    yield connection
            except self._errors as error:
                raise self._told(_Failed(error, lost=False, at_commit=False)) from cause(error)

    async def run(
        self, work: Callable[[Transaction], T], *, write: bool = True, patience_s: float = 0.0, brief: bool = False
    ) -> T:
        """`work` in one transaction, in a worker thread; see `run_now`, and `thread` for what is `brief`.

        For `patience_s` seconds it is tried again while the database is locked or cannot be reached. A transaction of
        which it is not known whether it was kept is repeated too: such `work` sees by itself that it was done.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + patience_s, _FIRST_PAUSE_S
        while True:
            try:
                return await self.thread(lambda: self.run_now(work, write), brief=brief)
            except StoreError as error:
                if not error.retryable or self._closed or loop.time() + pause_s > until:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def run_now(self, work: Callable[[Transaction], T], write: bool = True) -> T:
        """`work` in one transaction, in this thread.

        Once more from its beginning when another transaction crossed it, or when the connection was lost before
        COMMIT was sent, or in a reading one: `work` does nothing but what its transaction can take back.
        """
        if self._brief and self._brief.fresh:
            return self._run_brief(self._brief, work, write)
        try:
            with self._attempt(write, self.engine) as transaction:
                return work(transaction)
        except _Failed as failed:
            crossed = collided(failed.error) or (failed.lost and not (write and failed.at_commit))
            if not crossed or self._closed:
                raise self._told(failed) from cause(failed.error)
        pause = self._strands.pause if self._strands else time.sleep
        pause(_CROSSED_PAUSE_S)  # the one that won the crossing goes first, or they would cross again
        with self.transaction(write=write) as transaction:
            return work(transaction)

    def _run_brief(self, brief: Brief, work: Callable[[Transaction], T], write: bool) -> T:
        self._check_open()
        try:
            with self._turnstile, brief.connected() as connection, self._backend.begun(connection, write) as cursor:
                result = work(Transaction(cursor, self._backend))
        except self._errors as error:
            if locked(error):
                raise Locked from None
            raise self._told(_Failed(error, lost=False, at_commit=False)) from cause(error)
        brief.committed(write)
        return result

    @property
    def hurries(self) -> bool:
        """Whether this is brief work done in the event loop's thread: what turns out to be long is left for later."""
        return (self._brief is not None and self._brief.here) or (self._strands is not None and self._strands.here)

    async def thread(self, work: Callable[[], T], *, brief: bool = False) -> T:
        """`work`, which may open transactions of its own, in a worker thread: one hop for several steps.

        What is `brief`, a few rows and little arithmetic that begin with the rows it writes, is done right here on a
        SQLite file that nobody else writes to, and `soon` when somebody does; on PostgreSQL the loop drives it.
        """
        if brief:
            done = self.at_once(lambda: (work(),))
            return done[0] if done else await self.soon(work)
        return await self._in_thread(work)

    async def soon(self, work: Callable[[], T]) -> T:
        """What is brief, and could not be done at once: here when our threads have done what they have now, or there.

        Whoever hopped at once would hold the lock when the next one comes, and all would hop from then on. On
        PostgreSQL: here, where it stands still while the server answers. Cancelled, it is first brought to its end,
        if it had begun.
        """
        if self._strands:
            self._check_open()
            try:
                return await self._strands.run(lambda: _whole(work))
            except PoolTimeout as error:
                raise translated(error) from None
        if self._brief and self._brief.may_start() and self._newest and not self._newest.done():
            theirs = asyncio.wrap_future(self._newest)
            theirs.add_done_callback(lambda done: done.cancelled() or done.exception())  # or it is logged as nobody's
            await asyncio.wait({theirs})
            if done := self.at_once(lambda: (work(),)):
                return done[0]
        working = asyncio.ensure_future(self._in_thread(work))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait({working})
            working.cancelled() or working.exception()  # nobody asks any more
            raise

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self._check_open()
        begun = self._threads.submit(_whole, work)
        self._newest = begun
        return await asyncio.wrap_future(begun)

    def at_once(self, work: Callable[[], T]) -> T | None:
        """What is brief, done before this returns; None, with nothing done, when it would have to wait in a thread."""
        self._check_open()
        if not (self._brief and self._brief.may_start()):
            return None
        try:
            return self._brief.do(lambda: _whole(work))
        except Locked:
            return None
        finally:
            if self._brief.log_is_long() and not self._closed:
                self._newest = self._threads.submit(sqlite.shorten_log, self.engine)

    async def aclose(self) -> None:
        """Waits for what this loop drives too, and closes."""
        self._closed = True
        if self._strands and self._origin.here:
            await self._strands.ended()
        self.close()

    def close(self) -> None:
        """Waits for running transactions of the worker threads, and closes every connection.

        One that a loop drives is closed when its transaction ends. Does nothing in a forked process: they are its
        parent's.
        """
        self._closed = True
        if not self._origin.here:
            return
        self._threads.shutdown(wait=True)
        self._disconnect()

    def _disconnect(self) -> None:
        if self._brief:
            self._brief.disconnect()
        self.engine.dispose()

    def _check_open(self) -> None:
        self._origin.check()
        if self._closed:
            raise _closed()

    def _told(self, failed: _Failed) -> StoreError:
        if self._closed:
            return _closed()
        return of_unknown_end() if failed.lost and failed.at_commit else translated(failed.error)


def _whole(work: Callable[[], T]) -> T:
    """`work`, without the one exception that no future can carry: whoever awaits it would wait for ever."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("an iterator ended where a value was expected") from error


def _closed() -> StoreUnavailable:
    return StoreUnavailable("the database was closed", hint="open it again before using it")


def _backend(url: str, durability: str, busy_timeout_s: float, statement_timeout_s: float, connections: int) -> Backend:
    try:
        parsed = make_url(url)
        if "\0" in url:
            raise ValueError("a NUL, which drivers find too late")
        if parsed.get_backend_name() == "sqlite":
            return sqlite.backend(parsed, durability, busy_timeout_s)
        if parsed.drivername in _POSTGRESQL:
            from persona.store import postgresql  # its driver is an extra

            return postgresql.backend(parsed, durability, busy_timeout_s, statement_timeout_s, connections)
    except ImportError as error:
        raise StoreUnavailable(
            "the driver of PostgreSQL is not installed", hint="run pip install 'pypersona[postgres]'"
        ) from error
    except (ArgumentError, TypeError, ValueError):
        pass  # the cause may hold the URL, and with it a password
    raise StoreUnavailable(
        "the database URL cannot be used",
        hint="write store.url as sqlite:///file.db or postgresql://user@host/name",
    )
