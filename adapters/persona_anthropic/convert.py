"""persona's values to the Messages format and back: pure, no I/O.

System messages leave the sequence and become the blocks of `system`. The rest alternates: messages of one side that
follow each other (an unanswered message and the next, a tool's results and what the user says then) share one.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from persona.adapter import valid
from persona.values.message import Image, Message, Part, Role, Text, ToolCall, ToolResult
from persona.values.request import Request, StopReason, Tool, Usage
from persona_anthropic.catalog import card, takes_temperature

Json = dict[str, Any]  # the wire's own shapes: JSON is open-ended by nature

STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refused",
}

MARK: Json = {"type": "ephemeral"}  # five minutes, the cheaper of the two lifetimes
MOST_MARKS = 4
MAX_TOKENS = 4096
"""The longest reply when the request does not say: the format requires a limit."""

_DATA_URL = re.compile(r"data:(image/[\w.+-]+);base64,(.*)", re.DOTALL)
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")


def to_wire(request: Request) -> Json:
    """The JSON body of one call; a temperature only where the model takes one.

    Messages without a word in them (a reply that was all thought) are left out: the API refuses empty text.
    """
    blocks = [list(_blocks(message)) for message in request.messages]
    for index in _marked(request, blocks):
        blocks[index][-1]["cache_control"] = MARK
    said = list(zip(map(_side, request.messages), blocks, strict=True))
    system = [block for side, own in said if side == "system" for block in own]
    body: Json = {"model": request.model, "max_tokens": _limit(request)}
    if system:
        body["system"] = system
    body["messages"] = list(_alternating((side, own) for side, own in said if own and side != "system"))
    if request.tools:
        body["tools"] = tools_to_wire(request.tools)
    if request.answer:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.answer.schema}}
    if request.temperature is not None and takes_temperature(request.model):
        body["temperature"] = request.temperature
    if request.stream:
        body["stream"] = True
    return body


def from_wire(body: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages of a body that `to_wire` made: system first, and shared messages split into results and words."""
    names: dict[str, str] = {}
    messages = [Message("system", (Text(block["text"]),)) for block in body.get("system", ())]
    for wire in body["messages"]:
        parts = [_part(block, names) for block in _listed(wire["content"])]
        for is_result, group in groupby(parts, key=lambda part: isinstance(part, ToolResult)):
            role: Role = "tool" if is_result else wire["role"]
            messages.append(Message(role, tuple(group)))
    return tuple(messages)


def tools_to_wire(tools: Iterable[Tool]) -> list[Json]:
    """Declared functions, in the given order."""
    return [{"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in tools]


def tools_from_wire(body: Mapping[str, Any]) -> tuple[Tool, ...]:
    """The declared functions of a body."""
    return tuple(Tool(t["name"], t.get("description", ""), t["input_schema"]) for t in body.get("tools", ()))


def usage_from_wire(usage: object) -> Usage:
    """Tokens as reported; `input_tokens`, which on the wire leaves out what the cache read and wrote, as the total."""
    if not isinstance(usage, Mapping):
        return Usage()
    fresh = _count(usage, "input_tokens")
    read, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=_count(usage, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=_count(usage.get("output_tokens_details"), "thinking_tokens"),
    )


def _count(counts: object, key: str) -> int | None:
    value = counts.get(key) if isinstance(counts, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _limit(request: Request) -> int:
    known = card(request.model)
    most = known.max_output_tokens if known else None
    wanted = MAX_TOKENS if request.max_output_tokens is None else request.max_output_tokens
    return wanted if most is None else min(wanted, most)


def _marked(request: Request, blocks: Sequence[Sequence[Json]]) -> list[int]:
    """The messages at whose end the prompt cache is marked: of more than four the first and the last three.

    The first holds what all conversations share, the last ones what the next request of this one repeats.
    """
    ends = [index for index in request.stable if blocks[index]]
    ends.sort(key=lambda index: (request.messages[index].role != "system", index))  # as the wire has them
    return ends if len(ends) <= MOST_MARKS else [ends[0], *ends[1 - MOST_MARKS :]]


def _alternating(said: Iterable[tuple[str, list[Json]]]) -> Iterator[Json]:
    for side, group in groupby(said, key=lambda one: one[0]):
        yield {"role": side, "content": _shortest([block for _, own in group for block in own])}


def _side(message: Message) -> str:
    return "user" if message.role == "tool" else message.role


def _shortest(content: list[Json]) -> str | list[Json]:
    """One plain text as a string, which the format takes for the same."""
    return content[0]["text"] if len(content) == 1 and content[0].keys() == {"type", "text"} else content


def _listed(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _blocks(message: Message) -> Iterator[Json]:
    """The content blocks of a message; neighbouring texts are one, and only users show pictures."""
    for is_text, group in groupby(message.parts, key=lambda part: isinstance(part, Text)):
        if is_text:
            text = valid("".join(part.text for part in group if isinstance(part, Text)))
            if not text.isspace() and text:
                yield {"type": "text", "text": text}
            continue
        for part in group:
            if isinstance(part, ToolCall):
                yield {"type": "tool_use", "id": _id(part.id), "name": valid(part.name), "input": _input(part)}
            elif isinstance(part, ToolResult):
                yield _result(part)
            elif isinstance(part, Image) and message.role == "user":
                yield {"type": "image", "source": _source(part)}


def _result(part: ToolResult) -> Json:
    block: Json = {"type": "tool_result", "tool_use_id": _id(part.call_id), "content": valid(part.text)}
    return block | {"is_error": True} if part.failed else block


def _source(image: Image) -> Json:
    if data := _DATA_URL.fullmatch(image.url):
        return {"type": "base64", "media_type": data[1], "data": data[2]}
    return {"type": "url", "url": valid(image.url)}


def _part(block: Json, names: dict[str, str]) -> Part:
    if block["type"] == "text":
        return Text(block["text"])
    if block["type"] == "tool_use":
        names[block["id"]] = block["name"]
        return ToolCall(block["id"], block["name"], json.dumps(block["input"], ensure_ascii=False))
    if block["type"] == "tool_result":
        id = block["tool_use_id"]
        return ToolResult(id, names.get(id, ""), block["content"], failed=block.get("is_error", False))
    source = block["source"]
    return Image(source["url"] if "url" in source else f"data:{source['media_type']};base64,{source['data']}")


def _id(id: str) -> str:
    """The id of a call as the format allows it: another provider's may hold other characters."""
    return _NO_ID.sub("_", id) or "_"


def _input(call: ToolCall) -> Json:
    """The arguments as the object that the format wants; what is none is shown as the model wrote it."""
    try:
        parsed = json.loads(call.arguments or "{}", parse_constant=_refuse)
        # an escape may stand for half a character, which no wire can hold
        parsed = json.loads(valid(json.dumps(parsed, ensure_ascii=False))) if "\\u" in call.arguments else parsed
    except (ValueError, RecursionError):
        parsed = None
    return parsed if isinstance(parsed, dict) else {"arguments": valid(call.arguments)}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
