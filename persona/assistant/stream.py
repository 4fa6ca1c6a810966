"""A turn as it happens: events while the model speaks, and the stored reply at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self

from persona.assistant.running import Running
from persona.errors import MisuseError, TurnCancelled
from persona.values.turn import A, Event, Reply

Work = Callable[[Callable[[Event], None]], Coroutine[Any, Any, Reply[Any]]]


class AsyncTurnStream(Generic[A]):
    """An async context manager that yields the turn's events; `reply` is there once it has yielded them all.

    Leaving it early finishes the turn in the background or cancels it, as `turn.on_disconnect` says.
    """

    def __init__(self, running: Running, work: Work) -> None:
        self._running = running
        self._work = work
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._task: asyncio.Task[Reply[A]] | None = None

    @property
    def reply(self) -> Reply[A]:
        """The stored reply. Raises MisuseError before the turn has ended well."""
        task = self._task
        if task is None or not task.done() or task.cancelled() or task.exception():
            raise MisuseError("the turn has no reply yet", hint="read the stream to its end first")
        return task.result()

    async def __aenter__(self) -> Self:
        if self._task is None:
            self._task = self._running.start(self._work(self._events.put_nowait))
            self._task.add_done_callback(lambda _: self._events.put_nowait(None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task and not self._task.done():
            await self._running.leave(self._task)

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._task is None:
            raise MisuseError("the stream was not entered", hint="use it as: async with chat.stream(…) as turn")
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)  # for whoever iterates again
        if self._task.cancelled():
            raise TurnCancelled("the turn was cancelled", hint="its message stays, and the log says so; send it again")
        self._task.result()  # raises what the turn raised
