"""persona's values to the chat completions format and back: pure, no I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any

from persona.adapter import valid
from persona.values.message import Image, Message, Part, Text, ToolCall, ToolResult
from persona.values.request import Request, StopReason, Tool, Usage
from persona_openai.dialect import VENDOR, Dialect

Json = dict[str, Any]  # the wire's own shapes: JSON is open-ended by nature

STOPS: dict[str, StopReason] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refused",
}

_LONGEST_CACHE_KEY = 64  # its own words: "Expected a string with maximum length 64", 2026-06-23


def to_wire(request: Request, dialect: Dialect = VENDOR) -> Json:
    """The JSON body of one call: exactly these messages, and only the options that were set."""
    body: Json = {
        "model": request.model,
        "messages": [wire for message in request.messages for wire in _message_to_wire(message)],
    }
    if request.tools:
        body["tools"] = tools_to_wire(request.tools)
    if answer := request.answer:
        schema = {"name": answer.name, "schema": answer.schema, "strict": answer.strict}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.max_output_tokens is not None:
        body[dialect.limit_key] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.cache_key and dialect.cache_key:
        body["prompt_cache_key"] = _cache_key(request.cache_key)
    if request.stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return body


def _cache_key(key: str) -> str:
    """The key as the API takes it: one of more than 64 characters, which it refuses, as the hash of its whole."""
    return key if len(key) <= _LONGEST_CACHE_KEY else sha256(valid(key).encode()).hexdigest()


def from_wire(body: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages of a body that `to_wire` made; consecutive tool messages become one.

    A tool message names no tool, so the name comes from the call it answers.
    """
    names: dict[str, str] = {}
    messages: list[Message] = []
    for is_tool, group in groupby(body["messages"], key=lambda wire: wire["role"] == "tool"):
        if is_tool:
            results = (ToolResult(w["tool_call_id"], names.get(w["tool_call_id"], ""), w["content"]) for w in group)
            messages.append(Message("tool", tuple(results)))
            continue
        for wire in group:
            message = Message(wire["role"], (*_content_from_wire(wire["content"]), *calls_from_wire(wire)))
            names |= {call.id: call.name for call in message.tool_calls}
            messages.append(message)
    return tuple(messages)


def tools_to_wire(tools: Iterable[Tool]) -> list[Json]:
    """Declared functions, in the given order."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ]


def tools_from_wire(body: Mapping[str, Any]) -> tuple[Tool, ...]:
    """The declared functions of a body."""
    functions = (wire["function"] for wire in body.get("tools", ()))
    return tuple(Tool(f["name"], f.get("description", ""), f["parameters"]) for f in functions)


def calls_from_wire(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """The tool calls of an assistant message; a call that came without an id is numbered."""
    calls = message.get("tool_calls") or ()
    return tuple(
        ToolCall(
            call.get("id") or f"call_{number}",
            call["function"]["name"],
            json_text(call["function"].get("arguments")),
        )
        for number, call in enumerate(calls)
    )


def json_text(arguments: object) -> str:
    """The arguments of a call as text; some compatible servers send them as an object."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""


def words(content: object) -> str:
    """The text of a reply's content: a string, or a list of parts as some compatible servers send it."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


def usage_from_wire(usage: object) -> Usage:
    """Tokens as reported; what is missing or no whole number is None."""
    if not isinstance(usage, Mapping):
        return Usage()
    prompt, completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cache_read_tokens=_count(prompt, "cached_tokens"),
        cache_write_tokens=_count(prompt, "cache_write_tokens"),
        reasoning_tokens=_count(completion, "reasoning_tokens"),
    )


def _count(counts: object, key: str) -> int | None:
    value = counts.get(key) if isinstance(counts, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _message_to_wire(message: Message) -> Iterator[Json]:
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": valid(part.text)}
        return
    calls = message.tool_calls
    wire: Json = {"role": message.role, "content": _content_to_wire(message.parts)}
    if calls:
        wire["content"] = wire["content"] or None
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": valid(call.name), "arguments": valid(call.arguments)},
            }
            for call in calls
        ]
    yield wire


def _content_to_wire(parts: Sequence[Part]) -> str | list[Json]:
    if not any(isinstance(part, Image) for part in parts):
        return valid("".join([part.text for part in parts if isinstance(part, Text)]))
    content: list[Json] = []
    for part in parts:
        if isinstance(part, Text):
            content.append({"type": "text", "text": valid(part.text)})
        elif isinstance(part, Image):
            url = {"url": valid(part.url), "detail": part.detail}
            content.append({"type": "image_url", "image_url": url})
    return content


def _content_from_wire(content: str | Sequence[Json] | None) -> Iterator[Part]:
    if isinstance(content, str):
        yield Text(content)
        return
    for part in content or ():
        if part["type"] == "text":
            yield Text(part["text"])
        else:
            yield Image(part["image_url"]["url"], part["image_url"].get("detail", "auto"))
