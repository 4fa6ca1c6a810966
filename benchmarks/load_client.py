"""The client under load: so many turns at a time, each in a free conversation, now and then in one that is held."""

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from benchmarks.load_words import reply, took_us
from benchmarks.load_worker import ANSWERED

CROSSING = 0.01  # share of the turns that go to a conversation which another turn holds
_PER_USER = 2  # conversations
_SPREAD_S = 1.0


def users_of(conversations: int) -> int:
    """How many users have these conversations."""
    return -(-conversations // _PER_USER)


@dataclass(slots=True)
class Turn:
    """One turn as the client saw it. Times are on the client's clock, in seconds; `wall_us` is what `send` took."""

    number: int
    conversation: int
    began: float
    crossing: bool
    timed: bool
    ended: float = 0.0
    outcome: str = ""
    wall_us: int = 0
    took_us: int = 0

    @property
    def answered(self) -> bool:
        """Whether the reply came, and was the one to this message."""
        return self.outcome == ANSWERED

    @property
    def added_ms(self) -> float:
        """What the process added: the time of the call without the time that the server says it took."""
        return (self.wall_us - self.took_us) / 1e3


class Line:
    """The way to one worker, and the turns that it has not answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[int, tuple[Turn, asyncio.Future[None]]] = {}
        self._listening = asyncio.create_task(self._listen())

    async def ask(self, turn: Turn) -> None:
        """Has the worker do the turn, and waits for it. Raises ConnectionError when the worker has died."""
        if self._listening.done():
            raise ConnectionError("a process under load died; what it said is above")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn.number] = turn, done
        job = [turn.number, f"user-{turn.conversation // _PER_USER}", name_of(turn.conversation)]
        self._writer.write(json.dumps(job).encode() + b"\n")
        await done

    async def _listen(self) -> None:
        async for line in self._reader:
            number, outcome, wall_us, text = json.loads(line)
            turn, done = self._waiting.pop(number)
            turn.ended, turn.wall_us, turn.took_us = time.perf_counter(), wall_us, took_us(text)
            right = outcome != ANSWERED or text == reply(number, turn.took_us)
            turn.outcome = outcome if right else "another message's reply"
            done.set_result(None)
        for turn, done in self._waiting.values():
            turn.outcome = "the process died"
            done.set_result(None)

    async def close(self) -> None:
        """Tells the worker that no more will come, and waits until it has gone."""
        with suppress(OSError):
            self._writer.write_eof()
        await self._listening
        self._writer.close()


@dataclass(slots=True)
class Client:
    """Keeps `concurrency` turns going over the lines to the workers. Any worker serves any conversation."""

    lines: Sequence[Line]
    conversations: int
    concurrency: int
    turns: list[Turn] = field(default_factory=list)
    answered: int = 0
    _numbers: Iterator[int] = field(default_factory=count)
    _chance: random.Random = field(default_factory=lambda: random.Random(43))
    _free: list[int] = field(default_factory=list)
    _held: dict[int, int] = field(default_factory=dict)

    async def open_all(self) -> None:
        """One turn in each conversation, so that all of them are there."""
        self._free = list(range(self.conversations))
        todo = iter(range(self.conversations))

        async def slot() -> None:
            for conversation in todo:
                await self._one(conversation, timed=False)

        await asyncio.gather(*(slot() for _ in range(self.concurrency)))

    async def run(self, seconds: float) -> None:
        """Turns in conversations at random for so long; those that run at the end are waited for."""
        until = time.perf_counter() + seconds

        async def slot(number: int) -> None:
            await asyncio.sleep(_SPREAD_S * number / self.concurrency)  # not all at the same instant
            while time.perf_counter() < until:
                await self._one(self._pick(), timed=True)

        await asyncio.gather(*map(slot, range(self.concurrency)))

    def _pick(self) -> int:
        if self._held and (not self._free or self._chance.random() < CROSSING):
            return self._chance.choice(list(self._held))
        return self._chance.choice(self._free)

    async def _one(self, conversation: int, timed: bool) -> None:
        crossing = conversation in self._held
        turn = Turn(next(self._numbers), conversation, time.perf_counter(), crossing, timed)
        self.turns.append(turn)
        self._take(conversation)
        await self._chance.choice(self.lines).ask(turn)
        self._give_back(conversation)
        self.answered += turn.answered

    def _take(self, conversation: int) -> None:
        if conversation not in self._held:
            self._free.remove(conversation)
        self._held[conversation] = self._held.get(conversation, 0) + 1

    def _give_back(self, conversation: int) -> None:
        self._held[conversation] -= 1
        if not self._held[conversation]:
            del self._held[conversation]
            self._free.append(conversation)


def name_of(conversation: int) -> str:
    """The id of a conversation by its number."""
    return f"c-{conversation}"
