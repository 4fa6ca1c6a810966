"""A local embedder that is not quick: a turn waits for it in a thread, when its message is durable already."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import pytest
from memory_rows import TinyEmbedder
from numpy.typing import NDArray
from talking import Desk

from persona import TurnCancelled
from persona.adapter import Adapter


class Gate(TinyEmbedder):
    """Thinks until it is let go on."""

    quick = False

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.open = threading.Event(), threading.Event()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.set()
        assert self.open.wait(10)
        return super().embed(texts)


async def test_the_message_is_durable_and_the_loop_is_free_while_a_slow_embedder_thinks(desk: Desk) -> None:
    gate = Gate()
    slow = Adapter("slow", embed=lambda provider, model: gate, needs_key=False)
    desk.model.then("ok")
    async with desk.open_async([slow], memory={"embedder": "slow:any"}) as assistant:
        turn = asyncio.create_task(assistant.user("ada").conversation().send("hello"))
        assert await asyncio.to_thread(gate.asked.wait, 10)  # comes back only where the loop runs on
        assert [row["role"] for row in desk.log.messages] == ["user"]
        gate.open.set()
        assert (await turn).text == "ok"


async def test_a_turn_that_is_cancelled_before_its_call_says_so_though_its_end_cannot_be_written(desk: Desk) -> None:
    gate = Gate()
    slow = Adapter("slow", embed=lambda provider, model: gate, needs_key=False)
    tables = {
        "memory": {"embedder": "slow:any"},
        "turn": {"on_disconnect": "cancel"},
        "store": {"busy_timeout_s": 0.05},
    }
    async with desk.open_async([slow], **tables) as assistant:
        stream = assistant.user("ada").conversation().stream("hello")
        with closing(sqlite3.connect(desk.log.path, isolation_level=None)) as other:
            async with stream:
                assert await asyncio.to_thread(gate.asked.wait, 10)
                other.execute("BEGIN IMMEDIATE")
        gate.open.set()
        with pytest.raises(TurnCancelled):
            async for _ in stream:
                pass
