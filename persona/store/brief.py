"""Brief work on a SQLite file, done at once in the thread of the event loop.

A turn's transaction takes 0.1 to 0.4 ms and waits for no disk: SQLite hands its pages to the system, and the log is
moved into the file in another thread. A hop to a worker thread and back costs more than that, and where many turns run
in one process it waits for the interpreter's lock besides. So brief work is done here, as long as nobody else
writes and the disk is quick; otherwise it takes the hop.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine, PoolProxiedConnection

T = TypeVar("T")

_SLOW_S = 0.02  # an event loop that stands still for longer is noticed by those it serves
_REST_S = 5.0
_WEIGHT, _TOO_OFTEN = 0.1, 0.25  # three slow ones in a row: a single one may be the garbage collector
_COMMITS = 256  # of some 25 pages each: about 26 MB of log, moved in one turn of 64


class Locked(Exception):
    """Somebody else writes, and nothing was done yet: the work is to wait in a thread."""


class Brief:
    """Whether and how brief work is done in the thread that asks for it. `engine` waits for no lock."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.perf_counter) -> None:
        self.engine = engine
        self._clock = clock
        self._thread = threading.local()
        self._rests_until = 0.0
        self._slow_share = 0.0
        self._commits = 0
        self._kept: list[PoolProxiedConnection] = []

    @property
    def here(self) -> bool:
        """Whether this thread is doing brief work."""
        return getattr(self._thread, "here", False)

    @property
    def fresh(self) -> bool:
        """Whether this thread is doing brief work that has not committed anything yet."""
        return getattr(self._thread, "fresh", False)

    @contextmanager
    def connected(self) -> Iterator[PoolProxiedConnection]:
        """A connection, kept for the next transaction: the pool's part would be a sixth of what a brief one takes."""
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self.engine.raw_connection()
        try:
            yield connection
        except BaseException:
            connection.close()  # the pool rolls back what was not committed
            raise
        self._kept.append(connection)

    def disconnect(self) -> None:
        """Closes every connection that nobody uses."""
        while self._kept:
            self._kept.pop().close()
        self.engine.dispose()

    def committed(self, write: bool) -> None:
        """A transaction of brief work was committed: what comes after it is no longer repeated."""
        self._thread.fresh = False
        self._commits += write

    def may_start(self) -> bool:
        """Whether the disk was quick enough lately."""
        return self._clock() >= self._rests_until

    def do(self, work: Callable[[], T]) -> T:
        """Does the work. Raises Locked when it has to wait, and nothing of it is done."""
        self._thread.here = self._thread.fresh = True
        begun = self._clock()
        try:
            return work()
        finally:
            self._thread.here = self._thread.fresh = False
            now = self._clock()
            slow = now - begun > _SLOW_S
            self._slow_share += _WEIGHT * (slow - self._slow_share)
            if slow and self._slow_share > _TOO_OFTEN:
                self._rests_until = now + _REST_S

    def log_is_long(self) -> bool:
        """Whether the log is to be moved into the file now; asked again, not before it has grown once more."""
        if self._commits < _COMMITS:
            return False
        self._commits = 0
        return True
