"""One turn at a time holds a conversation: a second one waits, or is told so before any model is called."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from talking import Desk, settings

from persona import AsyncAssistant, ConversationBusy, ToolCall
from persona.testing import Step
from persona.values.request import Request

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)


class Gate:
    """A step that says it has begun, and answers when it is let go."""

    def __init__(self, step: Step) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self._step = step

    async def __call__(self, request: Request) -> Step:
        self.begun.set()
        await self.go.wait()
        return self._step


async def test_a_second_turn_waits_for_the_first(desk: Desk) -> None:
    gate = Gate("one")
    desk.model.then(gate, "two")
    async with desk.open_async(turn={"wait_s": 5.0}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        first = asyncio.create_task(chat.send("first"))
        await gate.begun.wait()
        second = asyncio.create_task(chat.send("second"))
        await asyncio.sleep(0.01)
        assert len(desk.log.messages) == 1
        gate.go.set()
        await asyncio.gather(first, second)
        assert [message.text for message in await chat.messages()] == ["first", "one", "second", "two"]


async def test_a_second_turn_is_refused_before_any_model_is_called(desk: Desk) -> None:
    gate = Gate("one")
    desk.model.then(gate)
    async with desk.open_async() as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        first = asyncio.create_task(chat.send("first"))
        await gate.begun.wait()
        with pytest.raises(ConversationBusy, match=r"holds conversation 'c'; no model was called.*lease ends in \d+ s"):
            await chat.send("second")
        assert (len(desk.model.requests), len(desk.log.messages)) == (1, 1)
        gate.go.set()
        await first
        assert [message.text for message in await chat.messages()] == ["first", "one"]


async def test_other_conversations_of_the_same_user_are_not_held_up(desk: Desk) -> None:
    gate = Gate("one")
    desk.model.then(gate, "two")
    async with desk.open_async() as assistant:
        ada = assistant.user("ada")
        first = asyncio.create_task(ada.conversation().send("first"))
        await gate.begun.wait()
        assert (await ada.conversation().send("second")).text == "two"
        gate.go.set()
        await first


async def test_twelve_turns_sent_at_once_into_one_conversation_make_one_line_of_messages(desk: Desk) -> None:
    desk.model.then(*["ok"] * 12)
    async with desk.open_async(turn={"wait_s": 60.0}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        await asyncio.gather(*(chat.send(f"message {i}") for i in range(12)))
        messages = await chat.messages()
    assert [message.depth for message in messages] == list(range(24))
    assert sorted(m.text for m in messages[::2]) == sorted(f"message {i}" for i in range(12))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def _open(desk: Desk, clock: Clock) -> AsyncAssistant:
    return AsyncAssistant.open(settings(desk.folder), adapters=[desk.model.adapter], clock=clock)


async def test_a_turn_whose_lease_ran_out_is_abandoned_and_the_next_one_goes_on(desk: Desk) -> None:
    clock, gate = Clock(), Gate("too late")
    desk.model.then(gate, "two")
    async with _open(desk, clock) as assistant, _open(desk, clock) as other:
        lost = asyncio.create_task(assistant.user("ada").conversation(id="c", create=True).send("first"))
        await gate.begun.wait()
        clock.now += timedelta(minutes=10)
        chat = other.user("ada").conversation(id="c")
        assert (await chat.send("second")).text == "two"
        assert [row["state"] for row in desk.log.turns] == ["abandoned", "answered"]
        gate.go.set()
        with pytest.raises(ConversationBusy, match="took longer than its lease"):
            await lost
        assert [message.text for message in await chat.messages()] == ["first", "second", "two"]
    assert [row["state"] for row in desk.log.turns] == ["abandoned", "answered"]
    assert not desk.log.claimed


async def test_a_turn_that_lost_its_lease_in_a_tool_round_asks_nobody_any_more(desk: Desk) -> None:
    clock, gate = Clock(), Gate(ToolCall("1", "look", "{}"))
    desk.model.then(gate, "two")
    ran = []

    def look() -> str:
        ran.append(1)
        return "seen"

    async with _open(desk, clock) as assistant, _open(desk, clock) as other:
        lost = asyncio.create_task(assistant.user("ada").conversation(id="c", create=True).send("first", tools=[look]))
        await gate.begun.wait()
        clock.now += timedelta(minutes=10)
        chat = other.user("ada").conversation(id="c")
        await chat.send("second")
        gate.go.set()
        with pytest.raises(ConversationBusy):
            await lost
        assert [message.text for message in await chat.messages()] == ["first", "second", "two"]
    assert not ran
