"""The turns that run now: each outlives its caller, unless the settings say that it is cancelled with it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Literal

from persona.errors import MisuseError
from persona.values.turn import A, Reply

log = logging.getLogger("persona.turns")


class Running:
    """Runs turns as tasks of their own, so that a client that goes away does not cut one in half.

    `on_disconnect` is what then happens to it, and may change meanwhile.
    """

    def __init__(self, on_disconnect: Literal["finish", "cancel"]) -> None:
        self.on_disconnect = on_disconnect
        self._tasks: set[asyncio.Task[Reply[Any]]] = set()
        self._closing = False

    def start(self, turn: Coroutine[Any, Any, Reply[A]]) -> "asyncio.Task[Reply[A]]":
        """Starts a turn. Raises MisuseError once the closing has begun."""
        if self._closing:
            turn.close()
            raise closed()
        task = asyncio.get_running_loop().create_task(turn, name="persona-turn")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def finish(self, turn: Coroutine[Any, Any, Reply[A]]) -> Reply[A]:
        """Runs a turn and waits for it. When the waiting is cancelled, the turn finishes or is cancelled too."""
        task = self.start(turn)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                await self.leave(task)
            raise

    async def leave(self, task: "asyncio.Task[Reply[A]]") -> None:
        """Does what the settings say for a turn that nobody waits for any more."""
        if self.on_disconnect == "cancel":
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """Lets no new turn begin, and waits for those that run: each has its own time."""
        self._closing = True
        await self.join()

    async def join(self) -> None:
        """Waits for every turn that still runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: "asyncio.Task[Reply[A]]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.debug("a turn ended with %s", type(error).__name__)


def closed() -> MisuseError:
    """What somebody gets who asks an assistant that is closed, or a new turn of one that is closing."""
    return MisuseError("the assistant is closed", hint="open another one")
