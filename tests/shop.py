"""A shop: workers on one SQLite file, with a clock of their own and an embedder that lets others in between."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stored import NOW
from talking import Log, settings

from persona import Assistant
from persona.adapter import Adapter
from persona.tasks.worker import Worker
from persona.testing import ScriptedModel
from persona.values.time import from_us
from persona.wiring import Rooms, open_rooms

Between = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Far:
    """An embedder that runs the last of `between` before it answers, once."""

    between: list[Between]
    name: str = "far:v"
    dimension: int = 4
    batch_size: int = 8

    async def embed_remotely(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.between:
            await self.between.pop()()
        return np.eye(self.dimension, dtype=np.float32)[[0] * len(texts)]

    async def close(self) -> None:
        """Nothing is held open."""


@dataclass(slots=True)
class Shop:
    """One folder with one database, and the workers that were opened on it."""

    folder: Path
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    now_us: int = NOW
    between: list[Between] = field(default_factory=list)
    model: ScriptedModel = field(default_factory=ScriptedModel)

    @property
    def log(self) -> Log:
        """What the database says."""
        return Log(self.folder / "persona.db")

    @property
    def tasks(self) -> list[tuple[str, str]]:
        """The kind and the state of every task."""
        return [(row["kind"], row["state"]) for row in self.log.rows("SELECT * FROM persona_tasks ORDER BY id")]

    def say(self, *texts: str, user: str = "ada", tenant: str = "", **tables: Any) -> list[str]:
        """Says each in a conversation of its own, in another process as it were; returns the conversations' ids."""
        chosen = settings(self.folder, **tables)
        model = ScriptedModel(*["ok"] * len(texts))
        with Assistant.open(chosen, adapters=[model.adapter], clock=lambda: from_us(self.now_us)) as assistant:
            person = assistant.user(user, tenant)
            return [person.conversation().send(text).conversation_id for text in texts]

    async def rooms(self, **tables: Any) -> Rooms:
        """Another process's rooms, closed when the test ends."""
        chosen = settings(self.folder, memory={"embedder": "far:v"}, **tables)
        far = Adapter(name="far", embed=lambda provider, model: Far(self.between), needs_key=False)
        rooms = await open_rooms(chosen, {}, [self.model.adapter, far], lambda: self.now_us)
        self.stack.push_async_callback(rooms.close)
        return rooms

    async def worker(self, **tables: Any) -> Worker:
        """Another process's worker."""
        return (await self.rooms(**tables)).worker
