"""The pure conversions: what a request looks like on the wire, where the cache is marked, and that it can be read."""

import json
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from anthropic import transform_schema
from hypothesis import given
from hypothesis import strategies as st
from persona_anthropic.convert import MARK, MAX_TOKENS, from_wire, to_wire, tools_from_wire, usage_from_wire
from pydantic import BaseModel, Field
from talking import Desk
from wire import WireServer
from wires.anthropic import MESSAGES

from persona.conversation.answers import expected
from persona.values.message import Image, Message, Text, ToolCall, ToolResult, say
from persona.values.request import AnswerSchema, Request, Tool, Usage


class Tree(BaseModel):
    """A tree."""

    kind: str | None = None
    height_m: float = Field(gt=0)
    branches: list["Tree"] = []


class Shelf(BaseModel):
    since: date
    trees: list[Tree] = Field(max_length=3, description="what stands on it")
    best: Tree = Field(description="the finest")
    planted: bool = True


RECORDED = Path(__file__).parent / "recorded"
REMEMBER = Tool("remember", "d", {"type": "object", "properties": {"k": {"type": "string"}}})
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
TOOL_TURN = (
    say("user", "Two things."),
    Message("assistant", (Text("One moment."), ToolCall("a", "remember", "{}"), ToolCall("b", "forget", "{}"))),
    Message("tool", (ToolResult("a", "remember", "done"), ToolResult("b", "forget", "gone", failed=True))),
    say("assistant", "Both done."),
)


def ask(messages: tuple[Message, ...] = HELLO, model: str = "m", **options: Any) -> Request:
    return Request(model, messages, **options)


def blocks_of(body: Any) -> Iterator[Any]:
    """Every content block, in the order of the wire."""
    yield from body.get("system", ())
    for message in body["messages"]:
        content = message["content"]
        yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


def marked(body: Any) -> list[str]:
    """The texts of the blocks that are marked."""
    return [block["text"] for block in blocks_of(body) if "cache_control" in block]


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("messages", ask(HELLO, "claude-haiku-5-5", max_output_tokens=50, stable=(0,))),
        ("messages_stream", ask(HELLO, "claude-haiku-5-5", max_output_tokens=50, stream=True)),
        ("tools", ask(HELLO[1:], max_output_tokens=5, tools=(REMEMBER,))),
    ],
)
def test_a_request_has_the_recorded_shape(name: str, request_: Request) -> None:
    expected = json.loads((RECORDED / f"anthropic_{name}.json").read_text(encoding="utf-8"))["request"]["json"]
    body = to_wire(request_)
    if isinstance(expected.get("system"), str):
        expected["system"] = [{"type": "text", "text": expected["system"]}]
    for block in expected.get("system", ()):
        block.get("cache_control", {}).pop("ttl", None)
    assert body == {key: value for key, value in expected.items() if key != "metadata"}


def test_an_answer_is_asked_for_as_the_sdk_asks_for_a_model() -> None:
    expected = json.loads((RECORDED / "anthropic_parse.json").read_text(encoding="utf-8"))["request"]["json"]
    fact = expected["output_config"]["format"]["schema"]
    del fact["title"], fact["properties"]["name"]["title"]
    assert to_wire(ask(HELLO[1:], max_output_tokens=5, answer=AnswerSchema("Fact", fact))) == expected


@pytest.mark.parametrize("model", [Tree, Shelf])
def test_the_sdk_finds_nothing_in_an_answer_that_the_vendor_would_not_take(model: type[BaseModel]) -> None:
    awaited = expected(model)
    assert awaited is not None
    assert transform_schema(dict(awaited.schema.schema)) == awaited.schema.schema


def test_a_message_without_words_is_left_out_and_its_neighbours_share_one() -> None:
    silent = (say("user", "Hello?"), say("assistant", ""), Message("assistant", ()), say("user", " \n"))
    body = to_wire(ask((*silent, say("user", "Are you there?"))))
    (message,) = body["messages"]
    assert [block["text"] for block in message["content"]] == ["Hello?", "Are you there?"]


def test_results_come_first_in_the_message_that_follows_their_calls() -> None:
    body = to_wire(ask((*TOOL_TURN[:3], say("user", "And?"))))
    asked, answered = body["messages"][1:]
    assert [block["type"] for block in asked["content"]] == ["text", "tool_use", "tool_use"]
    assert [block["type"] for block in answered["content"]] == ["tool_result", "tool_result", "text"]
    assert [block.get("is_error", False) for block in answered["content"]] == [False, True, False]


def test_messages_come_back_as_they_were() -> None:
    seen = Message("user", (Text("What is this?"), Image("https://x.example/a.png"), Image("data:image/png;base64,aa")))
    talk = (*HELLO, say("assistant", "Ana."), *TOOL_TURN, seen)
    assert from_wire(to_wire(ask(talk))) == (*talk[:5], *talk[5:])
    assert tools_from_wire(to_wire(ask(tools=(REMEMBER,)))) == (REMEMBER,)


@pytest.mark.parametrize(
    ("arguments", "input"),
    [
        ("", {}),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("[1]", {"arguments": "[1]"}),
        ('{"a": NaN}', {"arguments": '{"a": NaN}'}),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}),
        ('{"a": "\\ud83e\\udd8a"}', {"a": "\U0001f98a"}),
        ("[" * 100_000, {"arguments": "[" * 100_000}),
    ],
    ids=["none", "object", "broken", "list", "nan", "half", "pair", "deep"],
)
def test_arguments_become_an_object_and_what_is_none_is_shown_as_written(arguments: str, input: Any) -> None:
    body = to_wire(ask((Message("assistant", (ToolCall("c", "f", arguments),)),)))
    assert body["messages"][0]["content"][0]["input"] == input
    json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def test_ids_of_another_providers_calls_are_made_to_fit() -> None:
    talk = (Message("assistant", (ToolCall("f:1/ü", "f", "{}"),)), Message("tool", (ToolResult("f:1/ü", "f", "ok"),)))
    asked, answered = to_wire(ask(talk))["messages"]
    assert asked["content"][0]["id"] == answered["content"][0]["tool_use_id"] == "f_1__"


def test_the_limit_is_always_sent_and_never_above_what_the_model_writes() -> None:
    assert to_wire(ask())["max_tokens"] == MAX_TOKENS
    assert to_wire(ask(max_output_tokens=7))["max_tokens"] == 7
    assert to_wire(ask(model="claude-haiku-4-5", max_output_tokens=100_000))["max_tokens"] == 64_000


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-haiku-4-5-20251001", True),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("claude-sonnet-4-6@default", True),
        ("claude-opus-4-6", True),
        ("claude-opus-4-7", False),
        ("claude-opus-5-5", False),
        ("us.anthropic.claude-haiku-5-5-v1:0", False),
        ("claude-of-tomorrow", False),
    ],
)
def test_a_temperature_goes_to_the_models_that_take_one(model: str, takes: bool) -> None:
    assert ("temperature" in to_wire(ask(model=model, temperature=0.0))) is takes


def test_usage_counts_what_the_cache_had_into_the_input() -> None:
    wire = {"input_tokens": 4, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 3, "output_tokens": 2}
    assert usage_from_wire(wire) == Usage(17, 2, 10, 3, None)
    assert usage_from_wire({"input_tokens": 4, "cache_read_input_tokens": None}) == Usage(4, None, None, None, None)
    assert usage_from_wire({"input_tokens": True, "output_tokens": -1}) == usage_from_wire("7") == Usage()


# the prompt cache


def test_the_ends_of_what_is_stable_are_marked_system_first() -> None:
    talk = (say("system", "rules"), say("user", "shot"), say("assistant", "so"), say("system", "profile"), *HELLO[1:])
    assert marked(to_wire(ask(talk, stable=(0, 2, 3, 5)))) == ["rules", "profile", "so", "Hello Ana."]


def test_of_more_than_four_marks_the_first_and_the_last_three_are_set() -> None:
    shots = (say("system", "rules"), say("user", "shot"), say("assistant", "so"))
    talk = (*shots, say("system", "profile"), say("user", "hi"), say("assistant", "hello"), say("user", "and?"))
    # on the wire the profile comes before the shots: what ends with the shots holds it, and is as stable
    assert marked(to_wire(ask(talk, stable=(0, 2, 3, 5, 6)))) == ["rules", "so", "hello", "and?"]


def test_an_unanswered_message_is_marked_within_the_message_it_shares() -> None:
    body = to_wire(ask((say("user", "Hello?"), say("user", "Now with recall.")), stable=(0,)))
    assert marked(body) == ["Hello?"]


def test_what_has_no_words_is_not_marked() -> None:
    assert marked(to_wire(ask((say("user", "hi"), say("assistant", ""), say("user", "there")), stable=(1,)))) == []


def test_each_request_of_a_conversation_begins_with_what_the_last_one_marked(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with WireServer(MESSAGES) as server, desk.stack:
        tables = {
            "providers": {"wired": {"kind": "anthropic", "base_url": server.origin}},
            "routes": {"default": {"target": "wired:m", "instructions": ["Be brief.", "Be kind."]}},
        }
        chat = desk.chat(**tables)
        server.reply("One.").tool_call("hours", "{}").reply("Two.").reply("Three.")
        for text in ("first", "second", "third"):
            chat.send(text, tools=[hours])
        bodies = server.bodies
    marks = [marked_at(body) for body in bodies]
    assert [len(ends) for ends in marks] == [1, 2, 3, 2]
    marks[2].pop()  # the end of a tool loop, which only another round of it repeats
    for (before, ends), after in zip(zip(bodies, marks, strict=True), bodies[1:], strict=False):
        for end in ends:
            assert bare(before)[: end + 1] == bare(after)[: end + 1]


def hours() -> str:
    """When the shop is open."""
    return "at nine"


def marked_at(body: Any) -> list[int]:
    return [at for at, block in enumerate(blocks_of(body)) if "cache_control" in block]


def bare(body: Any) -> list[Any]:
    """The blocks without their marks."""
    assert all(block.get("cache_control", MARK) == MARK for block in blocks_of(body))
    return [{key: value for key, value in block.items() if key != "cache_control"} for block in blocks_of(body)]


broken = st.lists(st.sampled_from(["\ud800", "\udfff", "\ud83e", "\udd8a", "a", "é", " "]), max_size=6).map("".join)
texts = st.text(max_size=20) | broken
spoken = st.builds(say, st.sampled_from(["system", "user", "assistant"]), texts)
called = st.builds(
    lambda calls: (
        Message("assistant", tuple(ToolCall(f"c{i}", "f", text) for i, text in enumerate(calls))),
        Message("tool", tuple(ToolResult(f"c{i}", "f", text) for i, text in enumerate(calls))),
    ),
    st.lists(texts, min_size=1, max_size=3),
)


@given(st.lists(spoken | called, max_size=6), st.sets(st.integers(0, 5)))
def test_any_talk_can_be_written_alternates_and_reads_back_as_itself(groups: list[Any], ends: set[int]) -> None:
    messages = tuple(m for group in groups for m in ((group,) if isinstance(group, Message) else group))
    body = to_wire(ask(messages, stable=tuple(sorted(end for end in ends if end < len(messages)))))
    json.dumps(body, ensure_ascii=False).encode()
    roles = [message["role"] for message in body["messages"]]
    assert all(before != after for before, after in pairwise(roles))
    assert len(marked_at(body)) <= 4
    assert all(block["type"] != "text" or block["text"].strip() for block in blocks_of(body))
    again = to_wire(ask(from_wire(body)))
    assert list(map(joined, roles_of(again))) == list(map(joined, roles_of(body)))


def roles_of(body: Any) -> list[tuple[str, list[Any]]]:
    return [(message["role"], bare({"messages": [message]})) for message in body["messages"]]


def joined(message: tuple[str, list[Any]]) -> tuple[str, str, list[Any]]:
    """A message whose neighbouring texts are one: two that were merged come back as one."""
    role, blocks = message
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    return role, text, [block for block in blocks if block["type"] != "text"]
