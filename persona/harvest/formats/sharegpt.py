"""ShareGPT as LLaMA-Factory reads it: who speaks depends on the place, and what is out of place is skipped in silence.

Source: LLaMA-Factory's data/converter.py (SharegptDatasetConverter), read 2026-11-21: after an optional system message,
human or observation at even places, gpt or function_call at odd ones, and the last is one of those.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona.adapter import Container
from persona.errors import InvalidInput
from persona.harvest.formats.shaped import NO_LIMITS
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, every_reply
from persona.values.faults import RoleForm, tool_problems
from persona.values.message import Message, ToolCall, ToolResult, say
from persona.values.roles import Json, arguments_of, in_turn, tools_read, wants, write

_ASKS, _SAYS = ("human", "observation"), ("gpt", "function_call")
_ALIASES = {"user": "human", "assistant": "gpt", "chatgpt": "gpt", "bing": "gpt", "bard": "gpt"}


@dataclass(frozen=True, slots=True)
class ShareGPT:
    """`conversations` of `from` and `value`, with the system prompt and tools beside them."""

    name: str = "sharegpt"
    shape: Shape = "chat"
    container: Container = "json"
    also: tuple[Container, ...] = ("jsonl",)
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """`{"conversations": […], "system": …, "tools": …}`; the tools are JSON text."""
        wants(example, self.shape, self.name)
        write(example.messages, example.weights, RoleForm(strict=True, objects=False, apart=True))  # refuses the rest
        messages, _ = in_turn(example.messages, example.weights)
        system = messages.pop(0).text if messages[0].role == "system" else ""
        tools = [
            {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
            for tool in example.tools
        ]
        return {
            "conversations": [_said(message) for message in messages],
            "system": system,
            "tools": json.dumps(tools, ensure_ascii=False) if tools else "",
        }

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What LLaMA-Factory would skip, or stumble over."""
        said = row.get("conversations")
        if not isinstance(said, list) or not said:
            return [Problem("conversations is missing or no list", 'write "conversations": [{"from": …, "value": …}]')]
        found = [Problem(*fault, True, f"conversations[{place}]") for place, fault in _faults(said)]
        found += _place_problems(said) if not found else []
        if not isinstance(row.get("system") or "", str):
            found.append(Problem("system is no text", "write the system prompt as text", where="system"))
        return found + tool_problems(row.get("tools"))

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms; a call and its result are given ids."""
        said = list(row["conversations"])
        system = said.pop(0)["value"] if said[0]["from"] == "system" else row.get("system")
        messages = [say("system", system)] if system else []
        for one in said:
            messages.append(_message(_role(one), one["value"], messages))
        return Example(id, tuple(messages), every_reply(messages), tools_read(row.get("tools")))


def _said(message: Message) -> Json:
    if message.role == "tool":
        if len(message.parts) != 1:
            raise InvalidInput("sharegpt has one result for one call", hint="drop rows with several calls at once")
        part = message.parts[0]
        return {"from": "observation", "value": part.text if isinstance(part, ToolResult) else ""}
    if message.tool_calls:
        calls = [{"name": call.name, "arguments": arguments_of(call)} for call in message.tool_calls]
        return {"from": "function_call", "value": json.dumps(calls[0], ensure_ascii=False)}
    return {"from": "human" if message.role == "user" else "gpt", "value": message.text}


def _role(one: Mapping[str, Any]) -> str:
    return _ALIASES.get(one["from"], str(one["from"]))


def _faults(said: Sequence[object]) -> Iterator[tuple[int, tuple[str, str]]]:
    for place, one in enumerate(said):
        if not isinstance(one, Mapping) or not isinstance(one.get("from"), str) or "value" not in one:
            yield place, ("a message has no from and value", 'write {"from": "human", "value": …}')
        elif _role(one) not in (*_ASKS, *_SAYS, "system"):
            yield place, ("unknown role", "the roles are system, human, gpt, function_call and observation")
        elif not isinstance(one["value"], str):
            yield place, ("value is no text", "write the value as text")
        elif _role(one) in ("human", "gpt", "system") and not one["value"].strip():
            yield place, ("a message is empty", "remove the message, or write its text")
        elif _role(one) == "function_call" and not _is_call(one["value"]):
            yield place, ("a function_call is not JSON", 'write {"name": …, "arguments": {…}} as text')


def _is_call(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    calls = found if isinstance(found, list) else [found]
    return bool(calls) and all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("arguments", {}), dict)
        for one in calls
    )


def _place_problems(said: Sequence[Mapping[str, Any]]) -> list[Problem]:
    first = 1 if said[0]["from"] == "system" else 0
    for place, one in enumerate(said[first:]):
        if _role(one) not in (_ASKS, _SAYS)[place % 2]:
            hint = "human or observation first, then gpt or function_call, in turn"
            return [Problem("a message out of turn: the row is skipped", hint, where=f"conversations[{first + place}]")]
    if (len(said) - first) % 2:
        return [Problem("the last message is not gpt's: the row is skipped", "end with the reply to be learnt")]
    if said[first]["from"] == "observation":
        return [Problem("an observation answers no function_call", "begin with human", where=f"conversations[{first}]")]
    return []


def _message(role: str, value: str, before: Sequence[Message]) -> Message:
    if role == "function_call":
        found = json.loads(value)
        calls = found if isinstance(found, list) else [found]
        parts = [
            ToolCall(f"call_{len(before)}_{n}", one["name"], json.dumps(one.get("arguments", {}), ensure_ascii=False))
            for n, one in enumerate(calls)
        ]
        return Message("assistant", tuple(parts))
    if role == "observation":
        calls_before = before[-1].tool_calls if before else ()
        call = calls_before[0] if calls_before else ToolCall("call", "", "{}")
        return Message("tool", (ToolResult(call.id, call.name, value),))
    return say("user" if role == "human" else "assistant", value)
