"""What was said, in the JSON of the GenAI conventions: only for operators who ask for it."""

import json
from collections.abc import Sequence
from typing import Any

from persona.values.message import Image, Message, Part, Text, ToolCall, ToolResult
from persona.values.request import StopReason

FINISH: dict[StopReason, str] = {
    "end": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "refused": "content_filter",
    "other": "other",
}
"""The conventions' words for why a model stopped."""


def messages_json(messages: Sequence[Message]) -> str:
    """The messages of a request, system prompts in their places."""
    return _text([{"role": one.role, "parts": [_part(part) for part in one.parts]} for one in messages])


def answer_json(text: Sequence[str], calls: Sequence[ToolCall], stop: StopReason) -> str:
    """The one message that a model answered with."""
    said = "".join(text)
    parts: list[Part] = [*([Text(said)] if said else []), *calls]
    return _text([{"role": "assistant", "parts": [_part(part) for part in parts], "finish_reason": FINISH[stop]}])


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "content": part.text}
        case ToolCall():
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": part.arguments}
        case ToolResult():
            return {"type": "tool_call_response", "id": part.call_id, "response": part.text}
        case Image():
            inline = part.url.startswith("data:")  # megabytes, which no backend of traces takes
            return {"type": "uri", "modality": "image", "uri": "data:" if inline else part.url}


def _text(raw: list[dict[str, Any]]) -> str:
    return json.dumps(raw)  # ASCII: a model may send half a surrogate pair, and no exporter takes one
