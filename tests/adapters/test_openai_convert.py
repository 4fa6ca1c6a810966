"""The pure conversions: what a request looks like on the wire, and that it can be read back."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persona_openai.convert import from_wire, to_wire, tools_from_wire
from persona_openai.dialect import AZURE, COMPATIBLE, VENDOR, dialect_of

from persona.adapter import Provider
from persona.values.message import Image, Message, Text, ToolCall, ToolResult, say
from persona.values.request import AnswerSchema, Request, Tool

RECORDED = Path(__file__).parent / "recorded"
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
REMEMBER = Tool("remember", "Keeps one thing.", {"type": "object", "properties": {"k": {"type": "string"}}})
TOOL_TURN = (
    say("user", "Two things."),
    Message("assistant", (Text("One moment."), ToolCall("a", "remember", "{}"), ToolCall("b", "forget", "{ }"))),
    Message("tool", (ToolResult("a", "remember", "done"), ToolResult("b", "forget", "gone"))),
    say("assistant", "Both done."),
)


def ask(messages: tuple[Message, ...] = HELLO, **options: Any) -> Request:
    return Request("m", messages, **options)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("openai_chat", Request("gpt-6-luna", HELLO, (), 50, 0.2, cache_key="u1")),
        ("openai_chat_stream", Request("gpt-6-luna", HELLO, stream=True)),
    ],
)
def test_a_request_has_the_recorded_shape(name: str, request_: Request) -> None:
    expected = recorded(name)["request"]["json"]
    not_ours = {"metadata", "safety_identifier", "store"}
    assert to_wire(request_) == {key: value for key, value in expected.items() if key not in not_ours}


def test_a_cache_key_that_the_vendor_would_refuse_is_hashed_whole() -> None:
    keys = [to_wire(ask(cache_key=key))["prompt_cache_key"] for key in ("k" * 64, "k" * 65, "k" * 65 + "\ud800")]
    assert keys[0] == "k" * 64
    assert [len(key) for key in keys] == [64, 64, 64]
    assert len(set(keys)) == 3


def test_an_answer_is_asked_for_as_the_sdk_asks_for_a_model() -> None:
    expected = recorded("openai_chat_parse")["request"]["json"]
    fact = expected["response_format"]["json_schema"]["schema"]
    del fact["title"], fact["properties"]["name"]["title"], expected["stream"]
    assert to_wire(Request("gpt-6-luna", HELLO, answer=AnswerSchema("Fact", fact))) == expected


def test_only_the_vendor_is_sent_its_own_options() -> None:
    request = ask(max_output_tokens=50, cache_key="u1")
    assert to_wire(request, VENDOR).keys() - to_wire(request, COMPATIBLE).keys() == {
        "max_completion_tokens",
        "prompt_cache_key",
    }
    assert to_wire(request, COMPATIBLE)["max_tokens"] == 50


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("", VENDOR),
        ("https://eu.api.openai.com/v1", VENDOR),
        ("https://me.openai.azure.com/openai/v1/", AZURE),
        ("http://localhost:8000/v1", COMPATIBLE),
        ("https://api.openai.com.evil.example/v1", COMPATIBLE),
    ],
)
def test_the_dialect_is_known_by_its_host(url: str, dialect: object) -> None:
    assert dialect_of(Provider("p", "openai", url)) is dialect


def test_nothing_that_was_not_set_is_sent() -> None:
    assert to_wire(ask()).keys() == {"model", "messages"}
    assert to_wire(ask(temperature=0.0))["temperature"] == 0.0


def test_several_results_become_one_wire_message_each_and_come_back_as_one() -> None:
    body = to_wire(ask(messages=TOOL_TURN))
    assert [wire["role"] for wire in body["messages"]] == ["user", "assistant", "tool", "tool", "assistant"]
    assert from_wire(body) == TOOL_TURN


def test_text_goes_as_a_string_and_pictures_as_parts() -> None:
    seen = Message("user", (Text("What is "), Text("this?"), Image("https://x.example/a.png", "low")))
    body = to_wire(ask(messages=(seen, Message("user", (Text("And "), Text("now?"))))))
    assert body["messages"][0]["content"][2] == {
        "type": "image_url",
        "image_url": {"url": "https://x.example/a.png", "detail": "low"},
    }
    assert body["messages"][1] == {"role": "user", "content": "And now?"}
    assert from_wire(body)[0] == seen


def test_tools_survive_the_wire() -> None:
    assert tools_from_wire(to_wire(ask(tools=(REMEMBER,)))) == (REMEMBER,)


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
def test_messages_survive_the_wire_but_for_lone_surrogates(groups: list[Any]) -> None:
    messages = tuple(m for group in groups for m in ((group,) if isinstance(group, Message) else group))
    body = to_wire(ask(messages=messages))
    json.dumps(body, ensure_ascii=False).encode()
    again = from_wire(body)
    assert to_wire(ask(messages=again)) == body
    if not LONE.search(repr(messages)):
        assert _parts(again) == _parts(messages)


def _parts(messages: tuple[Message, ...]) -> list[tuple[str, object]]:
    return [(m.role, part) for m in messages for part in m.parts]
