"""Every chat adapter under the faces of persona: sync, async and streaming, with tools, history and failures."""

import asyncio
from itertools import pairwise

import pytest
from talking import Desk
from ways import WAYS, Talk, Way
from wire import Answer, WireServer
from wires.shape import KEY, Said, Sent, Wire, tables

from persona import Overloaded, Refused, StreamCut, TextDelta, ToolFinished, ToolStarted
from persona.values.message import Image, ToolCall, ToolResult
from persona.values.request import Usage

PIXEL = "data:image/png;base64,iVBORw0KGgo="
ways = pytest.mark.parametrize("way", WAYS)


def asked(wire: Wire, server: WireServer) -> Sent:
    """The last request."""
    return wire.read(server.requests[-1])


def hours(day: str) -> str:
    """When the shop is open."""
    return f"{day}: at nine"


def broken() -> str:
    """A tool that fails."""
    raise ValueError("out of order")


@ways
def test_a_turn_sends_prompts_shots_history_and_pictures(way: Way, wire: Wire, server: WireServer, desk: Desk) -> None:
    server.reply("At two.").reply("Yes.")
    with Talk(way, desk, **tables(wire, server, max_output_tokens=64, temperature=0.5)) as talk:
        assert talk.say("When on Sunday?").text == "At two."
        talk.say("Is it this one?", images=[Image("https://x.example/a.png"), Image(PIXEL)])
    sent = asked(wire, server)
    assert sent.system[:2] == ("Be brief.", "Be kind.")
    assert sent.messages == (
        Said("user", ("When do you open?",)),
        Said("assistant", ("At nine.",)),
        Said("user", ("When on Sunday?",)),
        Said("assistant", ("At two.",)),
        Said("user", ("Is it this one?",), ("https://x.example/a.png", PIXEL)),
    )
    assert (sent.model, sent.key, sent.limit, sent.temperature) == (wire.cool, KEY, 64, 0.5)


@ways
def test_a_reply_says_why_it_ended_and_what_it_used(way: Way, wire: Wire, server: WireServer, desk: Desk) -> None:
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    server.reply("At two, or", finish="length", usage=usage).reply("Yes.")
    with Talk(way, desk, **tables(wire, server)) as talk:
        cut, whole = talk.say("When on Sunday?"), talk.say("Sure?")
    assert (cut.text, cut.stop, cut.usage) == ("At two, or", "length", Usage(30, 7, 4, None, 3))
    assert (whole.text, whole.stop, whole.usage.input_tokens) == ("Yes.", "end", 20)
    assert [row["stop"] for row in desk.log.exchanges] == ["length", "end"]


def test_a_temperature_goes_only_to_a_model_that_takes_one(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server, target=f"suite:{wire.hot or wire.cool}", temperature=0.5))
    chat.send("Hello?")
    assert asked(wire, server).temperature == (None if wire.hot else 0.5)


@ways
def test_an_unanswered_message_is_shown_with_the_next(way: Way, wire: Wire, server: WireServer, desk: Desk) -> None:
    server.script(wire.failure("overloaded", "no")).reply("Here.")
    with Talk(way, desk, **tables(wire, server)) as talk:
        with pytest.raises(Overloaded) as caught:
            talk.say("Hello?")
        assert KEY not in str(caught.value) + repr(vars(caught.value))
        assert talk.say("Are you there?").text == "Here."
    said = [text for message in asked(wire, server).messages for text in message.texts]
    assert said[-2:] == ["Hello?", "Are you there?"]
    roles = [message.role for message in asked(wire, server).messages]
    assert not wire.alternates or all(before != after for before, after in pairwise(roles))
    assert KEY not in str(desk.log.attempts) + str(desk.log.exchanges)


@ways
def test_parallel_tools_run_in_several_rounds_and_their_results_go_back(
    way: Way, wire: Wire, server: WireServer, desk: Desk
) -> None:
    server.tool_calls([("a", "hours", {"day": "monday"}), ("b", "broken", "{}")], text="Let me see.")
    server.tool_call("hours", {"day": "friday"}, id="c").reply("At nine.")
    with Talk(way, desk, **tables(wire, server)) as talk:
        assert talk.say("When?", tools=[hours, broken]).text == "At nine."
    sent = asked(wire, server)
    assert [name for name, _ in sent.tools] == ["hours", "broken"]
    first = next(message for message in sent.messages if message.calls)
    assert first.texts == ("Let me see.",)
    assert first.calls == (("a", "hours", {"day": "monday"}), ("b", "broken", {}))
    results = dict(result for message in sent.messages for result in message.results)
    assert results.keys() == {"a", "b", "c"}
    assert (results["a"], results["c"]) == ("monday: at nine", "friday: at nine")
    assert "ValueError" in results["b"]
    roles = [message.role for message in sent.messages]
    assert not wire.alternates or all(before != after for before, after in pairwise(roles))


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
