"""Random operations of many owners, each with a mark of its own; every word that is seen is searched for others'.

Tenants have users of the same names, and users have conversations of the same ids.
"""

import asyncio
import hashlib
import itertools
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from torture.channel import Channel
from torture.model import adapter, look, settings, words_of

from persona import Assistant, AsyncAssistant, ConversationBusy, NotFound, PersonaError
from persona.values.request import Request

_MARK = re.compile(r"mark[0-9a-f]{12}")
_TENANTS, _USERS, _CONVERSATIONS = ("", "acme", "globex"), ("ada", "bob", "cy", "di"), ("c-1", "c-2")
_TOPICS = ("parcels", "the garden", "tea", "a bicycle", "rain", "the shelf")
_AT_ONCE = 8


def mark_of(tenant: str, user: str) -> str:
    """What only this owner says."""
    return "mark" + hashlib.sha256(f"{tenant}/{user}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Wish:
    """How many operations of which dice, from tasks or from threads."""

    url: str
    seed: int
    operations: int
    style: str = "tasks"


@dataclass(slots=True)
class Search:
    """What was searched, and every mark that was where it does not belong."""

    channel: Channel
    windows: int = 0
    texts: int = 0

    def window(self, request: Request) -> None:
        """A request as it reaches the model: the newest words say whose it is."""
        self.windows += 1
        owners = _MARK.findall(words_of(request))
        self.look(owners[0], "a window", repr(request))

    def look(self, mark: str, where: str, seen: object) -> None:
        """Searches whatever an owner was given."""
        self.texts += 1
        foreign = set(_MARK.findall(seen if isinstance(seen, str) else repr(seen))) - {mark}
        if foreign:
            self.channel.tell(foreign=sorted(foreign), where=where, owner=mark)


Answer = Callable[..., Any]


class Owner:
    """One user and what they can name: their replies, messages and facts so far."""

    def __init__(self, tenant: str, name: str) -> None:
        self.tenant, self.name, self.mark = tenant, name, mark_of(tenant, name)
        self.replies: list[tuple[str, str]] = []
        self.facts: list[str] = []


def everybody() -> list[Owner]:
    """Every user of every tenant."""
    return [Owner(tenant, name) for tenant, name in itertools.product(_TENANTS, _USERS)]


async def _operate(search: Search, assistant: Any, owner: Owner, other: Owner, dice: random.Random) -> None:
    """One operation, chosen by the dice. `assistant` answers at once or later: both are awaited."""
    user = assistant.user(owner.name, owner.tenant)
    kind = dice.choices(_OPERATIONS, _WEIGHTS)[0]
    topic, number = dice.choice(_TOPICS), dice.randrange(10**9)
    if kind in ("send", "look"):
        said = f"{kind} at {topic} {number} {owner.mark}"
        id = dice.choice(_CONVERSATIONS)
        reply = await _now(user.conversation(id, create=True).send(said, tools=[look]))
        owner.replies.append((id, reply.id))
        search.look(owner.mark, "a reply", reply)
    elif kind == "remember":
        fact = await _now(user.remember(f"likes {topic} {number} {owner.mark}"))
        owner.facts.append(fact.id)
        search.look(owner.mark, "a fact", fact)
    elif kind == "forget" and owner.facts:
        await _now(user.forget(owner.facts.pop(dice.randrange(len(owner.facts)))))
    elif kind == "facts":
        search.look(owner.mark, "the facts", await _now(user.facts()))
    elif kind == "listing":
        search.look(owner.mark, "a listing", list(await _now(user.conversations(limit=50))))
    elif kind == "drain":
        await _now(assistant.drain())
    elif kind == "steal" and other.replies:
        await _steal(search, user, owner, other, dice)
    elif owner.replies:
        await _again(search, user, owner, kind, dice)


async def _again(search: Search, user: Any, owner: Owner, kind: str, dice: random.Random) -> None:
    """Something about an earlier reply."""
    id, reply_id = dice.choice(owner.replies)
    chat = user.conversation(id)
    if kind == "messages":
        search.look(owner.mark, "the messages", await _now(chat.messages()))
    elif kind == "why":
        plan = await _now(chat.why(reply_id))
        search.look(owner.mark, "a plan", f"{plan!r} {plan}")
    elif kind == "regenerate":
        search.look(owner.mark, "another reply", await _now(chat.regenerate(reply_id)))
    elif kind == "correct":
        await _now(chat.correct(reply_id, f"better {owner.mark}"))


async def _steal(search: Search, user: Any, owner: Owner, other: Owner, dice: random.Random) -> None:
    """Asks for somebody else's reply by its id, in a conversation of the same id: nothing may come of it."""
    id, reply_id = dice.choice(other.replies)
    for ask in ("why", "regenerate", "rate"):
        try:
            got = await _now(getattr(user.conversation(id), ask)(reply_id, *([1.0] if ask == "rate" else [])))
        except NotFound as error:
            search.look(owner.mark, "an error", str(error))
        else:
            search.channel.tell(foreign=[other.mark], where=f"{ask} by another's id", owner=owner.mark, got=repr(got))


_OPERATIONS = (
    *("send", "look", "remember", "forget", "facts", "listing", "drain"),
    *("steal", "messages", "why", "regenerate", "correct"),
)
_WEIGHTS = (40, 6, 8, 4, 6, 6, 1, 4, 8, 8, 5, 4)
_TOLD = 200  # operations


async def _now(answer: Any) -> Any:
    return await answer if asyncio.iscoroutine(answer) else answer


def run(channel: Channel, wish: Wish) -> None:
    """Does the operations, and says what was searched."""
    search, dice = Search(channel), random.Random(wish.seed)
    owners = everybody()
    chosen = settings(wish.url, run_tasks=True)
    turns = [(random.Random(dice.random()), *dice.sample(owners, 2)) for _ in range(wish.operations)]
    made = itertools.count(1)

    async def one(assistant: Any, dice: random.Random, owner: Owner, other: Owner) -> None:
        try:
            await _operate(search, assistant, owner, other, dice)
        except (ConversationBusy, NotFound):
            pass  # the other process holds the conversation, or has ended the fact
        except PersonaError as error:
            channel.tell(failed=repr(error))
        if (number := next(made)) % _TOLD == 0:
            channel.tell(operations=number)  # who says nothing for a minute is taken to stand still

    if wish.style == "threads":
        opened = Assistant.open(chosen, adapters=[adapter(search.window)])
        with opened as assistant, ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in [pool.submit(asyncio.run, one(assistant, *turn)) for turn in turns]:
                done.result()
    else:
        asyncio.run(_tasks(AsyncAssistant.open(chosen, adapters=[adapter(search.window)]), one, turns))
    channel.tell(windows=search.windows, texts=search.texts)
    channel.tell(done=True)


async def _tasks(assistant: AsyncAssistant, one: Answer, turns: list[Any]) -> None:
    queue = iter(turns)

    async def worker() -> None:
        for turn in queue:
            await one(assistant, *turn)

    async with assistant:
        await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
