"""Transactions that an event loop drives: their work stands still, in a greenlet, while the server answers.

The work is written as everywhere else, in plain functions of a Transaction. Where a thread would wait for the socket,
a strand hands the loop's thread back, and the loop takes it up again when there is an answer. Imported only for
PostgreSQL: greenlet, by which SQLAlchemy comes to asyncio too, is part of its extra.

asyncio's own loops take it up where they call back, and others in the next turn: uvloop calls back from within libuv,
which holds pointers into the C stack meanwhile, and writes through them while a strand is what stands there.

A strand never waits for anything but the server, a pause of its own, or a thread that connects: whatever else it
would wait for may be held by another strand of the same loop, which would then stand still for ever. So it has its
place among the connections before it begins (`lending`), and no lock that is held while the server answers is waited
for in it.
"""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from typing import Any, TypeVar

import psycopg
from greenlet import GreenletExit, getcurrent, greenlet
from greenlet import error as greenlet_error
from psycopg.waiting import READY_NONE, READY_R, READY_W, WAIT_R, WAIT_W

T = TypeVar("T")


class _Steady(asyncio.Future[T]):
    """A future that is not cancelled: whoever waits for it is told so when it is done."""

    def cancel(self, msg: object = None) -> bool:
        return False


class Strand(greenlet):
    """Work that is done on a loop, with a place among the connections."""

    def __init__(
        self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop, ended: Callable[["Strand"], None]
    ) -> None:
        super().__init__()
        self.done: asyncio.Future[Any] = _Steady(loop=loop)
        self.loop = loop
        self.borrowed: Any = None  # the pool's record of its connection
        self._work = work
        self._ended = ended
        self._at_once = isinstance(loop, asyncio.BaseEventLoop)
        self._waking: asyncio.Handle | None = None

    def run(self) -> None:
        """The work, and what came of it; what a loop that is gone leaves standing is thrown away."""
        try:
            try:
                result = self._work()
            finally:
                self._ended(self)
        except GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
            if not self.loop.is_closed():
                self.done.set_exception(error)
        else:
            self.done.set_result(result)

    def talk(self, gen: Generator[int, int, T], socket: int, patience_s: float | None) -> T:
        """What one of psycopg's generators returns. Raises its OperationalError when that takes longer."""
        timer = self.loop.call_later(patience_s, self._wake, READY_NONE) if patience_s is not None else None
        try:
            wait = next(gen)
            while True:
                ready = self._ready(socket, wait)
                if not ready:
                    raise psycopg.OperationalError("the server does not answer")
                wait = gen.send(ready)
        except StopIteration as end:
            found: T = end.value
            return found
        finally:
            if timer:
                timer.cancel()

    def _ready(self, socket: int, wait: int) -> int:
        """Stands still until the socket is ready."""
        if wait & WAIT_R:
            self.loop.add_reader(socket, self._wake, READY_R)
        if wait & WAIT_W:
            self.loop.add_writer(socket, self._wake, READY_W)
        try:
            return int(self._stand())
        finally:
            self.loop.remove_reader(socket)
            if wait & WAIT_W:
                self.loop.remove_writer(socket)

    def pause(self, seconds: float) -> None:
        """Lets others work for so long."""
        timer = self.loop.call_later(seconds, self._wake)
        try:
            self._stand()
        finally:
            timer.cancel()

    def elsewhere(self, work: Callable[[], T], threads: Executor) -> T:
        """What takes long and is no statement, done in a thread."""
        made = self.loop.run_in_executor(threads, work)
        made.add_done_callback(self.switch)
        if not made.done():
            self._stand()
        return made.result()

    def throw_away(self) -> bool:
        """Undoes what a loop that was closed left standing; False when only the connection could be closed.

        What stands still in a thread cannot be left from another one.
        """
        try:
            self.parent = getcurrent()
            self.throw(GreenletExit)
        except (greenlet_error, ValueError):
            if self.borrowed:
                self.borrowed.driver_connection.pgconn.finish()
            return False
        return True

    def _wake(self, *ready: int) -> None:
        """Takes it up, or has the loop do so in its next turn: for the first of several reasons then."""
        if self._at_once:
            self.switch(*ready)
        elif self._waking is None:
            self._waking = self.loop.call_soon(self.switch, *ready)

    def _stand(self) -> Any:
        try:
            return self.parent.switch() if self.parent else None  # only a thread's first greenlet has none
        finally:
            self._waking = None


def current() -> Strand | None:
    """The strand that this is done in."""
    here = getcurrent()
    return here if isinstance(here, Strand) else None
