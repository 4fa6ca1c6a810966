"""A whole turn without the model's own time: a chat model that answers at once, SQLite, many users with memories."""

import asyncio
import resource
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from benchmarks.figures import Row, Table, Timing, cpu_us_async, ratio_row, row, timing_of
from benchmarks.peers import NOT_INSTALLED, ask
from benchmarks.persist import raw_hops
from benchmarks.population import populate
from benchmarks.texts import messages
from benchmarks.window import RULES
from persona import AsyncAssistant, Settings
from persona.adapter import Adapter, ChatModel, Provider
from persona.assistant.conversation import AsyncConversation
from persona.values.request import Delta, Finish, Request, TextDelta

_USERS, _FEW_USERS, _MEMORIES, _TIMED = 1_000, 10, 100, 1_000
_SHORT, _LONG = 10, 2_000  # messages
_REACH_MS, _REACH_RATIO = 2.5, 1.3
_WARM_ROUNDS = 2  # turns of each user before any is timed: the lines of their memories are then counted
_PEER = "put together: Agents SDK session, LangChain trim_messages and vector store (no plan, one user)"
_MEGABYTE = 1024.0  # ru_maxrss is in kilobytes


class PreparedChat:
    """Answers with a prepared reply, at once."""

    def __init__(self, replies: Iterator[str]) -> None:
        self._replies = replies

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """One text and its end."""
        yield TextDelta(next(self._replies))
        yield Finish("end", model=request.model)

    async def close(self) -> None:
        """Nothing is held open."""


def prepared_adapter() -> Adapter:
    """A provider `prepared`, with no key and no network."""

    def chat(provider: Provider) -> ChatModel:
        return PreparedChat(cycle(messages(500, seed=3)))

    return Adapter("prepared", chat=chat, needs_key=False, sends_outside=False)


def run(quick: bool) -> list[Table]:
    """Turns of many users and of few, in a short conversation and a long one."""
    return asyncio.run(_run(100 if quick else _USERS, 200 if quick else _LONG))


async def _run(users: int, length: int) -> list[Table]:
    many, few = await _crowd(users), await _crowd(_FEW_USERS)
    async with _opened(_FEW_USERS) as assistant:
        short, long = await _lengths(assistant, length)
    flat = (
        ratio_row(f"persona, {length:,} messages of history against {_SHORT}", long, short, _REACH_RATIO),
        ratio_row(f"persona, {users:,} users against {_FEW_USERS}", many.alone, few.alone, _REACH_RATIO),
    )
    kept = (
        Row(f"process with {users:,} users × {_MEMORIES} memories in use (peak)", many.resident_mb, "beside"),
        Row("process before the first turn", many.started_mb, "beside"),
    )
    return [
        await _times(users, many),
        Table("a whole turn: flat", "times", flat),
        Table("resident memory", "MB", kept),
    ]


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Turns of so many users: the first of each, then each by itself and with its background work."""

    cold: Timing
    alone: Timing
    indexed: Timing
    started_mb: float
    resident_mb: float


async def _crowd(users: int) -> _Crowd:
    async with _opened(users) as assistant:
        started_mb = _resident_mb()
        cold, _ = await _turns(assistant, users, 1, seed=21)
        await _turns(assistant, users, _WARM_ROUNDS, seed=22)
        alone, indexed = await _turns(assistant, users, max(1, _TIMED // users), seed=23)
        return _Crowd(cold, alone, indexed, started_mb, _resident_mb())


async def _times(users: int, many: _Crowd) -> Table:
    peer = ask("peer_turn", str(RULES.limit), "100")
    rows = [
        _judged(f"persona, {users:,} users × {_MEMORIES} memories", many.alone),
        _judged("persona, with what it leaves to the background (index the message)", many.indexed),
        row("persona, a user's first turn in this process: their memories are loaded", many.cold, "beside", per=1e3),
        row("raw sqlite3: the two transactions of a turn, with their hops", await raw_hops(200), "limit", per=1e3),
    ]
    if peer:
        rows.append(row(_PEER, Timing(**peer["turn"]), "peer", per=1e3))
    notes = () if peer else (NOT_INSTALLED,)
    return Table("a whole turn without the model", "ms of CPU, threads included", tuple(rows), notes)


@asynccontextmanager
async def _opened(users: int) -> AsyncIterator[AsyncAssistant]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {
                "store": {"url": f"sqlite:///{folder}/bench.db"},
                "tasks": {"run": False},  # the benchmark calls for it, to tell it from the turn
                "routes": {"default": {"target": "prepared:model"}},
            }
        )
        async with AsyncAssistant.open(settings, adapters=[prepared_adapter()], environment={}) as assistant:
            await populate(assistant, users, _MEMORIES)
            yield assistant


def _chat(assistant: AsyncAssistant, user: int) -> AsyncConversation:
    return assistant.user(f"user-{user}").conversation(id="c-1", create=True)


async def _turns(assistant: AsyncAssistant, users: int, rounds: int, seed: int) -> tuple[Timing, Timing]:
    """The turns by themselves, and with the background work that each leaves."""
    said = iter(messages(users * rounds, seed))
    chats = cycle([_chat(assistant, user) for user in range(users)])
    await assistant.drain()
    alone, indexed = [], []
    for text in said:
        chat = next(chats)
        turn = await cpu_us_async(partial(chat.send, text), 0)
        after = await cpu_us_async(assistant.drain, 0)
        alone.append(round(turn.cold * 1e3))
        indexed.append(round((turn.cold + after.cold) * 1e3))
    return timing_of(alone), timing_of(indexed)


async def _lengths(assistant: AsyncAssistant, length: int) -> tuple[Timing, Timing]:
    """Turns at the start of a conversation, and when it is that long. What is said is not indexed meanwhile."""
    said = iter(messages(length + _TIMED, seed=24))
    chat = _chat(assistant, 0)
    for _ in range(_SHORT // 2):
        await chat.send(next(said))
    short = await cpu_us_async(lambda: chat.send(next(said)), 40)
    for _ in range(length // 2 - _SHORT // 2 - 41):
        await chat.send(next(said))
    return short, await cpu_us_async(lambda: chat.send(next(said)), 200)


def _judged(what: str, timing: Timing) -> Row:
    plain = row(what, timing, per=1e3)
    return Row(what, plain.value, "ours", plain.p95, plain.cold, _REACH_MS, _REACH_MS)


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
