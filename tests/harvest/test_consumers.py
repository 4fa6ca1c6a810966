"""Files as their consumers' own code reads them: Hugging Face's `datasets`, and TRL's rules (`make test-heavy`)."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from persona.adapter import DatasetFormat
from persona.harvest.formats import CORE
from persona.harvest.formats.containers import SUFFIXES, RowWriter
from persona.values.example import Example, every_reply, last_of
from persona.values.message import Message, ToolCall, ToolResult, say
from persona.values.request import Tool

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # of the libraries
]
LOADERS = {"jsonl": "json", "json": "json", "csv": "csv", "text": "text"}
TRL = [one for one in CORE if one.name.startswith("trl")]


def _example(one: DatasetFormat, number: int) -> Example:
    messages = (say("user", f"Où est le colis n° {number} ?"), say("assistant", f"Il arrive, « demain » : {number}."))
    rejected = say("assistant", "Aucune idée") if one.shape == "preference" else None
    return Example("x", messages, last_of(messages), (), rejected, number % 2 == 0 if one.shape == "unpaired" else None)


def _with_tools(number: int) -> Example:
    call = ToolCall(
        f"c{number}", "hours" if number % 2 else "price", '{"day": 1}' if number % 2 else '{"weight": "2 kg"}'
    )
    group = (Message("assistant", (call,)), Message("tool", (ToolResult(call.id, call.name, "ok"),)))
    messages = (say("user", "Q"), *group, say("assistant", "A"))
    tool = Tool(call.name, "Says it.", {"type": "object", "properties": {"day": {"type": "integer"}}})
    return Example("x", messages, every_reply(messages), (tool,))


def _written(one: DatasetFormat, folder: Path, rows: list[Example]) -> Path:
    path = folder / f"train{SUFFIXES[one.container]}"
    with path.open("wb") as file:
        writer = RowWriter(file, one.container)
        for row in rows:
            writer.write(one.row(row))
        writer.finish()
    return path


def _loaded(one: DatasetFormat, path: Path) -> list[dict[str, Any]]:
    datasets = import_module("datasets")
    more = {"sample_by": "paragraph"} if one.container == "text" else {}
    cache = str(path.parent / "cache")
    found = datasets.load_dataset(LOADERS[one.container], data_files=str(path), split="train", cache_dir=cache, **more)
    return [dict(row) for row in found]


@pytest.mark.parametrize("one", CORE, ids=[one.name for one in CORE])
def test_the_loader_reads_what_was_written(one: DatasetFormat, tmp_path: Path) -> None:
    rows = [_example(one, number) for number in range(5)]
    found = _loaded(one, _written(one, tmp_path, rows))
    assert [_bare(row) for row in found] == [_bare(dict(one.row(row))) for row in rows]


@pytest.mark.parametrize("one", [one for one in TRL if one.shape == "chat"], ids=lambda one: one.name)
def test_calls_with_different_arguments_are_read_as_they_are(one: DatasetFormat, tmp_path: Path) -> None:
    rows = [_with_tools(number) for number in range(4)]
    found = _loaded(one, _written(one, tmp_path, rows))
    assert [_bare(row) for row in found] == [_bare(dict(one.row(row))) for row in rows]
    assert [json.loads(row["tools"])[0]["function"]["name"] for row in found] == ["price", "hours"] * 2


@pytest.mark.parametrize("one", TRL, ids=lambda one: one.name)
def test_trl_knows_the_rows_as_conversations(one: DatasetFormat, tmp_path: Path) -> None:
    rules = import_module("trl.data_utils")
    for row in _loaded(one, _written(one, tmp_path, [_example(one, number) for number in range(3)])):
        assert rules.is_conversational(row)


def _bare(value: Any) -> Any:
    """Without what a table of columns fills in (the keys that other rows have), and the last line end of a text."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if one not in (None, [], "")}
    if isinstance(value, str):
        return value.rstrip("\n")
    return [_bare(one) for one in value] if isinstance(value, list) else value
