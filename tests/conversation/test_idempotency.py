"""The same idempotency key brings the same reply, and never a second one."""

import asyncio

import pytest
from talking import Desk, window_of

from persona import IdempotencyMismatch, NotFound, RateLimited, Refused, StreamCut, TextDelta, TurnInProgress
from persona.testing import Cut, Step
from persona.values.request import Finish, Request, Usage


def test_an_answered_key_brings_the_stored_reply_and_calls_nobody(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(["At nine.", Finish("length", Usage(30, 4))])
    first = chat.send("When?", idempotency_key="m1")
    again = chat.send("When?", idempotency_key="m1")
    assert (again.id, again.text, again.stop, again.usage) == (first.id, first.text, first.stop, first.usage)
    assert (first.repeated, again.repeated) == (False, True)
    assert len(desk.log.turns) == 1


def test_an_answered_key_is_answered_after_a_restart_and_after_the_conversation_went_on(desk: Desk) -> None:
    assistant = desk.open()
    desk.model.then("At nine.", "Yes.")
    chat = assistant.user("ada").conversation(id="c", create=True)
    first = chat.send("When?", idempotency_key="m1")
    chat.send("Sure?", idempotency_key="m2")
    assistant.close()
    chat = desk.open().user("ada").conversation(id="c", create=True)
    assert chat.send("When?", idempotency_key="m1").id == first.id
    assert [message.text for message in chat.messages()] == ["When?", "At nine.", "Sure?", "Yes."]


def test_a_stream_yields_a_stored_reply_as_one_delta(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At nine, not before.")
    first = chat.send("When?", idempotency_key="m1")
    with chat.stream("When?", idempotency_key="m1") as turn:
        events = list(turn)
    assert events == [TextDelta("At nine, not before.")]
    assert turn.reply.id == first.id


async def test_a_key_that_is_being_answered_waits_for_that_answer(desk: Desk) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> str:
        begun.set()
        await go.wait()
        return "At nine."

    desk.model.then(slowly)
    async with desk.open_async(turn={"wait_s": 5.0}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        first = asyncio.create_task(chat.send("When?", idempotency_key="m1"))
        await begun.wait()
        again = asyncio.create_task(chat.send("When?", idempotency_key="m1"))
        await asyncio.sleep(0)
        go.set()
        one, other = await asyncio.gather(first, again)
    assert one.id == other.id
    assert other.repeated


async def test_a_key_that_is_answered_elsewhere_for_too_long_is_in_progress(desk: Desk) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> str:
        begun.set()
        await go.wait()
        return "At nine."

    desk.model.then(slowly)
    async with desk.open_async() as assistant, desk.open_async() as elsewhere:
        chat = assistant.user("ada").conversation(id="c", create=True)
        first = asyncio.create_task(chat.send("When?", idempotency_key="m1"))
        await begun.wait()
        there = elsewhere.user("ada").conversation(id="c", create=True)
        with pytest.raises(TurnInProgress) as busy:
            await there.send("When?", idempotency_key="m1")
        assert busy.value.retryable
        assert "same key" in busy.value.hint
        go.set()
        reply = await first
        assert (await there.send("When?", idempotency_key="m1")).id == reply.id
    assert len(desk.model.requests) == 1


@pytest.mark.parametrize("bad", [Refused("no"), Cut("At n")], ids=["failed", "cut"])
def test_a_failed_or_cut_key_gets_a_new_exchange_on_the_same_message(desk: Desk, bad: Step) -> None:
    chat = desk.chat()
    desk.model.then(bad, "At nine.")
    with pytest.raises((Refused, StreamCut)):
        chat.send("When?", idempotency_key="m1")
    assert chat.send("When?", idempotency_key="m1").text == "At nine."
    assert [message.text for message in chat.messages()] == ["When?", "At nine."]
    assert len(desk.log.turns) == 1
    assert (desk.log.turns[0]["state"], desk.log.turns[0]["error"]) == ("answered", "")
    assert len({row["turn_id"] for row in desk.log.exchanges}) == 1
    assert len(desk.log.exchanges) == 2


def test_the_usage_of_a_repeated_reply_is_that_of_the_first_answer(desk: Desk) -> None:
    chat = desk.chat(turn={"retries": 0})
    desk.model.then(RateLimited("slow", retry_after_s=60), ["At nine.", Finish("end", Usage(30, 4))])
    with pytest.raises(RateLimited):
        chat.send("When?", idempotency_key="m1")
    first = chat.send("When?", idempotency_key="m1")
    assert chat.send("When?", idempotency_key="m1").usage == first.usage


def test_retrying_a_failed_key_after_the_conversation_went_on_leaves_the_head_where_it_is(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(Refused("no"), "Hello.", "At nine.", "Bye.")
    with pytest.raises(Refused):
        chat.send("When?", idempotency_key="m1")
    chat.send("Hi")
    late = chat.send("When?", idempotency_key="m1")
    assert late.text == "At nine."
    assert window_of(desk.model.requests[-1]) == [("user", "When?")]
    assert [message.text for message in chat.messages()] == ["When?", "Hi", "Hello."]
    assert chat.send("When?", idempotency_key="m1").id == late.id
    chat.send("Bye")
    assert [text for _, text in window_of(desk.model.requests[-1])] == ["When?", "Hi", "Hello.", "Bye"]


def test_an_abandoned_key_gets_a_new_exchange_on_the_same_message(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At nine.", "At ten.")
    chat.send("When?", idempotency_key="m1")
    _as_if_its_process_had_died(desk)
    assert chat.send("When?", idempotency_key="m1").text == "At ten."
    assert [message.text for message in chat.messages()] == ["When?", "At ten."]


def _as_if_its_process_had_died(desk: Desk) -> None:
    """The database as a killed process leaves it: the turn is running, its lease ran out, and there is no reply."""
    (turn,) = desk.log.turns
    desk.log.change("DELETE FROM persona_exchanges")
    desk.log.change("DELETE FROM persona_messages WHERE role = 'assistant'")
    desk.log.change("UPDATE persona_turns SET state = 'running', reply_id = ''")
    desk.log.change(
        "UPDATE persona_conversations SET head_id = ?, depth = 1, revision = revision + 1, last_exchange_id = '',"
        " lease_turn_id = ?, lease_until_us = 1",
        turn["message_id"],
        turn["id"],
    )


def test_a_key_used_for_another_text_is_a_mismatch_that_names_no_text(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At nine.")
    chat.send("When do you open?", idempotency_key="m1")
    with pytest.raises(IdempotencyMismatch, match="'m1'") as mismatch:
        chat.send("Where are you?", idempotency_key="m1")
    assert "open" not in str(mismatch.value)
    assert "Where" not in str(mismatch.value)
    assert len(chat.messages()) == 2


def test_a_key_used_in_another_conversation_is_a_mismatch_and_makes_no_conversation(desk: Desk) -> None:
    ada = desk.open().user("ada")
    desk.model.then("At nine.")
    ada.conversation().send("When?", idempotency_key="m1")
    with pytest.raises(IdempotencyMismatch):
        ada.conversation(id="other", create=True).send("When?", idempotency_key="m1")
    with pytest.raises(NotFound):
        ada.conversation(id="other").messages()


def test_two_users_may_use_the_same_key(desk: Desk) -> None:
    assistant = desk.open()
    desk.model.then("to ada", "to bob")
    ada = assistant.user("ada").conversation().send("When?", idempotency_key="m1")
    bob = assistant.user("bob").conversation().send("When?", idempotency_key="m1")
    assert (ada.text, bob.text) == ("to ada", "to bob")
