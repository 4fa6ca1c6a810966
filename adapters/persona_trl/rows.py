"""The rows of a dataset file as a trainer takes them: conversations, or a prompt and the replies to it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona.errors import InvalidInput
from persona.values.tuning import Method

Turn = dict[str, Any]
"""One message as chat templates take it."""

_ROLES = ("system", "developer", "user", "assistant", "tool")
_FORMS = "trl or trl-prompt-completion for sft, trl-preference for dpo"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what was said, and the reply to it. `every` says that all replies in `prompt` are learnt too.

    `rejected` is the reply that was not wanted; `tools` are as JSON Schema has them. `line` counts from 1.
    """

    line: int
    prompt: list[Turn]
    reply: list[Turn]
    rejected: list[Turn] | None = None
    tools: list[Any] | None = None
    every: bool = False


def read(path: Path, method: Method) -> Iterator[Row]:
    """The rows of a JSONL file in one of TRL's forms, checked one by one.

    Raises InvalidInput, with the line, for what is none, for a file that cannot be read and for an empty one.
    """
    empty = True
    for line, row in _objects(path):
        empty = False
        yield _row(path, line, row, method)
    if empty:
        raise InvalidInput(f"{path} holds no row", hint="harvest again, or look at what its checks dropped")


def count(path: Path, method: Method) -> int:
    """How many rows a file holds, all of them checked. Raises what `read` does."""
    return sum(1 for _ in read(path, method))


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8") as file:
            for line, text in enumerate(file, 1):
                if not text.strip():
                    continue
                row = json.loads(text)
                if not isinstance(row, dict):
                    raise _wrong(path, line, "is no JSON object")
                yield line, row
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", hint="name the dataset's file") from error
    except ValueError as error:  # neither JSON nor UTF-8
        raise InvalidInput(f"{path} is no JSONL file in UTF-8", hint=f"write the dataset as {_FORMS}") from error


def _row(path: Path, line: int, row: dict[str, Any], method: Method) -> Row:
    tools = _tools(path, line, row.get("tools"))
    if method == "dpo":
        prompt, chosen, rejected = (_turns(path, line, row, key) for key in ("prompt", "chosen", "rejected"))
        if chosen == rejected:
            raise _wrong(path, line, "prefers nothing: chosen and rejected are the same")
        _ends_with_replies(path, line, prompt, chosen, rejected)
        return Row(line, prompt, chosen, rejected, tools)
    if "messages" in row:
        messages = _turns(path, line, row, "messages")
        _ends_with_replies(path, line, messages[:-1], messages[-1:])
        return Row(line, messages[:-1], messages[-1:], tools=tools, every=True)
    prompt, reply = _turns(path, line, row, "prompt"), _turns(path, line, row, "completion")
    _ends_with_replies(path, line, prompt, reply)
    return Row(line, prompt, reply, tools=tools)


def _turns(path: Path, line: int, row: dict[str, Any], key: str) -> list[Turn]:
    value = row.get(key)
    if isinstance(value, str) and value.strip() and key != "messages":
        return [{"role": "user" if key == "prompt" else "assistant", "content": value}]
    if not isinstance(value, list) or not value:
        raise _wrong(path, line, f"has no {key}")
    for turn in value:
        if not isinstance(turn, dict) or turn.get("role") not in _ROLES:
            raise _wrong(path, line, f"has something in {key} that is no message")
        if not isinstance(turn.get("content"), str) and not turn.get("tool_calls"):
            raise _wrong(path, line, f"has a message in {key} without text")
    return value


def _ends_with_replies(path: Path, line: int, prompt: list[Turn], *replies: list[Turn]) -> None:
    if not any(turn["role"] == "user" for turn in prompt):
        raise _wrong(path, line, "has no message of a user before its reply")
    for reply in replies:
        if [turn["role"] for turn in reply] != ["assistant"]:
            raise _wrong(path, line, "does not end with one reply of the assistant")


def _tools(path: Path, line: int, value: Any) -> list[Any] | None:
    """Tools are a list, or a list written as JSON text."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError as error:
            raise _wrong(path, line, "has tools that are no JSON") from error
    if value and not isinstance(value, list):
        raise _wrong(path, line, "has tools that are no list")
    return value or None


def _wrong(path: Path, line: int, what: str) -> InvalidInput:
    return InvalidInput(f"{path}: line {line} {what}", hint=f"write the dataset as {_FORMS}")
