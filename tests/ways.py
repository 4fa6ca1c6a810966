"""One talk in each of the ways that a backend may hold it: sync, async, and as a stream."""

import asyncio
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, Self

from talking import Desk

from persona import Event, Reply

Way = Literal["sync", "async", "streamed"]
WAYS: tuple[Way, ...] = ("sync", "async", "streamed")


class Talk:
    """A conversation of ada's in an assistant of its own; `events` are those of the last stream."""

    def __init__(self, way: Way, desk: Desk, **tables: Any) -> None:
        self.events: list[Event] = []
        self._way = way
        self._stack = ExitStack()
        if way == "sync":
            self._sync = desk.chat(**tables)
            return
        self._runner = self._stack.enter_context(asyncio.Runner())
        assistant = desk.open_async(**tables)
        self._runner.run(assistant.__aenter__())
        self._stack.callback(lambda: self._runner.run(assistant.close()))
        self._async = assistant.user("ada").conversation()

    def say(self, text: str, **options: Any) -> Reply[Any]:
        """The reply to a text."""
        if self._way == "sync":
            return self._sync.send(text, **options)
        if self._way == "async":
            return self._runner.run(self._async.send(text, **options))
        return self._runner.run(self._streamed(text, options))

    async def _streamed(self, text: str, options: dict[str, Any]) -> Reply[Any]:
        self.events.clear()
        async with self._async.stream(text, **options) as turn:
            async for event in turn:
                self.events.append(event)
        return turn.reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
