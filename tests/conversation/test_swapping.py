"""Arms are swapped from another process while twenty streams run: no turn is lost, and nobody moves who should not."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from talking import Log
from wire import Answer, WireServer

from persona import AsyncAssistant, AsyncConversation, Reply, TextDelta
from persona.assistant import serving
from persona.assistant.watch import Watch
from persona.routing.shares import Shares
from persona.settings import load
from persona.values.owner import Owner

USERS = [Owner("acme", f"user-{number}") for number in range(20)]
ENVIRONMENT = {"THE_KEY": "sk-1"}
ALL_BASE, HALF, ALL_TUNED = {"base": 1.0}, {"base": 0.5, "tuned": 0.5}, {"tuned": 1.0}
SLOW = "take your time"


def answer(body: Any) -> Answer:
    """Says which model it is; asked to take its time, it says half of that and waits to be released."""
    slow = SLOW in body["messages"][-1]["content"]
    return Answer(pieces=("I am ", f"{body['model']}."), end="hang" if slow else "whole")


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        server.answer = answer
        yield server


_EDIT = """
import os, re, sys
path, shares = sys.argv[1:]
with open(path) as file:
    text = re.sub("(?m)^serve = .*$", f"serve = {{ {shares} }}", file.read())
with open(path + ".new", "w") as file:
    file.write(text)
os.replace(path + ".new", path)
"""


class Line:
    """One conversation in which streams are read to their end."""

    def __init__(self, owner: Owner, chat: AsyncConversation) -> None:
        self.owner = owner
        self.begun = asyncio.Event()
        self._chat = chat

    async def say(self, text: str) -> str:
        """The arm that answered, in a reply that is whole."""
        self.begun.clear()
        said = []
        async with self._chat.stream(text) as turn:
            async for event in turn:
                assert isinstance(event, TextDelta)
                said.append(event.text)
                self.begun.set()
        return self.arm_of(turn.reply, "".join(said))

    def arm_of(self, reply: Reply, said: str) -> str:
        arm = reply.target.removeprefix("wired:")
        assert reply.text == said == f"I am {arm}."
        return arm


class Place:
    """An assistant that looks at its settings file before every turn, and another process that changes it."""

    def __init__(self, path: Path, assistant: AsyncAssistant) -> None:
        self.assistant = assistant
        self._path = path

    async def serve(self, shares: dict[str, float]) -> None:
        """Exchanges the settings file, in a process of its own."""
        written = ", ".join(f"{arm} = {share}" for arm, share in shares.items())
        process = await asyncio.create_subprocess_exec(sys.executable, "-IS", "-c", _EDIT, str(self._path), written)
        assert await process.wait() == 0

    async def begin(self) -> dict[Line, str]:
        """A new conversation of every user, all at once, and the arm of each."""
        lines = [Line(owner, self.assistant.user(owner.name, owner.tenant).conversation()) for owner in USERS]
        return dict(zip(lines, await asyncio.gather(*(line.say("hello") for line in lines)), strict=True))


@pytest.fixture
async def place(tmp_path: Path, server: WireServer) -> AsyncIterator[Place]:
    path = tmp_path / "persona.toml"
    path.write_text(
        f'[providers.wired]\nkind = "openai"\nbase_url = "{server.url}"\nkey_env = "THE_KEY"\n'
        '[tasks]\nrun = false\n[routes.support]\nserve = "base"\n'
        '[routes.support.arms]\nbase.target = "wired:base"\ntuned.target = "wired:tuned"\n'
    )
    assistant = AsyncAssistant.open(path, environment=ENVIRONMENT)
    ticks = count(0, 10)
    assistant._watch = Watch(path, lambda: load(path, ENVIRONMENT), lambda: float(next(ticks)))
    async with assistant:
        yield Place(path, assistant)


def by_share(shares: dict[str, float]) -> list[str]:
    return [Shares("support", shares).arm(owner) for owner in USERS]


async def test_an_arm_is_swapped_under_twenty_streams_and_exactly_those_move_who_should(
    place: Place, server: WireServer, tmp_path: Path
) -> None:
    arms = await place.begin()
    assert list(arms.values()) == by_share(ALL_BASE)
    for shares in (HALF, ALL_TUNED):
        running = {line: asyncio.create_task(line.say(SLOW)) for line in arms}
        await asyncio.gather(*(line.begun.wait() for line in running))
        await place.serve(shares)
        new = await place.begin()
        server.release()
        ended = dict(zip(running, await asyncio.gather(*running.values()), strict=True))
        assert ended == arms, "a stream that ran ended on its arm"
        assert {line: await line.say("and now?") for line in arms} == arms, "a conversation stays on its arm"
        assert list(new.values()) == by_share(shares), "new ones go where their user's share is"
        arms |= new
    assert 0 < by_share(HALF).count("tuned") < len(USERS)
    assert {row["state"] for row in Log(tmp_path / "persona.db").turns} == {"answered"}
    told = 20 + (20 + 20 + 20) + (40 + 20 + 40)  # each round: the streams, the new ones, the old ones again
    assert len(Log(tmp_path / "persona.db").turns) == told == len(server.requests)


async def test_a_hold_moves_every_conversation_with_its_next_turn_and_no_stream_that_runs(
    place: Place, server: WireServer
) -> None:
    await place.serve(ALL_TUNED)
    arms = await place.begin()
    running = {line: asyncio.create_task(line.say(SLOW)) for line in arms}
    await asyncio.gather(*(line.begun.wait() for line in running))
    await asyncio.to_thread(serving.hold, place.assistant.settings, "support", "base", "grace", "it invents prices")
    assert set((await place.begin()).values()) == {"base"}
    server.release()
    assert set(await asyncio.gather(*running.values())) == {"tuned"}
    assert {await line.say("and now?") for line in arms} == {"base"}
    await asyncio.to_thread(serving.release, place.assistant.settings, "support", "grace")
    assert {await line.say("and now?") for line in arms} == {"tuned"}
