"""A table of chats as rows of messages: a message a line, or a question and its reply a line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from persona.adapter import Container
from persona.harvest.formats.reading import Line
from persona.harvest.formats.shaped import NO_LIMITS
from persona.harvest.formats.trl import CHAT
from persona.harvest.imports.keys import OF_MESSAGE, OF_ROW
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape

PAIRS = (
    *(("question", "reply"), ("question", "answer"), ("prompt", "response")),
    *(("input_text", "output_text"), ("prompt", "completion"), ("instruction", "output")),
)
"""Columns that hold a question and its reply."""

_COLUMNS = frozenset({"role", "content", *OF_ROW, *OF_MESSAGE, *(name for pair in PAIRS for name in pair)})

_ALIASES = {"human": "user", "customer": "user", "bot": "assistant", "agent": "assistant", "model": "assistant"}


@dataclass(frozen=True, slots=True)
class ChatTable:
    """`--as csv`: columns `role` and `content`, or one of PAIRS, beside those that every import reads."""

    name: str = "csv"
    shape: Shape = "chat"
    container: Container = "csv"
    also: tuple[Container, ...] = ()
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Mapping[str, object]:
        """As TRL's messages: tables are only read."""
        return CHAT.row(example)

    def problems(self, row: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with the messages of some lines."""
        if "messages" not in row:
            columns = "role and content, or question and reply"
            return [Problem("the table has no column with messages", f"name its columns {columns}")]
        return list(CHAT.problems(row))

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The messages of some lines in persona's terms."""
        return CHAT.example(row, id)


def conversations(found: Iterator[Line]) -> Iterator[Line]:
    """The lines of a table with `role` and `content` as one row for each conversation: lines that follow each other.

    A line with a question and its reply is a row of its own. The number is that of the last line.
    """
    for _, some in groupby(map(_named, found), _whose):
        group = list(some)
        first = group[0]
        if first.row is None or not {"role", "content"} <= first.row.keys():
            yield from map(_pair, group)
            continue
        rows = [line.row for line in group if line.row is not None]
        about = {key: _first(rows, key) for key in OF_ROW if key not in OF_MESSAGE}
        messages = [_message(row) for row in rows]
        yield Line(group[-1].number, {**{key: value for key, value in about.items() if value}, "messages": messages})


def _named(line: Line) -> Line:
    """The line with the columns that are known by their names, however they are cased and spaced."""
    if line.row is None or line.row.keys() <= _COLUMNS:
        return line
    names = {name: name.strip().casefold() for name in line.row}
    row = {names[name] if names[name] in _COLUMNS else name: value for name, value in line.row.items()}
    return replace(line, row=row)


def _whose(line: Line) -> tuple[object, ...]:
    row = line.row
    if row is None or not row.get("conversation") or "role" not in row:
        return (line.number,)
    return row.get("tenant"), row.get("user"), row["conversation"]


def _first(rows: list[dict[str, Any]], key: str) -> Any:
    return next((row[key] for row in rows if row.get(key)), None)


def _message(row: Mapping[str, Any]) -> dict[str, Any]:
    role = str(row["role"]).strip().casefold()
    beside = {key: row[key] for key in OF_MESSAGE if row.get(key)}
    return {"role": _ALIASES.get(role, role), "content": row["content"], **beside}


def _pair(line: Line) -> Line:
    row = line.row or {}
    for asked, replied in PAIRS:
        if asked in row and replied in row:
            said = [{"role": "user", "content": row[asked]}, {"role": "assistant", "content": row[replied]}]
            about = {key: row[key] for key in OF_ROW if row.get(key)}
            return Line(line.number, {**about, "messages": said}, line.problem)
    return line
