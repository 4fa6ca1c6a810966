"""The pure conversions: what a request looks like on the wire, and what a reply's parts become."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persona_google.convert import UNSIGNED, call_from_wire, to_wire, usage_from_wire

from persona.values.message import Image, Message, Text, ToolCall, ToolResult, say
from persona.values.request import Request, Tool, Usage

RECORDED = Path(__file__).parent / "recorded"
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
REMEMBER = Tool("remember", "Keeps one thing.", {"type": "object", "properties": {"k_1": {"type": "string"}}})
TOOL_TURN = (
    say("user", "Two things."),
    Message("assistant", (Text("One moment."), ToolCall("a", "remember", '{"k_1": 1}'), ToolCall("b", "forget", ""))),
    Message("tool", (ToolResult("a", "remember", "done"), ToolResult("b", "forget", "gone", failed=True))),
    Message("assistant", (ToolCall("c", "remember", "{}"),)),
    Message("tool", (ToolResult("c", "remember", "done"),)),
    say("assistant", "Both done."),
)


def ask(*messages: Message, model: str = "gemini-2.5-flash", **options: Any) -> Request:
    return Request(model, messages or HELLO, **options)


def contents(*messages: Message, **options: Any) -> Any:
    return to_wire(ask(*messages, **options))["contents"]


@pytest.mark.parametrize("name", ["google_generate", "google_stream", "google_tuned_endpoint"])
def test_a_request_has_the_recorded_shape(name: str) -> None:
    expected = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["request"]["json"]
    del expected["systemInstruction"]["role"]  # the format asks for none
    assert to_wire(ask(max_output_tokens=50, temperature=0.2)) == expected


def test_nothing_that_was_not_set_is_sent() -> None:
    assert to_wire(ask()).keys() == {"contents", "systemInstruction"}
    assert to_wire(ask(temperature=0.0))["generationConfig"] == {"temperature": 0.0}


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("gemini-2.5-flash", True),
        ("gemini-3.1-pro-preview", True),
        ("gemini-3.5-flash", True),
        ("gemini-3.5-flash-lite", False),
        ("gemini-3.6-flash", False),
        ("models/gemini-3.8-flash", False),
        ("publishers/google/models/gemini-4-argon", False),
        ("gemini-10-neon", False),
        ("gemini-flash-latest", False),
        ("gemma-4-31b-it", True),
        ("projects/p/locations/l/endpoints/1", True),
    ],
)
def test_a_temperature_goes_only_to_models_that_take_one(model: str, takes: bool) -> None:
    assert ("generationConfig" in to_wire(ask(model=model, temperature=0.5))) is takes


def test_every_system_message_is_a_part_of_the_instruction_in_order() -> None:
    body = to_wire(ask(say("system", "a"), say("user", "hi"), say("system", "b"), say("user", "again")))
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "hi"}, {"text": "again"}]}]


def test_messages_of_one_side_share_one_content() -> None:
    roles = [one["role"] for one in contents(say("user", "a"), say("user", "b"), *TOOL_TURN, say("user", "c"))]
    assert roles == ["user", "model", "user", "model", "user", "model", "user"]


def test_results_stand_beside_their_calls_by_id_and_name() -> None:
    _, asked, answered, *_ = contents(*TOOL_TURN)
    assert asked["parts"] == [
        {"text": "One moment."},
        {"functionCall": {"id": "a", "name": "remember", "args": {"k_1": 1}}},
        {"functionCall": {"id": "b", "name": "forget", "args": {}}},
    ]
    assert answered["parts"] == [
        {"functionResponse": {"id": "a", "name": "remember", "response": {"output": "done"}}},
        {"functionResponse": {"id": "b", "name": "forget", "response": {"error": "gone"}}},
    ]


def test_what_the_user_says_after_unfinished_tools_follows_the_results() -> None:
    *_, last = contents(*TOOL_TURN[:3], say("user", "Never mind."))
    assert [list(part) for part in last["parts"]] == [["functionResponse"], ["functionResponse"], ["text"]]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("", {}),
        ("not json", {"arguments": "not json"}),
        ("[1]", {"arguments": [1]}),
        ('{"x": NaN}', {"arguments": '{"x": NaN}'}),
        ('{"a_b": "\\ud800"}', {"a_b": "\ufffd"}),
    ],
)
def test_arguments_are_always_an_object(written: str, sent: object) -> None:
    (content,) = contents(Message("assistant", (ToolCall("a", "f", written),)))
    assert content["parts"][0]["functionCall"]["args"] == sent


def test_a_signature_comes_back_exactly_where_it_was() -> None:
    part = {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"}
    call = call_from_wire(part, "r1_0")
    assert call is not None
    assert (call.id, call.arguments) == ("r1_0", '{"x": 1}')
    (content,) = contents(Message("assistant", (call, ToolCall("b", "g", "{}"))), model="gemini-3.8-flash")
    assert [part.get("thoughtSignature") for part in content["parts"]] == ["c2ln", None]


def test_calls_of_another_vendor_are_marked_as_unsigned_for_models_that_sign() -> None:
    foreign = Message("assistant", (ToolCall("a", "f", "{}", "elsewhere:xyz"), ToolCall("b", "g", "{}")))
    assert [part.get("thoughtSignature") for part in contents(foreign, model="gemini-3.8-flash")[0]["parts"]] == [
        UNSIGNED,
        None,
    ]
    assert "thoughtSignature" not in contents(foreign)[0]["parts"][0]


def test_pictures_go_inside_the_request_or_by_their_address() -> None:
    seen = Message("user", (Text("What?"), Image("data:image/png;base64,iVBO"), Image("https://x.example/a.webp?v=1")))
    assert contents(seen)[0]["parts"][1:] == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
        {"fileData": {"mimeType": "image/webp", "fileUri": "https://x.example/a.webp?v=1"}},
    ]
    assert contents(Message("user", (Image("gs://b/x"),)))[0]["parts"][0]["fileData"]["mimeType"] == "image/jpeg"


def test_messages_without_a_word_are_left_out() -> None:
    assert contents(say("user", "a"), say("assistant", ""), say("user", "b")) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}
    ]


def test_tools_are_declared_with_their_schema_as_it_is() -> None:
    assert to_wire(ask(tools=(REMEMBER,)))["tools"] == [
        {
            "functionDeclarations": [
                {"name": "remember", "description": "Keeps one thing.", "parametersJsonSchema": REMEMBER.parameters}
            ]
        }
    ]


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        (None, Usage()),
        ({"promptTokenCount": 7, "totalTokenCount": 7}, Usage(input_tokens=7)),
        ({"promptTokenCount": True, "candidatesTokenCount": -1, "thoughtsTokenCount": "3"}, Usage()),
        ({"promptTokenCount": 5, "thoughtsTokenCount": 3}, Usage(5, 3, reasoning_tokens=3)),
        (
            {
                "promptTokenCount": 9,
                "toolUsePromptTokenCount": 2,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 3,
                "cachedContentTokenCount": 6,
            },
            Usage(11, 7, 6, None, 3),
        ),
    ],
)
def test_usage_is_counted_as_everywhere_else(reported: object, usage: Usage) -> None:
    assert usage_from_wire(reported) == usage


LONE = re.compile(r"\\ud[89a-f]")  # as repr shows a surrogate
broken = st.lists(st.sampled_from(["\ud800", "\udfff", "\ud83e", "\udd8a", "a", "é"]), max_size=6).map("".join)
texts = st.text(max_size=20) | broken
spoken = st.builds(say, st.sampled_from(["system", "user", "assistant"]), texts)
called = st.builds(
    lambda calls: (
        Message("assistant", tuple(ToolCall(f"c{i}", "f", text) for i, text in enumerate(calls))),
        Message("tool", tuple(ToolResult(f"c{i}", "f", text) for i, text in enumerate(calls))),
    ),
    st.lists(texts, min_size=1, max_size=3),
)


@given(st.lists(spoken | called, max_size=6))
def test_any_conversation_alternates_loses_no_word_and_can_be_written(groups: list[Any]) -> None:
    messages = tuple(m for group in groups for m in ((group,) if isinstance(group, Message) else group))
    body = to_wire(Request("gemini-3.8-flash", messages))
    json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    roles = [content["role"] for content in body["contents"]]
    assert all(one != other for one, other in pairwise(roles))
    if LONE.search(repr(messages)):
        return
    parts = [part for content in body["contents"] for part in content["parts"]]
    spoken = [message.text for message in messages if message.role in ("user", "assistant") and message.text]
    assert [part["text"] for part in parts if "text" in part] == spoken
    calls = [part["functionCall"]["id"] for part in parts if "functionCall" in part]
    assert calls == [part["functionResponse"]["id"] for part in parts if "functionResponse" in part]
