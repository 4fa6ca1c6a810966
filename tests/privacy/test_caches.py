"""What is kept in memory of somebody who was erased: nothing, in this process and in others."""

import asyncio
import json
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest
from privacy.traces import mark
from programs import Program
from sqlalchemy import event
from talking import Desk
from terminal import environment

from persona import Assistant
from persona.memory.cache import IndexCache, follow_erasures
from persona.store import receipts

SAID = mark(7)
HERE = Path(__file__).parent


class Elsewhere:
    """Another process with an assistant on the same database."""

    def __init__(self, child: Program) -> None:
        self._child = child

    def do(self, what: str) -> list[int]:
        """Lets it do something; returns how many indexes it keeps, and how many memories in them hold the mark."""
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(f"{what}\n")
        self._child.stdin.flush()
        told: list[int] = json.loads(self._child.stdout.readline())
        return told


@contextmanager
def elsewhere(url: str) -> Iterator[Elsewhere]:
    with Program([str(HERE / "elsewhere.py"), url, SAID], stdin=PIPE, stdout=PIPE, env=environment()) as child:
        yield Elsewhere(child)


def said_by_ada(desk: Desk, url: str) -> Assistant:
    assistant = desk.open(store={"url": url})
    desk.model.then("noted")
    assistant.user("ada").conversation("c-1", create=True).send(SAID)
    assistant.drain()
    return assistant


@pytest.mark.parametrize("next_", ["talk bob", "work"])
def test_another_process_lets_go_of_an_erased_user_with_its_next_turn_or_task(desk: Desk, url: str, next_: str) -> None:
    assistant = said_by_ada(desk, url)
    with elsewhere(url) as other:
        assert other.do("talk ada") == [1, 1]
        assert other.do(next_)[1] == 1, "nothing was erased yet"
        assistant.user("ada").erase()
        assert other.do("look")[1] == 1, "it cannot know yet, or this test proves nothing"
        assert other.do(next_)[1] == 0


@pytest.mark.parametrize("what", ["conversation", "message"])
def test_another_process_lets_go_of_an_erased_message_without_its_user(desk: Desk, url: str, what: str) -> None:
    user = said_by_ada(desk, url).user("ada")
    with elsewhere(url) as other:
        assert other.do("talk ada") == [1, 1]
        chat = user.conversation("c-1")
        if what == "message":
            user.erase_message(chat.messages()[0].id)
        else:
            chat.erase()
        assert other.do("talk bob")[1] == 0


async def test_this_process_lets_go_at_once(desk: Desk, url: str) -> None:
    async with desk.open_async(store={"url": url}) as assistant:
        user, services = assistant.user("ada"), await assistant.services()
        desk.model.then("noted", "ok")
        chat = user.conversation()
        await chat.send(SAID)
        await assistant.drain()
        await chat.send("what did I say?")
        assert len(services.indexes) == 1
        (entry,) = services.indexes._entries.values()
        index = weakref.ref(entry.index)
        del entry
        assert index()
        await user.erase()
        assert len(services.indexes) == 0
        assert index() is None
        assert not services.tails._tails


def test_an_index_that_an_older_transaction_loaded_is_not_kept() -> None:
    cache = IndexCache(1 << 20, "e")
    cache.catch_up(1, lambda since: [])
    cache.get(5, 1, lambda since: [])
    cache.catch_up(2, lambda since: [5])
    cache.get(5, 1, lambda since: [])  # by a transaction that began before the erasure
    cache.settle(5, 1)
    assert 5 not in cache
    cache.get(6, 1, lambda since: [])
    cache.settle(6, 2)
    assert 6 in cache


async def test_a_question_that_began_before_an_erasure_keeps_no_index(desk: Desk) -> None:
    async with desk.open_async() as assistant:
        ada, services = assistant.user("ada"), await assistant.services()
        await ada.remember(SAID)
        await assistant.drain()
        began, may_go_on = threading.Event(), threading.Event()

        def stop(statement: str) -> None:
            if "FROM persona_owners" in statement and not began.is_set():  # what it reads is from before
                began.set()
                may_go_on.wait(10)

        def until_erased() -> None:
            while not erasing.done() and not services.database.run_now(receipts.newest, write=False):
                continue

        event.listen(services.database.engine, "checkout", lambda sqlite, *_: sqlite.set_trace_callback(stop))
        asking = asyncio.create_task(ada.recall(SAID))
        await asyncio.to_thread(began.wait, 10)
        erasing = asyncio.create_task(asyncio.to_thread(desk.open().user("ada").erase))
        await asyncio.to_thread(until_erased)
        services.database.run_now(
            lambda tx: follow_erasures(tx, services.indexes), write=False
        )  # as a turn of somebody else
        may_go_on.set()
        assert [hit.text for hit in await asking] == [SAID]
        await erasing
        assert len(services.indexes) == 0


def test_what_was_cached_before_the_first_look_goes_with_it() -> None:
    cache = IndexCache(1 << 20, "e")
    cache.get(5, 1, lambda since: [])
    cache.catch_up(0, lambda since: [])
    assert 5 not in cache


async def test_erasures_at_the_same_moment_get_numbers_without_a_gap(desk: Desk, url: str) -> None:
    names = [f"user {number}" for number in range(6)]
    async with desk.open_async(store={"url": url}) as assistant:
        for name in names:
            await assistant.user(name).remember("something")
        await asyncio.gather(*(assistant.user(name).erase() for name in names))
        services = await assistant.services()
        with services.database.connection(write=False) as connection:
            rows = connection.exec_driver_sql("SELECT number FROM persona_receipts ORDER BY number").fetchall()
        assert [number for (number,) in rows] == [1, 2, 3, 4, 5, 6]
