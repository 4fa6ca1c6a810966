"""One event loop in a thread of its own, for code that has none."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from persona.assistant.running import closed
from persona.errors import MisuseError
from persona.store.forks import Origin

T = TypeVar("T")


class Portal:
    """Runs coroutines on one long-lived loop and waits for them; SDK clients and locks stay on that loop."""

    def __init__(self) -> None:
        self._origin = Origin()
        self._loop = asyncio.new_event_loop()
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, name="persona-portal", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, or what it raised. A KeyboardInterrupt here cancels it."""
        if not self._origin.here:  # a fork has the loop, and not the thread that runs it
            work.close()
            self._origin.check()
        if not self._thread.is_alive() or self._loop.is_closed():
            work.close()
            raise closed()
        if threading.current_thread() is self._thread:
            work.close()
            raise MisuseError("a tool or callback called the sync assistant", hint="use AsyncAssistant there")
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # in this very moment
            work.close()
            raise closed() from None
        try:
            return future.result()
        except CancelledError:
            if self._stopped:
                raise closed() from None
            raise
        except BaseException:
            future.cancel()
            raise

    def iterate(self, events: AsyncIterator[T]) -> Iterator[T]:
        """The items of an async iterator, one by one."""
        while True:
            try:
                yield self.call(_next(events))
            except StopAsyncIteration:
                return

    @property
    def open(self) -> bool:
        """Whether it can still be called."""
        return self._origin.here and not self._loop.is_closed()

    def close(self) -> None:
        """Stops the loop. Safe to repeat. What other threads still wait for ends with MisuseError."""
        if not self.open:
            return
        self._stopped = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            if left := asyncio.all_tasks(self._loop):
                for task in left:
                    task.cancel()
                self._loop.run_until_complete(asyncio.wait(left))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


async def _next(events: AsyncIterator[T]) -> T:
    return await anext(events)
