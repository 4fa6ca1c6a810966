"""Every format, the core's and the adapters': what it writes it finds no fault with, and reads again."""

import io
import json
import re
import warnings
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_rows import TOOL, chats, preferences, ratings, single

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.formats import available, find
from persona.harvest.formats.containers import SUFFIXES, RowWriter
from persona.harvest.formats.detect import detect
from persona.harvest.formats.reading import container_of, lines
from persona.values.example import Example, every_reply, last_of
from persona.values.message import Image, Message, Text, ToolCall, ToolResult, say

FORMATS = available()
TOOLS = {"trl", "trl-prompt-completion", "openai", "azure", "mistral", "together", "fireworks", "gemini"}
ASKED, TOLD = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}
GEMINI = [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "model", "parts": [{"text": "A"}]}]
WORSE = {"role": "assistant", "content": "B"}
ONE_QUESTION = {"alpaca", "input-output", "input-output-csv", "autotrain-preference"}


def _rows(one: DatasetFormat) -> st.SearchStrategy[Example]:
    chat = single() if one.name in ONE_QUESTION else chats(tools=one.name in TOOLS)
    made = {"chat": chat, "preference": preferences(chat), "unpaired": ratings(chat), "text": chat}
    return made[one.shape]


def _meant(message: Message) -> tuple[object, ...]:
    """A message without what only some forms say: the ids of calls, and how arguments are spaced."""
    calls = tuple((call.name, json.loads(call.arguments)) for call in message.tool_calls)
    results = tuple((part.name, part.text) for part in message.parts if isinstance(part, ToolResult))
    return message.role, message.text, calls, results


def _written(one: DatasetFormat, rows: list[Example]) -> bytes:
    out = io.BytesIO()
    writer = RowWriter(out, one.container)
    for row in rows:
        writer.write(one.row(row))
    writer.finish()
    return out.getvalue()


@pytest.mark.parametrize("one", FORMATS.values(), ids=list(FORMATS))
def test_a_row_is_without_fault_and_is_read_again(one: DatasetFormat) -> None:
    @given(_rows(one))
    @settings(max_examples=10, deadline=None)
    def check(example: Example) -> None:
        row = json.loads(json.dumps(one.row(example)))
        assert list(one.problems(row)) == []
        if one.shape == "text":
            return
        again = one.example(row, "x")
        assert list(map(_meant, again.messages)) == list(map(_meant, example.messages))
        assert [tool.name for tool in again.tools] == [tool.name for tool in example.tools]
        assert again.label == example.label
        assert (again.rejected and _meant(again.rejected)) == (example.rejected and _meant(example.rejected))
        carried = {"weights": example.weights, "last": last_of(again.messages), "every": every_reply(again.messages)}
        assert again.weights == carried[one.loss]

    check()


@pytest.mark.parametrize("one", FORMATS.values(), ids=list(FORMATS))
def test_a_file_is_read_again_and_its_format_is_told(one: DatasetFormat, tmp_path: Path) -> None:
    rows = [_sample(one, number) for number in range(3)]
    path = tmp_path / f"train{SUFFIXES[one.container]}"
    path.write_bytes(_written(one, rows))

    assert container_of(path) == one.container
    assert [one.problems(line.row or {}) for line in lines(path, one.container)] == [[], [], []]
    best, *_ = found = detect(path, FORMATS)
    assert one.name in found
    assert FORMATS[best].shape == one.shape, "what a row says of its replies is not lost"


@pytest.mark.parametrize("one", FORMATS.values(), ids=list(FORMATS))
def test_what_a_format_cannot_say_is_refused_with_a_reason(one: DatasetFormat) -> None:
    sample = _sample(one, 0)
    picture = Message("user", (Text("Look"), Image("https://example.org/a.png")))
    bare = Example("x", (picture, *sample.messages[-1:]), (False, True), (), sample.rejected, sample.label)
    if one.name.startswith(("openai", "azure")):
        assert not one.problems(one.row(bare))
    else:
        with pytest.raises(InvalidInput, match=r"picture"):
            one.row(bare)
    if one.shape != "text":
        other = Example("x", sample.messages, sample.weights, label=True if one.shape != "unpaired" else None)
        with pytest.raises(InvalidInput, match="shape"):
            one.row(other)


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - TOOLS - {"trl-preference", "trl-unpaired"}))
def test_a_format_without_tools_refuses_them(name: str) -> None:
    one = FORMATS[name]
    sample = _sample(one, 0)
    row = Example("x", sample.messages, sample.weights, (TOOL,), sample.rejected, sample.label)
    if name in {"sharegpt", "gemini-preference", "openai-dpo", "azure-dpo", "together-dpo", "fireworks-dpo"}:
        assert not one.problems(one.row(row))
    else:
        with pytest.raises(InvalidInput, match="no place for tools"):
            one.row(row)


def test_a_tool_group_is_written_in_sharegpt_and_read_again() -> None:
    call = ToolCall("c1", "opening_hours", '{"day": "lundi"}')
    group = (Message("assistant", (call,)), Message("tool", (ToolResult("c1", "opening_hours", "9 h"),)))
    messages = (say("user", "Lundi ?"), *group, say("assistant", "À 9 h."))
    example = Example("x", messages, every_reply(messages), (TOOL,))
    one = FORMATS["sharegpt"]

    row = one.row(example)

    assert [said["from"] for said in row["conversations"]] == ["human", "function_call", "observation", "gpt"]  # type: ignore[attr-defined]
    assert not one.problems(row)
    assert list(map(_meant, one.example(row, "x").messages)) == list(map(_meant, messages))


def test_mistral_has_call_ids_of_nine_letters_and_digits() -> None:
    call = ToolCall("call_abc-123", "f", "{}")
    group = (Message("assistant", (call,)), Message("tool", (ToolResult(call.id, "f", "ok"),)))
    messages = (say("user", "Q"), *group, say("assistant", "A"))

    row = FORMATS["mistral"].row(Example("x", messages, every_reply(messages)))

    _, asks, answers, _ = row["messages"]  # type: ignore[misc]
    assert re.fullmatch("[0-9A-Za-z]{9}", asks["tool_calls"][0]["id"])
    assert answers["tool_call_id"] == asks["tool_calls"][0]["id"]
    assert "content" not in asks


def test_what_several_tools_gave_back_is_one_content_for_gemini() -> None:
    calls = (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))
    results = tuple(ToolResult(call.id, call.name, call.id) for call in calls)
    messages = (say("user", "Q"), Message("assistant", calls), Message("tool", results), say("assistant", "A"))

    row = FORMATS["gemini"].row(Example("x", messages, every_reply(messages)))

    assert [len(content["parts"]) for content in row["contents"]] == [1, 2, 2, 1]  # type: ignore[attr-defined]


USER, REPLY = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ({"messages": ["Q", REPLY]}, "data_type"),
        ({}, "missing_messages_list"),
        ({"messages": [{"role": "user"}, REPLY]}, "message_missing_key"),
        ({"messages": [{**USER, "mood": "good"}, REPLY]}, "message_unrecognized_key"),
        ({"messages": [{**USER, "role": "customer"}, REPLY]}, "unrecognized_role"),
        ({"messages": [{**USER, "content": None}, REPLY]}, "missing_content"),
        ({"messages": [USER, USER]}, "example_missing_assistant_message"),
    ],
)
def test_the_seven_checks_of_the_vendors_cookbook_are_made(row: dict[str, object], check: str) -> None:
    (found,) = FORMATS["openai"].problems(row)
    assert found.reason.startswith(check)
    assert found.hint


@pytest.mark.parametrize(
    ("row", "best"),
    [
        ({"system": "S", "messages": [ASKED, TOLD]}, "bedrock-claude"),
        ({"prompt": [ASKED], "completion": [TOLD], "label": False}, "trl-unpaired"),
        ({"chosen": [ASKED, TOLD], "rejected": [ASKED, WORSE]}, "trl-preference"),
        ({"prompt": "Q", "chosen": [ASKED, TOLD], "rejected": [ASKED, WORSE], "messages": [ASKED]}, "trl-preference"),
        ({"prompt": "Q", "prompt_id": "1", "messages": [ASKED, TOLD]}, "trl"),
    ],
)
def test_the_format_that_reads_all_that_a_row_says_comes_first(
    row: dict[str, object], best: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(row))
    assert detect(path, FORMATS)[0] == best


def test_a_preference_without_a_prompt_has_what_both_replies_begin_with() -> None:
    row = {"chosen": [ASKED, TOLD], "rejected": [ASKED, WORSE]}
    assert FORMATS["trl-preference"].problems(row) == []
    example = FORMATS["trl-preference"].example(row, "x")
    assert [message.text for message in (*example.messages, example.rejected) if message] == ["Q", "A", "B"]
    alone = FORMATS["trl-preference"].problems({"chosen": [TOLD], "rejected": [WORSE]})
    assert {problem.reason for problem in alone} == {"prompt is missing or no list of messages"}


@pytest.mark.parametrize("said", ["", "\n \n", '{\n"messages": []\n}'])
def test_a_file_without_a_row_that_can_be_read_says_so(said: str, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(said)
    with pytest.raises(InvalidInput, match="no row that can be read"):
        detect(path, FORMATS)


@pytest.mark.parametrize("filtered", ["error", "ignore"])
def test_a_word_that_the_types_of_gemini_do_not_know_is_an_error(filtered: Literal["error", "ignore"]) -> None:
    declared = [{"name": "f", "parameters": {"type": "objekt", "properties": {}}}]
    with warnings.catch_warnings():
        warnings.simplefilter(filtered)
        (problem,) = FORMATS["gemini"].problems({"contents": GEMINI, "tools": [{"functionDeclarations": declared}]})
    assert (problem.reason, problem.where) == ("tools is not what the SDK's types say: enum", "tools")
    assert problem.hint == "objekt is not a valid Type"


def test_a_check_leaves_the_filters_of_warnings_alone_which_all_threads_share() -> None:
    seen = []

    class Watching(str):
        def upper(self) -> str:
            seen.append(list(warnings.filters))
            return str.upper(self)

    declared = [{"name": "f", "parameters": {"type": Watching("object"), "properties": {}}}]
    assert FORMATS["gemini"].problems({"contents": GEMINI, "tools": [{"functionDeclarations": declared}]}) == []
    assert seen == [list(warnings.filters)]


def test_a_format_that_nobody_knows_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(InvalidInput, match="alpaca"):
        find("alpacca", FORMATS)
    with pytest.raises(InvalidInput, match=r"such as alpaca, .*trl") as far:
        find("zzzz", FORMATS)
    assert "openai" not in str(far.value)  # which is there only where its adapter is


def _sample(one: DatasetFormat, number: int) -> Example:
    messages = (say("user", f"Où est le colis n° {number} ?"), say("assistant", f"Il arrive : {number}, « demain »."))
    rejected = say("assistant", "Aucune idée") if one.shape == "preference" else None
    return Example("x", messages, last_of(messages), (), rejected, True if one.shape == "unpaired" else None)


def test_the_page_about_formats_names_every_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    table = page.split("## Checking a file")[0]
    assert set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)))) == set(FORMATS)


def test_what_a_consumer_takes_is_dated_and_has_a_source() -> None:
    for one in FORMATS.values():
        limits = one.limits
        bounded = any((limits.min_examples, limits.max_examples, limits.max_tokens, limits.max_bytes))
        assert not bounded or (limits.source and re.fullmatch(r"\d{4}-\d\d-\d\d", limits.checked)), one.name
