"""Every chat adapter under the faces of persona: sync, async and streaming, with tools, history and failures."""

import asyncio
from itertools import pairwise

import pytest
from talking import Desk
from wire import Answer, WireServer
from wires.shape import KEY, Sent, Wire, tables

from persona import Overloaded, Refused, StreamCut, TextDelta, ToolFinished, ToolStarted
from persona.values.message import ToolCall, ToolResult


def asked(wire: Wire, server: WireServer) -> Sent:
    """The last request."""
    return wire.read(server.requests[-1])


def hours(day: str) -> str:
    """When the shop is open."""
    return f"{day}: at nine"


def broken() -> str:
    """A tool that fails."""
    raise ValueError("out of order")


def test_a_turn_sends_prompts_shots_and_history_and_stores_the_reply(
    wire: Wire, server: WireServer, desk: Desk
) -> None:
    chat = desk.chat(**tables(wire, server, max_output_tokens=64, temperature=0.5))
    server.reply("At two.").reply("Yes.")
    assert chat.send("When on Sunday?").text == "At two."
    reply = chat.send("Sure?")
    assert (reply.text, reply.stop, reply.usage.input_tokens) == ("Yes.", "end", 20)
    sent = asked(wire, server)
    assert sent.system[:2] == ("Be brief.", "Be kind.")
    assert [(message.role, message.texts) for message in sent.messages] == [
        ("user", ("When do you open?",)),
        ("assistant", ("At nine.",)),
        ("user", ("When on Sunday?",)),
        ("assistant", ("At two.",)),
        ("user", ("Sure?",)),
    ]
    assert (sent.key, sent.limit, sent.temperature) == (KEY, 64, 0.5)


def test_an_unanswered_message_is_shown_with_the_next(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server))
    server.script(wire.failure("overloaded", "no")).reply("Here.")
    with pytest.raises(Overloaded) as caught:
        chat.send("Hello?")
    assert KEY not in str(caught.value) + repr(vars(caught.value))
    assert chat.send("Are you there?").text == "Here."
    said = [text for message in asked(wire, server).messages for text in message.texts]
    assert said[-2:] == ["Hello?", "Are you there?"]
    roles = [message.role for message in asked(wire, server).messages]
    assert not wire.alternates or all(before != after for before, after in pairwise(roles))
    assert KEY not in str(desk.log.attempts) + str(desk.log.exchanges)


def test_parallel_tools_run_in_several_rounds_and_their_results_go_back(
    wire: Wire, server: WireServer, desk: Desk
) -> None:
    chat = desk.chat(**tables(wire, server))
    server.tool_calls([("a", "hours", {"day": "monday"}), ("b", "broken", "{}")], text="Let me see.")
    server.tool_call("hours", {"day": "friday"}, id="c").reply("At nine.")
    assert chat.send("When?", tools=[hours, broken]).text.endswith("At nine.")
    sent = asked(wire, server)
    assert [name for name, _ in sent.tools] == ["hours", "broken"]
    first = next(message for message in sent.messages if message.calls)
    assert first.texts == ("Let me see.",)
    assert first.calls == (("a", "hours", {"day": "monday"}), ("b", "broken", {}))
    results = dict(result for message in sent.messages for result in message.results)
    assert results.keys() == {"a", "b", "c"}
    assert (results["a"], results["c"]) == ("monday: at nine", "friday: at nine")
    assert "ValueError" in results["b"]


async def test_a_stream_shows_pieces_and_tools_as_they_come(wire: Wire, server: WireServer, desk: Desk) -> None:
    server.tool_call("hours", {"day": "monday"}).stream(["At ", "nine."])
    async with desk.open_async(**tables(wire, server)) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        async with chat.stream("When?", tools=[hours]) as turn:
            events = [event async for event in turn]
    call = next(event.call for event in events if isinstance(event, ToolStarted))
    assert isinstance(call, ToolCall)
    assert [event for event in events if not isinstance(event, ToolStarted)] == [
        ToolFinished(ToolResult(call.id, "hours", "monday: at nine")),
        TextDelta("At "),
        TextDelta("nine."),
    ]
    assert turn.reply.text == "At nine."


async def test_a_cut_stream_is_an_error_with_the_partial_text(wire: Wire, server: WireServer, desk: Desk) -> None:
    server.stream(["At ", "ni"], cut=True)
    async with desk.open_async(**tables(wire, server)) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        async with chat.stream("When?") as turn:
            with pytest.raises(StreamCut) as caught:
                [event async for event in turn]
    assert caught.value.text == "At ni"
    assert desk.log.outcomes() == [("cut", "StreamCut")]
    assert [row["role"] for row in desk.log.messages] == ["user"]


async def test_a_caller_who_leaves_closes_the_connection(wire: Wire, server: WireServer, desk: Desk) -> None:
    server.stream(["At "], end="hang")
    settings = tables(wire, server)
    settings["turn"]["on_disconnect"] = "cancel"
    async with desk.open_async(**settings) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        async with chat.stream("When?") as turn:
            async for event in turn:
                assert event == TextDelta("At ")
                break
        await asyncio.to_thread(server.wait_for_hang_up)
    assert desk.log.outcomes() == [("cancelled", "TurnCancelled")]


def test_a_reply_that_safety_stopped_is_refused_and_not_stored(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server))
    server.script(Answer(pieces=("I can",), finish="content_filter"))
    with pytest.raises(Refused):
        chat.send("Tell me.")
    assert [message.role for message in chat.messages()] == ["user"]


def test_a_context_that_is_too_long_is_fitted_once_more(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server))
    server.script(wire.failure("too long", "")).reply("Now it fits.")
    assert chat.send("When?").text == "Now it fits."
    assert len(server.requests) == 2
