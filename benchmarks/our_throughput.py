"""persona's side of the throughput: whole turns on SQLite with memory and window, or the OpenAI adapter alone.

`python -m benchmarks.our_throughput whole BASE_URL MESSAGES` (how many a request carries) or
`python -m benchmarks.our_throughput adapter BASE_URL MESSAGES.json`.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

from persona_openai.chat import OpenAIChat
from persona_openai.convert import from_wire

from benchmarks.lanes import Call, lanes, race
from benchmarks.population import populate
from benchmarks.texts import messages
from persona import AsyncAssistant, Settings
from persona.adapter import Provider
from persona.assistant.conversation import AsyncConversation
from persona.store import turns
from persona.store.ids import new_id
from persona.store.opening import Opened, Opening, open_turn
from persona.store.transaction import Transaction
from persona.store.turns import Advance
from persona.values.message import Message, Text
from persona.values.owner import Owner
from persona.values.request import Request, Target
from persona.window.counting import Counter

Json = list[dict[str, Any]]  # the wire's own shape

_USERS, _MEMORIES = 16, 100
_TARGET = Target("local", "instant")
# tokens: 130 messages fit, so the window sends them all, and memories get no more room than by default
_WINDOW = {"budget": 16_384, "sections": {"recall": {"max": 1_075}}}
_LEASE_US = 90_000_000
_AT_US = 1_760_000_000_000_000


async def whole(base_url: str, sent: int) -> None:
    """Turns of conversations that are as long as it takes for a request to carry `sent` messages."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncAssistant.open(_settings(folder, base_url), environment={}) as assistant:
            await populate(assistant, _USERS, _MEMORIES)
            talk = _Talk(assistant, earlier=(sent - 2) // 2)  # beside instructions and input
            await race(talk.prepare, assistant.drain)


async def adapter(base_url: str, sent: Json) -> None:
    """The adapter alone, with the messages that a whole turn was seen to send."""
    model = OpenAIChat(Provider("local", "openai", base_url))
    request = Request(_TARGET.model, from_wire({"messages": sent}))

    async def call() -> object:
        async with aclosing(model.call(request)) as deltas:  # type: ignore[type-var]  # it is an async generator
            return [delta async for delta in deltas]

    async def prepare(number: int) -> Sequence[Call]:
        return [call] * number

    await race(prepare)


def _settings(folder: str, base_url: str) -> Settings:
    return Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{folder}/bench.db"},
            "tasks": {"run": False},  # done behind each round instead, to tell it from the turns
            "providers": {_TARGET.provider: {"kind": "openai", "base_url": base_url}},
            "routes": {"default": {"target": str(_TARGET), "window": _WINDOW}},
        }
    )


class _Talk:
    """Conversations of one turn each: what was said before was stored, and its last turn went through the face.

    That one leaves in this process what the turn before always leaves.
    """

    def __init__(self, assistant: AsyncAssistant, earlier: int) -> None:
        self._assistant = assistant
        self._earlier = earlier
        self._ids = count()
        self._texts = cycle(messages(2_000, seed=41))

    async def prepare(self, number: int) -> Sequence[Call]:
        """One turn in each of so many conversations."""
        chats = [await self._begun(index) for index in islice(self._ids, number)]
        await lanes(partial(chat.send, next(self._texts)) for chat in chats)
        await self._assistant.drain()
        return [partial(chat.send, next(self._texts)) for chat in chats]

    async def _begun(self, index: int) -> AsyncConversation:
        services = await self._assistant.services()
        counter = services.providers.counter(_TARGET)
        user, id = f"user-{index % _USERS}", f"c-{index}"
        stored = partial(_stored, Owner("", user), id, self._earlier - 1, self._texts, counter)
        await services.database.run(stored)
        return self._assistant.user(user).conversation(id=id, create=True)


def _stored(owner: Owner, id: str, number: int, texts: Iterator[str], counter: Counter, tx: Transaction) -> None:
    """So many turns of one conversation, as `persona.conversation` stores them, without their exchanges."""

    def tokens(message: Message) -> dict[str, int]:
        return {counter.name: counter.message(message)}

    for turn in range(number):
        at_us = _AT_US + turn * 60_000_000
        said = (Text(next(texts)),)
        opening = Opening(
            new_id("trn"), owner, id, said, at_us, _LEASE_US, lambda _, one: tokens(one), "default", "base"
        )
        opened = open_turn(tx, opening)
        assert isinstance(opened, Opened)
        asked, before = opened.message, opened.before
        reply = Message(
            "assistant", (Text(next(texts)),), new_id("msg"), asked.id, opened.turn_id, asked.depth + 1, at_us
        )
        advance = Advance(
            turn_id=opened.turn_id,
            held_until_us=opened.held_until_us,
            conversation_key=before.key,
            owner_key=opened.owner.key,
            head=reply,
            added=[(reply, tokens(reply))],
            anchor="",
            last_exchange_id="",
            now_us=at_us,
        )
        turns.close_turn(tx, advance, "answered", reply.id)


if __name__ == "__main__":
    system, url, what = sys.argv[1:]
    asyncio.run(whole(url, int(what)) if system == "whole" else adapter(url, json.loads(Path(what).read_bytes())))
