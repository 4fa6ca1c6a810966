"""The texts of a conversation, laid end to end to be searched at once, and put back where they were."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from persona.values.message import Image, Message, Part, Text, ToolCall, ToolResult
from persona.values.record import record

BORDER = "\x00"  # no pattern crosses it
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*')
_LEAST_NUMBER = 9  # digits of a JSON number that may be somebody's


class Piece(NamedTuple):
    """One text: of which message and part, where in the laid-out text, and which literal it is there in JSON."""

    message: int
    part: int
    start: int
    end: int
    literal: tuple[int, int] | None = None


@record(frozen=True, slots=True)
class Laid:
    """All texts of some messages as one."""

    messages: tuple[Message, ...]
    text: str
    pieces: tuple[Piece, ...]


def lay(messages: Sequence[Message]) -> Laid:
    """Every text of the messages: words, addresses of images, the strings of calls and of what tools gave back."""
    texts: list[str] = []
    pieces: list[Piece] = []
    at = 0
    for number, message in enumerate(messages):
        for which, part in enumerate(message.parts):
            if type(part) is Text:
                text = part.text
                pieces.append(Piece(number, which, at, at + len(text)))
                texts.append(text)
                at += len(text) + 1
                continue
            for before, text, literal in _texts(part):
                start = at + len(before)
                pieces.append(Piece(number, which, start, start + len(text), literal))
                texts.append(before + text)
                at = start + len(text) + 1
    return Laid(tuple(messages), BORDER.join(texts), tuple(pieces))


def put_back(messages: Sequence[Message], mended: Mapping[Piece, str]) -> tuple[Message, ...]:
    """The messages with other texts in some places."""
    by_part: dict[tuple[int, int], list[tuple[Piece, str]]] = {}
    for piece, text in mended.items():
        by_part.setdefault((piece.message, piece.part), []).append((piece, text))
    made = list(messages)
    for (number, which), changes in by_part.items():
        parts = list(made[number].parts)
        parts[which] = _with(parts[which], changes)
        made[number] = made[number].of_parts(tuple(parts))
    return tuple(made)


def _texts(part: Part) -> Iterator[tuple[str, str, tuple[int, int] | None]]:
    """What is said before a text, the text, and the place of its literal."""
    raw = _raw(part)
    if isinstance(part, ToolCall | ToolResult) and raw.lstrip()[:1] in ("{", "[", '"') and _is_json(raw):
        yield from _literals(raw)
    else:
        yield "", raw, None


def _literals(raw: str) -> Iterator[tuple[str, str, tuple[int, int]]]:
    name = ""
    for found in _LITERAL.finditer(raw):
        if found.group()[0] != '"':
            if sum(map(str.isdigit, found.group())) >= _LEAST_NUMBER and found.group().isdigit():
                yield name, found.group(), found.span()
            continue
        end = found.end() - len(found[1] or "")
        text = json.loads(raw[found.start() : end])
        yield "" if found[1] else name, text, (found.start(), end)
        if found[1]:
            name = f"{text}: ".replace("_", " ")


def _is_json(raw: str) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _raw(part: Part) -> str:
    if isinstance(part, ToolCall):
        return part.arguments
    return part.url if isinstance(part, Image) else part.text


def _with(part: Part, changes: Sequence[tuple[Piece, str]]) -> Part:
    if type(part) is Text:  # one piece, all of it
        return Text(changes[0][1])
    raw, last = _raw(part), 0
    made: list[str] = []
    for piece, text in sorted(changes, key=lambda change: change[0].start):
        start, end = piece.literal or (0, len(raw))
        made += [raw[last:start], _written(text, raw[start:end]) if piece.literal else text]
        last = end
    whole = "".join([*made, raw[last:]])
    if isinstance(part, ToolCall):
        return replace(part, arguments=whole)
    if isinstance(part, Image):
        return replace(part, url=whole)
    return replace(part, text=whole)


def _written(text: str, old: str) -> str:
    """A string as JSON, escaped as the old literal was; a number stays one while it is made of digits alone."""
    if old[0] != '"' and text.isdigit() and text[0] != "0":
        return text
    return json.dumps(text, ensure_ascii="\\u" in old)
