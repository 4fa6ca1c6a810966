"""What an operator's OpenTelemetry is told of turns, model calls and tools, read back through its real SDK."""

import json
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from talking import Desk, ask
from told import ON, Told

from persona import ConversationBusy, Overloaded, RateLimited, StreamCut, TextDelta, Usage
from persona.settings import Settings
from persona.settings.schema import TelemetrySettings
from persona.telemetry.watching import SILENCE, telemetry_of
from persona.testing import Cut, ScriptedModel
from persona.values.request import Finish

SLOW = RateLimited("slow down", retry_after_s=0.001)
ANSWER = ["At nine.", Finish("end", Usage(20, 5, 12, 3, 2), "any-2026", "req_1")]


def under(child: ReadableSpan, parent: ReadableSpan) -> bool:
    return child.parent is not None and parent.context is not None and child.parent.span_id == parent.context.span_id


def hours(day: str) -> str:
    """When the shop is open."""
    return f"{day}: nine to five"


def test_a_call_is_told_by_the_names_of_the_conventions_inside_its_turn(desk: Desk, told: Told) -> None:
    desk.model.then(ANSWER)
    chat = desk.chat(telemetry=ON, routes={"default": {"target": "scripted:any", "temperature": 0.5}})
    reply = chat.send("When do you open?")
    turn, call = told.one("persona.turn"), told.one("chat any")
    assert under(call, turn)
    assert (turn.kind, call.kind) == (SpanKind.INTERNAL, SpanKind.CLIENT)
    (exchange,) = desk.log.exchanges
    assert dict(turn.attributes or {}) == {
        "gen_ai.conversation.id": chat.id,
        "persona.turn.id": exchange["turn_id"],
        "persona.route": "default",
        "persona.arm": "base",
        "persona.reply.id": reply.id,
    }
    said = dict(call.attributes or {})
    assert said.pop("gen_ai.request.max_tokens")
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "any",
        "gen_ai.request.stream": False,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.conversation.id": chat.id,
        "gen_ai.response.id": "req_1",
        "gen_ai.response.model": "any-2026",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 12,
        "gen_ai.usage.cache_creation.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "persona.route": "default",
        "persona.arm": "base",
        "persona.target": "scripted:any",
        "persona.purpose": "turn",
        "persona.exchange.id": exchange["id"],
        "persona.attempt": 1,
    }


def test_a_tool_runs_inside_the_turn_between_the_two_calls(desk: Desk, told: Told) -> None:
    desk.model.then(ask("hours", '{"day": "monday"}'), "From nine.")
    desk.chat(telemetry=ON).send("When?", tools=[hours])
    assert [span.name for span in told.spans] == ["chat any", "execute_tool hours", "chat any", "persona.turn"]
    *inner, turn = told.spans
    assert all(under(span, turn) for span in inner)
    assert dict(inner[1].attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "hours",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.type": "function",
    }
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in (inner[0], inner[2]) if span.attributes] == [
        ("tool_call",),
        ("stop",),
    ]


def test_a_span_that_a_tool_opens_is_inside_the_tools_own(desk: Desk, told: Told) -> None:
    def look() -> str:
        with trace.get_tracer("shop").start_as_current_span("shop query"):
            return "seen"

    desk.model.then(ask("look"), "done")
    desk.chat(telemetry=ON).send("Look!", tools=[look])
    assert under(told.one("shop query"), told.one("execute_tool look"))


def test_what_a_tool_raises_and_arguments_that_do_not_fit_are_errors_of_the_tool(desk: Desk, told: Told) -> None:
    def fall() -> str:
        raise KeyError("secret words")

    desk.model.then([ask("fall"), ask("hours", '{"when": 1}', "2"), ask("invented secret", id="3")], "sorry")
    desk.chat(telemetry=ON).send("Go", tools=[fall, hours])
    ended = {span.name: (span.attributes or {}).get("error.type") for span in told.named("execute_tool")}
    assert ended == {"execute_tool fall": "KeyError", "execute_tool hours": "ValidationError"}
    assert all(span.status.status_code is StatusCode.ERROR for span in told.named("execute_tool"))
    assert told.one("persona.turn").status.status_code is StatusCode.UNSET
    assert "secret" not in "".join(span.to_json() for span in told.spans)


def test_the_turn_is_inside_what_the_backend_was_doing_and_background_work_is_not(desk: Desk, told: Told) -> None:
    with trace.get_tracer("shop").start_as_current_span("request"):
        assistant = desk.open(telemetry=ON, tasks={"run": True}, routes=LEARNING, memory={"learn": "notes"})
        desk.model.then("Hello Ada.", '{"facts": []}')
        assistant.user("ada").conversation(route="default").send("My name is Ada.")
    assistant.close()
    assert under(told.one("persona.turn"), told.one("request"))
    turn, learn = told.named("chat any")
    assert under(turn, told.one("persona.turn"))
    assert learn.parent is None
    assert (learn.attributes or {})["persona.purpose"] == "learn"


LEARNING = {"default": {"target": "scripted:any"}, "notes": {"target": "scripted:any"}}


def test_every_try_is_a_span_and_so_is_the_fallback_that_answers(desk: Desk, told: Told, other: ScriptedModel) -> None:
    desk.model.then(SLOW, SLOW)
    other.then("At nine.")
    routes = {"default": {"target": "scripted:any", "fallback": ["other:any"]}}
    desk.chat([other.adapter], telemetry=ON, turn={"retries": 1}, routes=routes).send("When?")
    calls = [span.attributes or {} for span in told.named("chat any")]
    assert [(one["gen_ai.provider.name"], one["persona.attempt"], one.get("error.type")) for one in calls] == [
        ("scripted", 1, "RateLimited"),
        ("scripted", 2, "RateLimited"),
        ("other", 1, None),
    ]
    assert [one["persona.exchange.id"] for one in calls[1:]] == [row["id"] for row in desk.log.exchanges]
    turn = told.one("persona.turn")
    assert all(under(span, turn) for span in told.named("chat any"))
    assert turn.status.status_code is StatusCode.UNSET
    durations = told.points()["gen_ai.client.operation.duration"]
    assert sorted((one.attributes.get("error.type", ""), one.count) for one in durations) == [
        ("", 1),
        ("RateLimited", 2),
    ]


@pytest.fixture
def other() -> Iterator[ScriptedModel]:
    with ScriptedModel(name="other") as model:
        yield model


def test_a_stream_says_when_its_first_words_came(desk: Desk, told: Told) -> None:
    desk.model.then(ANSWER)
    with desk.chat(telemetry=ON).stream("When?") as turn:
        assert [event.text for event in turn if isinstance(event, TextDelta)] == ["At ", "nine."]
    call = told.one("chat any").attributes or {}
    assert call["gen_ai.request.stream"] is True
    first = call["gen_ai.response.time_to_first_chunk"]
    (point,) = told.points()["gen_ai.client.operation.time_to_first_chunk"]
    assert (point.count, point.sum) == (1, first)
    assert isinstance(first, float)
    assert 0 < first < 10


def test_a_reply_that_is_not_streamed_has_no_first_words(desk: Desk, told: Told) -> None:
    desk.model.then(ANSWER)
    desk.chat(telemetry=ON).send("When?")
    assert "gen_ai.response.time_to_first_chunk" not in (told.one("chat any").attributes or {})
    points = told.points()
    assert "gen_ai.client.operation.time_to_first_chunk" not in points
    shared = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "any",
        "gen_ai.response.model": "any-2026",
        "persona.route": "default",
        "persona.arm": "base",
    }
    used = {one.attributes["gen_ai.token.type"]: one for one in points["gen_ai.client.token.usage"]}
    assert {kind: one.sum for kind, one in used.items()} == {"input": 20, "output": 5}
    assert dict(used["input"].attributes) == {**shared, "gen_ai.token.type": "input"}
    (duration,) = points["gen_ai.client.operation.duration"]
    assert dict(duration.attributes) == shared
    assert duration.explicit_bounds[:2] == (0.01, 0.02)
    assert used["input"].explicit_bounds[:3] == (1, 4, 16)


@pytest.mark.parametrize(
    ("bad", "raised"), [(Overloaded("secret words"), Overloaded), (Cut("secret wo"), StreamCut)], ids=["error", "cut"]
)
def test_an_error_is_told_by_its_name_alone(desk: Desk, told: Told, bad: object, raised: type[Exception]) -> None:
    desk.model.then(bad)  # type: ignore[arg-type]
    with pytest.raises(raised):
        desk.chat(telemetry=ON, turn={"retries": 0}).send("When?")
    for span in told.spans:
        assert (span.attributes or {})["error.type"] == raised.__name__
        assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())
    assert len(told.spans) == 2
    assert "secret" not in "".join(span.to_json() for span in told.spans)


def test_a_turn_that_calls_no_model_is_a_span_too(desk: Desk, told: Told) -> None:
    chat = desk.chat(telemetry=ON)
    desk.model.then("At nine.")
    reply = chat.send("When?", idempotency_key="m1")
    told.exporter.clear()
    assert chat.send("When?", idempotency_key="m1").repeated
    (span,) = told.spans
    said = span.attributes or {}
    assert (span.name, said["persona.reply.id"], said["persona.reply.repeated"]) == ("persona.turn", reply.id, True)
    told.exporter.clear()
    desk.log.change("UPDATE persona_conversations SET lease_turn_id = 'trn_other', lease_until_us = ?", 2**60)
    with pytest.raises(ConversationBusy):
        chat.send("And now?")
    assert (told.one("persona.turn").attributes or {})["error.type"] == "ConversationBusy"


PRIVATE = (
    "When do you open?",
    "At nine, zebra.",
    "monday",
    "nine to five",
    "ada-the-user",
    "acme-the-tenant",
    "Be kind.",
)


def talk_of_private_things(desk: Desk, **telemetry: bool) -> None:
    desk.model.then(ask("hours", '{"day": "monday"}'), "At nine, zebra.")
    routes = {"default": {"target": "scripted:any", "instructions": "Be kind."}}
    assistant = desk.open(telemetry=telemetry, routes=routes)
    user = assistant.user("ada-the-user", tenant="acme-the-tenant")
    user.conversation(id="c-1", create=True).send("When do you open?", tools=[hours])


def test_no_word_and_no_user_is_told_unless_it_is_asked_for(desk: Desk, told: Told) -> None:
    talk_of_private_things(desk, on=True)
    assert len(told.spans) == 4
    everything = "".join(span.to_json() for span in told.spans) + repr(told.points())
    assert [words for words in PRIVATE if words in everything] == []


def test_an_operator_may_ask_for_what_is_said(desk: Desk, told: Told) -> None:
    talk_of_private_things(desk, on=True, content=True)
    first, tool, second, _ = [span.attributes or {} for span in told.spans]
    asked = json.loads(str(first["gen_ai.input.messages"]))
    assert [one["role"] for one in asked] == ["system", "user"]
    assert asked[0]["parts"] == [{"type": "text", "content": "Be kind."}]
    assert asked[1]["parts"][-1]["content"].endswith("When do you open?")
    call = {"type": "tool_call", "id": "call_1", "name": "hours", "arguments": '{"day": "monday"}'}
    assert json.loads(str(first["gen_ai.output.messages"])) == [
        {"role": "assistant", "parts": [call], "finish_reason": "tool_call"}
    ]
    assert (tool["gen_ai.tool.call.arguments"], tool["gen_ai.tool.call.result"]) == (
        '{"day": "monday"}',
        "monday: nine to five",
    )
    given = {"type": "tool_call_response", "id": "call_1", "response": "monday: nine to five"}
    assert json.loads(str(second["gen_ai.input.messages"]))[-1] == {"role": "tool", "parts": [given]}
    said = {"type": "text", "content": "At nine, zebra."}
    assert json.loads(str(second["gen_ai.output.messages"])) == [
        {"role": "assistant", "parts": [said], "finish_reason": "stop"}
    ]
    everything = "".join(span.to_json() for span in told.spans)
    assert "ada-the-user" not in everything
    assert "acme-the-tenant" not in everything


def test_nothing_is_told_by_default(desk: Desk, told: Told) -> None:
    desk.model.then(ask("hours", '{"day": "monday"}'), "From nine.")
    desk.chat().send("When?", tools=[hours])
    assert (told.spans, told.points()) == ([], {})
    assert Settings().telemetry == TelemetrySettings(on=False, content=False)
    assert telemetry_of(TelemetrySettings()) is SILENCE
