"""Messages as objects with a role and content, the form that most training files share: both ways, and its faults."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from persona.errors import InvalidInput
from persona.values.example import Example, Shape
from persona.values.faults import RoleForm, problems
from persona.values.message import Image, Message, Part, Role, Text, ToolCall, ToolResult, say
from persona.values.request import Tool

Json = dict[str, Any]  # training files are open-ended JSON by nature

PARAGRAPH = "\n\n"
"""What joins the texts of messages that a form wants as one."""


def wants(example: Example, shape: Shape, name: str) -> None:
    """Raises InvalidInput for an example that teaches something else than the form does."""
    if example.shape != shape:
        raise InvalidInput(
            f"a row of shape {example.shape!r} cannot be written as {name}", hint=f"{name} takes {shape!r} rows"
        )
    if example.messages[-1].role != "assistant":
        raise InvalidInput("the row does not end with a reply", hint="drop the row")


def write(messages: Sequence[Message], weights: Sequence[bool], form: RoleForm) -> list[Json]:
    """The messages in this form. Raises InvalidInput, with the reason, for what it cannot say."""
    if not form.strict and (rows := _plainly(messages, weights, form)):
        return rows
    if form.strict:
        messages, weights = in_turn(messages, weights)
    _refuse(messages, form)
    rows = []
    for message, carries in zip(messages, weights, strict=True):
        if message.role == "tool":
            rows += _results(message, form)
            continue
        row: Json = {"role": message.role, "content": _content(message)}
        if message.tool_calls:
            _add_calls(row, message, form)
        if form.weights and message.role == "assistant" and not carries:
            row["weight"] = 0
        rows.append(row)
    if faults := problems(rows, form):
        raise InvalidInput(f"the form cannot say this: {faults[0].reason}", hint=faults[0].hint)
    return rows


def _plainly(messages: Sequence[Message], weights: Sequence[bool], form: RoleForm) -> list[Json]:
    """The messages of nothing but words that end with a reply to learn, as most do; nothing where a fault could be."""
    if not (messages and weights[-1] and messages[-1].role == "assistant"):
        return []
    rows: list[Json] = []
    weighs = form.weights
    for message, carries in zip(messages, weights, strict=True):
        role, parts = message.role, message.parts
        if role == "tool" or len(parts) != 1 or type(only := parts[0]) is not Text:
            return []
        text = only.text
        if not text or text.isspace():
            return []
        row: Json = {"role": role, "content": text}
        if weighs and not carries and role == "assistant":
            row["weight"] = 0
        rows.append(row)
    return rows


def read(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[Message, ...], tuple[bool, ...]]:
    """The messages and their weights, of rows without faults; results that follow each other become one message."""
    names: dict[str, str] = {}
    messages: list[Message] = []
    weights: list[bool] = []
    for is_tool, group in groupby(rows, key=lambda row: row["role"] == "tool"):
        if is_tool:
            open_calls = [call.id for call in messages[-1].tool_calls]
            messages.append(Message("tool", tuple(_result(row, open_calls, names) for row in group)))
            weights.append(False)
            continue
        for row in group:
            role: Role = "system" if row["role"] == "developer" else row["role"]
            message = Message(role, (*_parts(row.get("content")), *_calls(row, len(messages))))
            names |= {call.id: call.name for call in message.tool_calls}
            messages.append(message)
            weights.append(role == "assistant" and row.get("weight", 1) != 0)
    return tuple(messages), tuple(weights)


def in_turn(messages: Sequence[Message], weights: Sequence[bool]) -> tuple[list[Message], list[bool]]:
    """The messages with what one side said in a row as one; the system's too, at the beginning."""
    said: list[Message] = []
    carried: list[bool] = []
    for message, carries in zip(messages, weights, strict=True):
        last = said[-1] if said else None
        if last and last.role == message.role and message.role in ("system", "user") and not _pictures((last, message)):
            said[-1] = say(message.role, f"{last.text}{PARAGRAPH}{message.text}")
        else:
            said.append(message)
            carried.append(carries)
    return said, carried


def plain(messages: Sequence[Message], what: str) -> list[Message]:
    """Messages that are nothing but words, in turn: for forms without tools. Raises InvalidInput for others."""
    for message in messages:
        if message.role == "tool" or message.tool_calls:
            raise InvalidInput(f"{what} has no place for tools", hint="write this row in a form that has, such as trl")
    said, _ = in_turn(messages, [False] * len(messages))
    _refuse(said, RoleForm())
    faults = problems([{"role": one.role, "content": one.text} for one in said], RoleForm(strict=True))
    if faults:
        raise InvalidInput(f"{what} cannot say this: {faults[0].reason}", hint=faults[0].hint)
    return said


def tools_written(tools: Iterable[Tool]) -> list[Json]:
    """Declared functions, in the given order."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def tools_read(value: object) -> tuple[Tool, ...]:
    """The declared functions of a row without faults: a list, or the same as JSON text."""
    found = json.loads(value) if isinstance(value, str) and value else value or []
    functions = [one.get("function", one) for one in found] if isinstance(found, list) else []
    return tuple(Tool(f["name"], f.get("description") or "", f.get("parameters") or {}) for f in functions)


def _refuse(messages: Sequence[Message], form: RoleForm) -> None:
    if not form.images and _pictures(messages):
        raise InvalidInput("the form has no place for pictures", hint="drop the row, or its pictures")


def _pictures(messages: Iterable[Message]) -> bool:
    return any(isinstance(part, Image) for message in messages for part in message.parts)


def _content(message: Message) -> str | list[Json]:
    if not _pictures((message,)):
        return message.text
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, Text)
        else {"type": "image_url", "image_url": {"url": part.url, "detail": part.detail}}
        for part in message.parts
        if isinstance(part, Text | Image)
    ]


def _add_calls(row: Json, message: Message, form: RoleForm) -> None:
    if form.apart and row["content"]:
        raise InvalidInput("the form has no place for words beside tool calls", hint="drop the row")
    if not row["content"]:
        if form.apart:
            del row["content"]
        else:
            row["content"] = "" if form.objects else None
    row["tool_calls"] = [
        {
            "id": call.id,
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": arguments_of(call) if form.objects else call.arguments or "{}",
            },
        }
        for call in message.tool_calls
    ]


def arguments_of(call: ToolCall) -> Json:
    """The arguments of a call as an object. Raises InvalidInput where they are none."""
    try:
        parsed = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise InvalidInput("the arguments of a tool call are no JSON object", hint="drop the row: the call was broken")
    return parsed


def _results(message: Message, form: RoleForm) -> Iterator[Json]:
    for part in message.parts:
        if isinstance(part, ToolResult):
            named = {"name": part.name} if form.named else {}
            yield {"role": "tool", "tool_call_id": part.call_id, **named, "content": part.text}


def _result(row: Mapping[str, Any], open_calls: list[str], names: Mapping[str, str]) -> ToolResult:
    id = row.get("tool_call_id") or open_calls[0]
    if id in open_calls:
        open_calls.remove(id)
    text = "".join(part.text for part in _parts(row.get("content")) if isinstance(part, Text))
    return ToolResult(id, names.get(id) or row.get("name") or "", text)


def _calls(row: Mapping[str, Any], place: int) -> Iterator[ToolCall]:
    for number, call in enumerate(row.get("tool_calls") or ()):
        arguments = call["function"].get("arguments")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
        yield ToolCall(str(call.get("id", f"call_{number}")), call["function"]["name"], text)


def _parts(content: object) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Text(content)
        return
    for part in content if isinstance(content, list) else ():
        if part["type"] == "text":
            yield Text(part["text"])
        else:
            picture = part["image_url"]
            address = picture if isinstance(picture, str) else picture["url"]
            yield Image(address, "auto" if isinstance(picture, str) else picture.get("detail", "auto"))
