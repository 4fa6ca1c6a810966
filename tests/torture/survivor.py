"""The other worker: opened before the kills, it must see what they left, and go on from there."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from torture.model import adapter, look, reply_to, settings
from torture.oracle import Fact, broken, read

from persona import AsyncAssistant
from persona.adapter import cosine_floor
from persona.memory.index import OwnerIndex
from persona.store import memories, owners
from persona.values import words
from persona.values.owner import Owner

LATER = timedelta(hours=1)  # than any lease of a child
_PATIENCE_S = 10.0


def later() -> datetime:
    """A time at which every lease of the dead has run out."""
    return datetime.now(UTC) + LATER


class Survivor:
    """An assistant on the same database, an hour ahead of those that are killed."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime] = later,
        *,
        busy_timeout_s: float = 20.0,
        wait_s: float = 30.0,
        durability: str = "normal",
    ) -> None:
        chosen = settings(url, busy_timeout_s=busy_timeout_s, wait_s=wait_s, durability=durability)
        self.assistant = AsyncAssistant.open(chosen, adapters=[adapter()], clock=clock)

    async def broken(self, facts: list[Fact]) -> list[str]:
        """What the database breaks of what was acknowledged."""
        return broken(read((await self.assistant.services()).database), facts)

    async def say(self, conversation: str, said: str, user: str = "ada") -> Fact:
        """Sends a text under its own key and returns the acknowledgement."""
        chat = self.assistant.user(user).conversation(conversation, create=True)
        reply = await chat.send(said, tools=[look], idempotency_key=said)
        assert reply.text == reply_to(said)
        return {"replied": said, "id": reply.id, "text": reply.text, "conversation": conversation}

    async def go_on(self, begun: list[tuple[str, str]], facts: list[Fact], user: str = "ada") -> list[str]:
        """Retries what was begun, says something more, does all the work; returns what is broken after that."""
        more = [await self.say(conversation, said, user) for conversation, said in begun]
        again = [await self.say(conversation, said, user) for conversation, said in begun]
        assert again == more, "the same key brought another reply"
        for conversation in {one for one, _ in begun}:
            more.append(await self.say(conversation, f"and after {conversation}", user))
        await self._do_all_work()
        return [*await self.broken([*facts, *more]), *await self._disagreeing(user)]

    async def _do_all_work(self) -> None:
        """Drains until nothing is left: a busy server needs a moment to see that a client is dead, and that one's
        row locks make us skip a task till then.
        """
        database, loop = (await self.assistant.services()).database, asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        await self.assistant.drain()
        while read(database).tasks and loop.time() < until:
            await asyncio.sleep(0.05)
            await self.assistant.drain()

    async def _disagreeing(self, user: str) -> list[str]:
        """What is left to do, and where the index in memory differs from one made of the rows."""
        services = await self.assistant.services()
        owner = Owner("", user)

        def read_all() -> tuple[OwnerIndex, OwnerIndex]:
            with services.database.transaction(write=False) as tx:
                state = owners.find(tx, owner)
                key, revision = (state.key, state.revision) if state else (0, -1)
                rows = memories.since(tx, key, -1)
                made = OwnerIndex(services.embedder.name, cosine_floor=cosine_floor(services.embedder))
                made.apply(rows)
                return services.indexes.get(key, revision, lambda since: memories.since(tx, key, since)), made

        cached, made = await services.database.thread(read_all)
        found = [f"task {kind} for {subject} is left" for subject, _, kind in read(services.database).tasks]
        if len(cached) != len(made):
            found.append(f"the index holds {len(cached)} memories, and the store {len(made)}")
        for query in ("hello", "look at the shelf", "remember"):
            (vector,) = services.embedder.embed([query])  # type: ignore[union-attr]
            terms = words.terms(query)
            if cached.search(vector, terms, 1000) != made.search(vector, terms, 1000):
                found.append(f"the index finds other memories of {query!r} than the store holds")
        return found
