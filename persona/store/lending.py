"""The connections to a server: so many at most for the whole process, lent in the order in which they are asked for.

SQLAlchemy's own pools let only threads wait. Here coroutines wait in the same line: one that is to begin a strand
(`strands`) takes its place first, and the strand borrows on that place, without waiting again.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from persona.store.strands import Strand, current

T = TypeVar("T")

_CONNECTING = 2  # at a time, for strands


class _Waiter:
    """Somebody in the line; `wake` tells them, in any thread, that the place is theirs: False when they are gone."""

    def __init__(self, wake: Callable[[], bool]) -> None:
        self.wake = wake
        self.begun = time.monotonic()


class Places:
    """So many at a time, first come first served: threads and coroutines in one line.

    Whoever waits gives up when nobody got a place for `timeout_s`; a line that moves is no reason to leave it. Before
    that `on_wait` is called, which may free some.
    """

    def __init__(self, count: int, timeout_s: float) -> None:
        self.count = count
        self.on_wait: Callable[[], None] = lambda: None
        self._free = count
        self._timeout_s = timeout_s
        self._line: deque[_Waiter] = deque()
        self._moved = 0.0
        self._lock = threading.Lock()  # nothing is waited for inside

    def take(self) -> None:
        """A place for this thread. Raises SQLAlchemy's TimeoutError."""
        came = threading.Event()

        def tell() -> bool:
            came.set()
            return True

        waiter = self._enter(tell)
        if waiter is None:
            return
        try:
            while not came.wait(self._left_s(waiter)):
                self._check(waiter)
        except BaseException:
            self._leave(waiter)
            raise

    async def taken(self) -> None:
        """A place for a coroutine, as `take`."""
        loop = asyncio.get_running_loop()
        came: asyncio.Future[None] = loop.create_future()
        waiter = self._enter(lambda: _tell(loop, came))
        if waiter is None:
            return
        try:
            while not came.done():
                await asyncio.wait((came,), timeout=self._left_s(waiter))
                if not came.done():
                    self._check(waiter)
        except BaseException:
            self._leave(waiter)
            raise

    def free(self) -> None:
        """Gives a place to whoever waits for the longest."""
        while True:
            with self._lock:
                self._moved = time.monotonic()
                if not self._line:
                    self._free += 1
                    return
                waiter = self._line.popleft()
            if waiter.wake():
                return

    def _enter(self, wake: Callable[[], bool]) -> _Waiter | None:
        """None for whoever has a place at once."""
        if not self._free:
            self.on_wait()
        with self._lock:
            if self._free:
                self._free -= 1
                self._moved = time.monotonic()
                return None
            waiter = _Waiter(wake)
            self._line.append(waiter)
            return waiter

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._line:
                self._line.remove(waiter)
                return
        self.free()  # it was given in this very moment

    def _left_s(self, waiter: _Waiter) -> float:
        return max(self._moved, waiter.begun) + self._timeout_s - time.monotonic()

    def _check(self, waiter: _Waiter) -> None:
        if self._left_s(waiter) <= 0:
            raise PoolTimeout(f"none of {self.count} connections became free")


def _tell(loop: asyncio.AbstractEventLoop, came: "asyncio.Future[None]") -> bool:
    def tell() -> None:
        if not came.done():
            came.set_result(None)

    if asyncio._get_running_loop() is loop:
        tell()
        return True
    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # it was closed
        return False
    return True


class Connections(Pool):
    """A pool of so many connections as there are places; `sound` says whether an idle one may be lent.

    One that is made anew for a strand is made in a thread.
    """

    def __init__(
        self, creator: Any, places: Places, sound: Callable[[ConnectionPoolEntry], bool], **usual: Any
    ) -> None:
        super().__init__(creator, **usual)
        self._places = places
        self._sound = sound
        self._idle: list[ConnectionPoolEntry] = []  # the one used last has its statements prepared: it is lent first
        self._connecting = ThreadPoolExecutor(_CONNECTING, thread_name_prefix="persona-connect")  # begun on first use
        self._disposed = False

    def _do_get(self) -> ConnectionPoolEntry:
        strand = current()
        if strand is None:
            self._places.take()
        elif strand.borrowed:
            raise PoolTimeout("a transaction within a transaction")
        try:
            record = self._kept()
            if record is None or not self._sound(record):
                renew = partial(self._renewed, record)
                record = strand.elsewhere(renew, self._connecting) if strand else renew()
        except BaseException:
            if strand is None:
                self._places.free()
            raise
        if strand:
            strand.borrowed = record
        return record

    def _kept(self) -> ConnectionPoolEntry | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _renewed(self, record: ConnectionPoolEntry | None) -> ConnectionPoolEntry:
        if record is None:
            return self._create_connection()
        record.invalidate()
        record.get_connection()  # type: ignore[attr-defined]
        return record

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._disposed:
            record.close()
        else:
            self._idle.append(record)
        strand = current()
        if strand and strand.borrowed is record:
            strand.borrowed = None
        else:
            self._places.free()

    def dispose(self) -> None:
        """Closes those that nobody uses, and the others when they come back."""
        self._disposed = True
        while record := self._kept():
            record.close()
        self._connecting.shutdown(wait=False)

    def recreate(self) -> "Connections":
        """Another one, within the same bound."""
        return Connections(
            self._creator,
            self._places,
            self._sound,
            recycle=self._recycle,
            echo=self.echo,
            logging_name=self._orig_logging_name,
            reset_on_return=self._reset_on_return,
            _dispatch=self.dispatch,
            dialect=self._dialect,
        )

    def status(self) -> str:
        """How many connections wait for somebody."""
        return f"{len(self._idle)} of {self._places.count} connections are idle"


class Strands:
    """Runs work in strands, as many at a time as there are places, on whichever loops ask for it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._running: set[Strand] = set()
        self._stuck: list[Strand] = []  # never taken up again
        self._tidying = threading.Lock()  # nothing is waited for inside
        places.on_wait = self._tidy

    @property
    def here(self) -> bool:
        """Whether this is done in a strand."""
        return current() is not None

    def pause(self, seconds: float) -> None:
        """Waits, in a strand or in a thread."""
        strand = current()
        if strand:
            strand.pause(seconds)
        else:
            time.sleep(seconds)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Cancelled, it is brought to its end first, if it had begun."""
        await self._places.taken()
        strand = Strand(work, asyncio.get_running_loop(), self._ended)
        self._running.add(strand)
        strand.switch()
        try:
            found: T = await strand.done
            return found
        finally:
            if strand.done.done():
                strand.done.exception()  # who was cancelled does not ask any more

    def _ended(self, strand: Strand) -> None:
        self._running.discard(strand)
        self._places.free()

    def _tidy(self) -> None:
        """Throws away what loops left standing when they were closed."""
        for strand in [one for one in list(self._running) if one.loop.is_closed()]:
            with self._tidying:
                if strand not in self._running:
                    continue
                self._running.discard(strand)
            if not strand.throw_away():
                self._stuck.append(strand)
                self._places.free()

    async def ended(self) -> None:
        """Waits for the strands of this loop."""
        loop = asyncio.get_running_loop()
        done = [strand.done for strand in self._running if strand.loop is loop]
        if done:
            await asyncio.wait(done)
