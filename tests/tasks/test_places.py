"""Background work asks a model only where turns leave a place for it, and rests with it after failures."""

import asyncio
from typing import Any

import pytest
from talking import Desk

from persona import Overloaded
from persona.values.request import Finish, Request, Usage

ONE_ROUTE = {"routes": {"default": {"target": "scripted:any"}}, "memory": {"learn": "default"}}
RESTS = {"turn": {"rest_after": 1, "rest_s": 600, "retries": 0}}
NOTHING = '{"facts": []}'


def capped(**caps: int) -> dict[str, Any]:
    return {**ONE_ROUTE, "providers": {"scripted": {"kind": "scripted", **caps}}}


def learning(desk: Desk) -> list[tuple[str, int, str]]:
    """The state, the attempts and the reason of every message that is to be learnt from."""
    rows = desk.log.rows("SELECT state, attempts, error FROM persona_tasks WHERE kind = 'learn' ORDER BY id")
    return [(row["state"], row["attempts"], row["error"]) for row in rows]


async def test_work_waits_uncounted_while_turns_have_all_places(desk: Desk) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> str:
        begun.set()
        await go.wait()
        return "at last"

    desk.model.then("hello", slowly)
    async with desk.open_async(**capped(max_concurrency=1)) as assistant:
        user = assistant.user("ada")
        await user.conversation().send("I drink tea")
        running = asyncio.create_task(user.conversation().send("and now?"))
        await begun.wait()
        for _ in range(6):
            await assistant.drain()
            assert learning(desk) == [("waiting", 0, "its model is busy")] * 2  # what the running turn said, too
            desk.log.change("UPDATE persona_tasks SET run_after_us = 0")
        assert len(desk.model.requests) == 2
        go.set()
        await running
        desk.model.then(NOTHING, NOTHING)
        await assistant.drain()
        assert learning(desk) == []


def test_work_uses_up_the_tokens_of_a_minute_and_waits_for_more(desk: Desk) -> None:
    assistant = desk.open(**capped(tokens_per_minute=10_000))
    desk.model.then("hello", "hello again", [NOTHING, Finish("end", Usage(9_000_000, 0))])
    for said in ("I drink tea", "I live in Lyon"):
        assistant.user("ada").conversation().send(said)
    assistant.drain()
    assert learning(desk) == [("waiting", 0, "its model is busy")]


def test_work_is_not_asked_of_a_model_that_rests(desk: Desk) -> None:
    assistant = desk.open(**ONE_ROUTE, **RESTS)
    chat = assistant.user("ada").conversation()
    desk.model.then("hello", Overloaded("busy"))
    chat.send("I drink tea")
    with pytest.raises(Overloaded):
        chat.send("and now?")
    assistant.drain()
    assert learning(desk) == [("waiting", 0, "its model rests after failures")] * 2


def test_a_model_rests_after_failures_of_work_too(desk: Desk) -> None:
    assistant = desk.open(**ONE_ROUTE, **RESTS)
    desk.model.then("hello", "hello again", Overloaded("busy"))
    for said in ("I drink tea", "I live in Lyon"):
        assistant.user("ada").conversation().send(said)
    assistant.drain()
    assert learning(desk) == [("waiting", 1, "Overloaded"), ("waiting", 0, "its model rests after failures")]
