"""Nothing acknowledged is lost, and no half reply counts as a reply."""

import asyncio

import pytest
from talking import Desk, window_of

from persona import (
    AsyncConversation,
    AuthenticationFailed,
    BadReply,
    MisuseError,
    ProviderError,
    Refused,
    ScriptError,
    StreamCut,
    TextDelta,
    TurnStream,
)
from persona.testing import Cut
from persona.values.request import Finish, Request, Usage

WANTED = ["At nine.", Finish("length", Usage(None, 4, 8), model="served-1", request_id="req-1")]
FLEETING = {"id", "turn_id", "reply_id", "owner_key", "conversation_key", "started_us", "latency_ms", "first_token_ms"}


def _stored(desk: Desk) -> list[object]:
    """The newest turn as stored, without what differs from turn to turn."""
    (exchange,) = [row for row in desk.log.exchanges if row["turn_id"] == desk.log.turns[-1]["id"]]
    plan = exchange.pop("plan").replace(desk.log.turns[-1]["message_id"], "…")
    kept = {key: value for key, value in exchange.items() if key not in FLEETING}
    asked, reply = desk.log.messages[-2:]
    assert exchange["reply_id"] == reply["id"] == desk.log.turns[-1]["reply_id"]
    assert reply["parent_id"] == asked["id"]
    return [
        kept,
        len(plan),
        asked["parts"],
        reply["parts"],
        asked["depth"],
        reply["depth"],
        desk.log.turns[-1]["state"],
    ]


async def _send(chat: AsyncConversation) -> tuple[str, str]:
    reply = await chat.send("When do you open?")
    return reply.text, reply.stop


async def _stream(chat: AsyncConversation) -> tuple[str, str]:
    async with chat.stream("When do you open?") as turn:
        text = "".join([event.text async for event in turn if isinstance(event, TextDelta)])
    assert text == turn.reply.text
    return text, turn.reply.stop


async def test_sync_async_and_streaming_store_the_same_turn(desk: Desk) -> None:
    clock = {"input": []}
    routes = {"routes": {"default": {"target": "scripted:any", **clock}}}
    desk.model.then(WANTED, WANTED, WANTED, WANTED)
    stored = []
    async with desk.open_async(**routes) as assistant:
        for way in (_send, _stream):
            assert await way(assistant.user("ada").conversation()) == ("At nine.", "length")
            stored.append(_stored(desk))
    assistant_ = desk.open(**routes)
    assert assistant_.user("ada").conversation().send("When do you open?").text == "At nine."
    stored.append(_stored(desk))
    with assistant_.user("ada").conversation().stream("When do you open?") as turn:
        assert "".join(event.text for event in turn if isinstance(event, TextDelta)) == "At nine."
    stored.append(_stored(desk))
    assert stored[0] == stored[1] == stored[2] == stored[3]


def test_the_message_is_durable_before_the_provider_is_called(desk: Desk) -> None:
    seen = []

    def look(request: Request) -> str:
        turn = desk.log.turns[-1]
        seen.append((desk.log.messages[-1]["parts"], turn["state"], desk.log.claimed))
        return "At nine."

    desk.model.then(look)
    desk.chat().send("When do you open?")
    assert seen == [('[{"text":"When do you open?"}]', "running", True)]


@pytest.mark.parametrize(
    "error",
    [AuthenticationFailed("no such key", target="scripted:any", status=401), Refused("no"), BadReply("not JSON")],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_call_leaves_a_failed_exchange_and_the_message(desk: Desk, error: ProviderError) -> None:
    chat = desk.chat(turn={"retries": 0})
    desk.model.then(error)
    with pytest.raises(type(error)) as raised:
        chat.send("When do you open?")
    assert raised.value is error
    assert desk.log.outcomes() == [("failed", type(error).__name__)]
    assert [row["outcome"] for row in desk.log.attempts] == [type(error).__name__]
    desk.assert_nothing_was_lost(chat, "When do you open?", "failed", type(error).__name__)


def test_a_refusal_in_the_stop_reason_is_no_reply(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(["I will not", Finish("refused")])
    with pytest.raises(Refused):
        chat.send("Something bad")
    assert desk.log.exchanges[0]["partial"] == "I will not"
    desk.assert_nothing_was_lost(chat, "Something bad", "failed", "Refused")


@pytest.mark.parametrize("streaming", [False, True])
def test_a_stream_that_ends_early_is_an_error_that_holds_what_came(desk: Desk, streaming: bool) -> None:
    chat = desk.chat()
    desk.model.then(Cut("We open at ni"))
    with pytest.raises(StreamCut) as cut:
        _read(chat.stream("When do you open?")) if streaming else chat.send("When do you open?")
    assert cut.value.text == "We open at ni"
    (exchange,) = desk.log.exchanges
    assert (exchange["outcome"], exchange["partial"], exchange["reply_id"]) == ("cut", "We open at ni", "")
    assert desk.log.turns[0]["reply_id"] == ""
    desk.assert_nothing_was_lost(chat, "When do you open?", "cut", "StreamCut")
    assert "We open at ni" not in str([message["parts"] for message in desk.log.messages])


def test_a_stream_cut_before_its_first_word_is_tried_again(desk: Desk) -> None:
    chat = desk.chat(turn={"retries": 1})
    desk.model.then(Cut(), "At nine.")
    assert chat.send("When do you open?").text == "At nine."
    assert [row["outcome"] for row in desk.log.attempts] == ["StreamCut", "answered"]


def test_unanswered_messages_stay_in_the_history_of_the_next_windows(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(Refused("no"), Refused("no"), "Here.")
    for text in ("first", "second"):
        with pytest.raises(Refused):
            chat.send(text)
    chat.send("third")
    assert window_of(desk.model.requests[-1]) == [("user", "first"), ("user", "second"), ("user", "third")]
    assert [message.text for message in chat.messages()] == ["first", "second", "third", "Here."]


def test_a_mistake_of_the_script_surfaces_and_leaves_the_log_in_order(desk: Desk) -> None:
    chat = desk.chat(routes={"default": {"target": "scripted:any", "fallback": ["scripted:other"]}})
    error = ScriptError("wrong script")
    desk.model.then(error)
    with pytest.raises(ScriptError) as raised:
        chat.send("hello")
    assert raised.value is error
    assert len(desk.model.requests) == 1
    desk.assert_nothing_was_lost(chat, "hello", "failed", "ScriptError")


def test_a_bug_in_an_adapter_is_raised_as_it_is_and_logged(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        chat.send("hello")
    assert desk.log.outcomes() == [("failed", "ZeroDivisionError")]
    desk.assert_nothing_was_lost(chat, "hello", "failed", "ZeroDivisionError")


async def test_a_stream_has_no_reply_before_its_end_and_none_after_a_failure(desk: Desk) -> None:
    go = asyncio.Event()

    async def wait(request: Request) -> str:
        await go.wait()
        return " nine."

    desk.model.then(["At", wait], Refused("no"))
    async with desk.open_async() as assistant:
        chat = assistant.user("ada").conversation()
        async with chat.stream("When?") as turn:
            assert await anext(aiter(turn)) == TextDelta("At")
            with pytest.raises(MisuseError, match="no reply yet"):
                _ = turn.reply
            go.set()
            assert [event async for event in turn] == [TextDelta(" nine.")]
            assert turn.reply.text == "At nine."
        async with chat.stream("When?") as turn:
            with pytest.raises(Refused):
                _ = [event async for event in turn]
            with pytest.raises(MisuseError):
                _ = turn.reply


def _read(stream: TurnStream) -> None:
    with stream as turn:
        for _ in turn:
            pass
