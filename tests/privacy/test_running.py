"""Erasing wins over what runs: a turn that the model is answering, and background work that was begun."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from privacy.traces import in_files, in_rows, mark
from shop import Far
from talking import Desk, ask

from persona import AsyncAssistant, AsyncUser, Erased, Reply
from persona.adapter import Adapter
from persona.store import conversations
from persona.store.engine import Database
from persona.values.owner import Owner

SAID, REPLIED, BEFORE = mark(1), mark(2), mark(3)
Erase = Callable[[AsyncUser], Awaitable[object]]


class Held:
    """A model that answers when it is told to; `asked` is set when it was asked."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: object) -> str:
        self.asked.set()
        await self.go.wait()
        return REPLIED


@pytest.fixture
async def assistant(desk: Desk, url: str) -> AsyncIterator[AsyncAssistant]:
    async with desk.open_async(store={"url": url}) as assistant:
        yield assistant


@pytest.fixture
async def database(assistant: AsyncAssistant) -> Database:
    return (await assistant.services()).database


async def erased_while(held: Held, turn: "asyncio.Task[Reply]", erase: Awaitable[object]) -> None:
    """Erases while the model is answering, and sees how the turn ends."""
    await asyncio.wait_for(held.asked.wait(), 10)
    await erase
    held.go.set()
    with pytest.raises(Erased, match="erased while the turn ran"):
        await asyncio.wait_for(turn, 10)


async def everything(user: AsyncUser) -> object:
    return await user.erase()


async def the_conversation(user: AsyncUser) -> object:
    return await user.conversation("c-1").erase()


async def the_message(user: AsyncUser) -> object:
    messages = await user.conversation("c-1").messages()
    return await user.erase_message(messages[-1].id)


@pytest.mark.parametrize("erase", [everything, the_conversation, the_message])
async def test_a_turn_whose_words_are_erased_ends_and_writes_nothing_back(
    erase: Erase, assistant: AsyncAssistant, desk: Desk, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    held, user = Held(), assistant.user("ada")
    desk.model.then(held)
    turn = asyncio.ensure_future(user.conversation("c-1", create=True).send(SAID, idempotency_key="k"))
    await asyncio.wait_for(held.asked.wait(), 10)
    await erased_while(held, turn, erase(user))
    await assistant.drain()
    assert in_rows(database, SAID, REPLIED) == {}
    assert in_files(desk.folder, SAID, REPLIED) == {}
    assert caplog.messages == []


async def test_what_was_said_before_may_be_erased_while_the_next_turn_runs(
    assistant: AsyncAssistant, desk: Desk, database: Database
) -> None:
    held, user = Held(), assistant.user("ada")
    chat = user.conversation("c-1", create=True)
    desk.model.then("noted", held)
    await chat.send(BEFORE)
    (first, _) = await chat.messages()
    turn = asyncio.ensure_future(chat.send("and now?"))
    await asyncio.wait_for(held.asked.wait(), 10)
    await erased_while(held, turn, user.erase_message(first.id))
    assert in_rows(database, BEFORE, REPLIED) == {}
    assert [one.text for one in await chat.messages()] == ["and now?"]
    desk.model.then("again")
    await chat.send("once more")
    assert [one.text for one in await chat.messages()] == ["and now?", "once more", "again"]


async def test_a_fact_that_a_running_turn_was_shown_is_not_repeated_by_its_reply(
    assistant: AsyncAssistant, desk: Desk, database: Database
) -> None:
    held, user = Held(), assistant.user("ada")
    fact = await user.remember(BEFORE)
    desk.model.then(held)
    turn = asyncio.ensure_future(user.conversation("c-1", create=True).send("what do you know?"))
    await erased_while(held, turn, user.erase_fact(fact.id))
    assert in_rows(database, BEFORE, REPLIED) == {}


async def test_a_turn_between_two_tool_rounds_is_erased_too(
    assistant: AsyncAssistant, desk: Desk, database: Database
) -> None:
    user, called, go = assistant.user("ada"), asyncio.Event(), asyncio.Event()

    async def look() -> str:
        """Looks."""
        called.set()
        await go.wait()
        return REPLIED

    desk.model.then(ask("look"))
    turn = asyncio.ensure_future(user.conversation("c-1", create=True).send(SAID, tools=[look]))
    await asyncio.wait_for(called.wait(), 10)
    await user.erase()
    go.set()
    with pytest.raises(Erased):
        await asyncio.wait_for(turn, 10)
    assert in_rows(database, SAID, REPLIED) == {}


async def test_an_erasure_of_somebody_else_leaves_a_turn_alone(
    assistant: AsyncAssistant, desk: Desk, database: Database
) -> None:
    held = Held()
    desk.model.then("noted", held)
    await assistant.user("bob").conversation().send(BEFORE)
    turn = asyncio.ensure_future(assistant.user("ada").conversation().send(SAID))
    await asyncio.wait_for(held.asked.wait(), 10)
    await assistant.user("bob").erase()
    held.go.set()
    assert (await asyncio.wait_for(turn, 10)).text == REPLIED
    assert in_rows(database, BEFORE) == {}


@pytest.mark.parametrize("erase", [everything, the_conversation, the_message])
async def test_a_memory_that_is_just_being_made_is_not_kept(erase: Erase, desk: Desk, url: str) -> None:
    between: list[Callable[[], Awaitable[object]]] = []
    far = Adapter(name="far", embed=lambda provider, model: Far(between), needs_key=False)
    chosen = {"store": {"url": url}, "memory": {"embedder": "far:v"}}
    async with desk.open_async([far], **chosen) as worker, desk.open_async([far], **chosen) as other:
        desk.model.then("noted")
        await other.user("ada").conversation("c-1", create=True).send(SAID)
        between.append(lambda: erase_first(other.user("ada"), erase))
        assert await worker.drain() == 1
        assert not between
        services = await worker.services()
        assert in_rows(services.database, SAID) == {}
        found, _ = services.database.run_now(lambda tx: conversations.find(tx, Owner("", "ada"), "c-1"), write=False)
        assert found is None or found.key not in services.indexes


async def erase_first(user: AsyncUser, erase: Erase) -> None:
    """Erases, of a conversation with a reply, what the user said."""
    if erase is the_message:
        await user.erase_message((await user.conversation("c-1").messages())[0].id)
    else:
        await erase(user)


ROUTES = {
    "default": {
        "target": "scripted:any",
        "window": {"budget": 700, "reserve": 100, "summarise_at": 0.3},
        "summarise": "brief",
    },
    "brief": {"target": "scripted:any", "instructions": "Summarise."},
}


@pytest.mark.parametrize("erase", [everything, "the first message"])
async def test_a_summary_that_is_just_being_written_is_not_kept(erase: Erase | str, desk: Desk, url: str) -> None:
    held = Held()
    async with desk.open_async(store={"url": url}, routes=ROUTES, memory={"turns": False}) as assistant:
        user = assistant.user("ada")
        chat = user.conversation("c-1", create=True)
        for number in range(12):
            desk.model.then("ok")
            await chat.send(f"{'some' if number else SAID} " + "more words to fill the window " * 3)
        desk.model.then(held)
        work = asyncio.ensure_future(assistant.drain())
        await asyncio.wait_for(held.asked.wait(), 10)
        if callable(erase):
            await erase(user)
        else:
            await user.erase_message((await chat.messages())[0].id)
        held.go.set()
        await asyncio.wait_for(work, 10)
        services = await assistant.services()
        assert in_rows(services.database, SAID, REPLIED) == {}
        if not callable(erase):
            desk.model.then("a summary without it")
            assert await assistant.drain() == 1, "it is written anew"
        assert await assistant.drain() == 0
