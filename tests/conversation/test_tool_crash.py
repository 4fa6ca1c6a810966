"""A turn that ends between a tool call and its result: by a crash, a cancellation, or a failing next call."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from talking import Desk, Log, assert_no_orphans, settings, window_of

from persona import Assistant, AsyncConversation, Conversation, Refused, ToolCall
from persona.testing import ScriptedModel

LATER = datetime(2099, 1, 1, tzinfo=UTC)
CALL = ToolCall("call_1", "look", "{}")


def _killed(desk: Desk, folder: Path) -> tuple[ScriptedModel, Conversation, Assistant]:
    """An assistant on the database that a process leaves which is killed while the tool of its first turn runs."""
    folder.mkdir()

    def look() -> str:
        desk.log.copy(folder / "persona.db")
        return "seen"

    desk.model.then(["I look.", CALL], "done")
    chat = desk.open().user("ada").conversation(id="c", create=True)
    chat.send("Look!", tools=[look], idempotency_key="m1")
    model = ScriptedModel()
    opened = Assistant.open(settings(folder), adapters=[model.adapter], clock=lambda: LATER)
    desk.stack.enter_context(opened)
    return model, opened.user("ada").conversation(id="c"), opened


def test_after_a_crash_between_call_and_result_no_orphan_is_sent(desk: Desk, tmp_path: Path) -> None:
    model, chat, _ = _killed(desk, tmp_path / "crashed")
    assert [message.role for message in chat.messages()] == ["user", "assistant"]
    model.then("I am back.")
    assert chat.send("Hello?").text == "I am back."
    assert window_of(model.requests[0]) == [("user", "Look!"), ("user", "Hello?")]
    assert_no_orphans(model.requests[0])
    states = [turn["state"] for turn in Log(tmp_path / "crashed" / "persona.db").turns]
    assert states == ["abandoned", "answered"]
    model.check()


def test_after_a_crash_the_same_key_answers_the_same_message_anew(desk: Desk, tmp_path: Path) -> None:
    model, chat, _ = _killed(desk, tmp_path / "crashed")
    model.then([CALL], "seen at last", "and on")
    reply = chat.send("Look!", tools=[_look], idempotency_key="m1")
    assert reply.text == "seen at last"
    chat.send("Go on.")
    for request in model.requests:
        assert_no_orphans(request)
    assert [message.text for message in chat.messages()][-3:] == ["seen at last", "Go on.", "and on"]
    assert window_of(model.requests[-1])[-2:] == [("assistant", "seen at last"), ("user", "Go on.")]
    log = Log(tmp_path / "crashed" / "persona.db")
    assert len([row for row in log.messages if row["role"] == "user"]) == 2
    model.check()


def _look() -> str:
    return "seen"


def test_a_failure_after_the_results_keeps_the_whole_group_for_the_next_window(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(CALL, Refused("no"), "back")
    with pytest.raises(Refused):
        chat.send("Look!", tools=[_look])
    assert desk.log.outcomes() == [("answered", ""), ("failed", "Refused")]
    assert not desk.log.claimed
    chat.send("Hello?")
    assert [role for role, _ in window_of(desk.model.requests[-1])] == ["user", "assistant", "tool", "user"]
    assert_no_orphans(desk.model.requests[-1])


@pytest.mark.parametrize("streaming", [False, True])
async def test_cancelled_while_a_tool_runs_the_turn_is_logged_and_the_next_one_works(
    desk: Desk, streaming: bool
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def look() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    desk.model.then(CALL, "back")
    async with desk.open_async(turn={"on_disconnect": "cancel"}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        turn = asyncio.create_task(_read(chat, look) if streaming else _send(chat, look))
        await begun.wait()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert ended.is_set()
        assert (desk.log.turns[0]["state"], desk.log.turns[0]["error"]) == ("cancelled", "TurnCancelled")
        assert not desk.log.claimed
        assert (await chat.send("Hello?")).text == "back"
    assert window_of(desk.model.requests[-1]) == [("user", "Look!"), ("user", "Hello?")]


async def _send(chat: AsyncConversation, tool: object) -> None:
    await chat.send("Look!", tools=[tool])  # type: ignore[list-item]


async def _read(chat: AsyncConversation, tool: object) -> None:
    async with chat.stream("Look!", tools=[tool]) as turn:  # type: ignore[list-item]
        async for _ in turn:
            pass
