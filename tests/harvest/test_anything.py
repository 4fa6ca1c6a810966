"""Whatever somebody wrote into a row: it is judged, never stumbled over, and what is without fault is read."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_rows import TOOL

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.formats import available
from persona.harvest.imports.conversations import Importing, conversation_of
from persona.harvest.imports.keys import OF_MESSAGE, OF_ROW
from persona.values.example import Example, every_reply, last_of
from persona.values.message import Message, ToolCall, ToolResult, say

FORMATS = available()
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "user", "gpt", "{}", "[1]", "\ud800", 1e400])
)
JSON = st.recursive(
    SCALARS,
    lambda some: st.lists(some, max_size=2) | st.dictionaries(st.sampled_from(["role", "text", "name", "x"]), some),
)


def _sample(one: DatasetFormat) -> dict[str, Any]:
    call = ToolCall("c1", "opening_hours", '{"day": 1}')
    group = (Message("assistant", (call,)), Message("tool", (ToolResult("c1", "opening_hours", "9"),)))
    whole = (say("system", "S"), say("user", "Q"), *group, say("assistant", "A"))
    for messages in (whole, (*whole[:2], whole[-1]), (whole[1], whole[-1])):
        rejected = say("assistant", "B") if one.shape == "preference" else None
        tools = (TOOL,) if len(messages) == len(whole) else ()
        weights = every_reply(messages) if one.loss == "weights" else last_of(messages)
        try:
            made = one.row(Example("x", messages, weights, tools, rejected, True if one.shape == "unpaired" else None))
        except InvalidInput:
            continue
        found: dict[str, Any] = json.loads(json.dumps(made))
        return found
    raise AssertionError(one.name)


def _places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(place for key, one in inner for place in _places(one, (*before, key)))]


def _changed(row: dict[str, Any], place: tuple[Any, ...], value: Any, drop: bool) -> dict[str, Any]:
    row = json.loads(json.dumps(row))
    at: Any = row
    for key in place[:-1]:
        at = at[key]
    if drop:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return row


@pytest.mark.parametrize("one", FORMATS.values(), ids=list(FORMATS))
def test_a_row_that_was_tampered_with_is_judged_and_read_when_it_is_without_fault(one: DatasetFormat) -> None:
    row = _sample(one)
    places = [place for place in _places(row) if place]

    @given(st.sampled_from(places), JSON, st.booleans())
    @settings(max_examples=25, deadline=None)
    def check(place: tuple[Any, ...], value: Any, drop: bool) -> None:
        changed = _changed(row, place, value, drop)
        found = one.problems(changed)
        assert all(problem.reason and problem.hint for problem in found)
        if not any(problem.error for problem in found):
            assert one.example(changed, "x").messages

    check()


@pytest.mark.parametrize("one", FORMATS.values(), ids=list(FORMATS))
def test_any_json_object_is_judged(one: DatasetFormat) -> None:
    keys = [*_sample(one), "messages", "tools", "weight"]

    @given(st.dictionaries(st.sampled_from(keys), JSON))
    @settings(max_examples=12, deadline=None)
    def check(row: dict[str, Any]) -> None:
        if not any(problem.error for problem in one.problems(row)):
            assert one.example(row, "x").messages

    check()


@pytest.mark.parametrize("name", ["trl", "sharegpt", "openai", "gemini", "alpaca", "trl-preference"])
def test_a_row_becomes_a_conversation_or_is_refused_with_a_reason(name: str) -> None:
    importing = Importing(FORMATS[name], "", "", "0" * 32, 1)
    row = _sample(FORMATS[name])
    places = [place for place in _places(row) if place]

    @given(st.sampled_from(places), JSON, st.booleans(), st.dictionaries(st.sampled_from([*OF_ROW, *OF_MESSAGE]), JSON))
    @settings(max_examples=30, deadline=None)
    def check(place: tuple[Any, ...], value: Any, drop: bool, told: dict[str, Any]) -> None:
        try:
            found = conversation_of({**_changed(row, place, value, drop), **told}, 1, importing)
        except InvalidInput:
            return
        assert all(any(said.message.role == "user" for said in turn) for turn in found.turns)
        json.dumps([said.message.text for turn in found.turns for said in turn], ensure_ascii=False).encode()

    check()
