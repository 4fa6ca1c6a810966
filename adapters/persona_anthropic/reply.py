"""A reply put together from what the server sent, whole or in events: pure, no I/O."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from persona.values.message import ToolCall
from persona.values.request import Delta, Finish, StopReason, TextDelta
from persona_anthropic.convert import STOPS, usage_from_wire

# Blocks of thinking and of the vendor's own tools are passed over: persona keeps words and calls.


def deltas_of(body: Any, request_id: str) -> Iterator[Delta]:
    """A whole message, as parsed JSON, in deltas.

    Raises LookupError, TypeError or AttributeError where the protocol is broken.
    """
    if text := "".join(block["text"] for block in body["content"] if block["type"] == "text"):
        yield TextDelta(text)
    for block in body["content"]:
        if block["type"] == "tool_use":
            yield ToolCall(block["id"], block["name"], json.dumps(block["input"], ensure_ascii=False))
    if reason := body.get("stop_reason"):
        yield Finish(STOPS.get(reason, "other"), usage_from_wire(body.get("usage")), _name(body), request_id)


@dataclass(slots=True)
class _Fragments:
    """One tool call as it arrives."""

    id: str
    name: str
    input: object
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.pieces) or json.dumps(self.input, ensure_ascii=False)


@dataclass(slots=True)
class Assembly:
    """A stream's events so far: text leaves at once, tool calls and the end when all is there."""

    stop: StopReason | None = None
    model: str = ""
    usage: dict[str, object] = field(default_factory=dict)
    _calls: dict[object, _Fragments] = field(default_factory=dict)

    def feed(self, event: Any) -> str:
        """The text that this event, as parsed JSON, adds; events of kinds that are not known add nothing.

        Raises LookupError, TypeError or AttributeError where the protocol is broken.
        """
        kind = event["type"]
        if kind == "message_start":
            self.model = _name(event["message"])
            self._report(event["message"].get("usage"))
        elif kind == "content_block_start":
            return self._open(event["index"], event["content_block"])
        elif kind == "content_block_delta":
            return self._add(event["index"], event["delta"])
        elif kind == "message_delta":
            if reason := event["delta"].get("stop_reason"):
                self.stop = STOPS.get(reason, "other")
            self._report(event.get("usage"))
        return ""

    def _open(self, index: object, block: Mapping[str, Any]) -> str:
        if block["type"] == "tool_use":
            self._calls[index] = _Fragments(block["id"], block["name"], block.get("input") or {})
        return _text(block) if block["type"] == "text" else ""

    def _add(self, index: object, delta: Mapping[str, Any]) -> str:
        if delta["type"] == "input_json_delta" and index in self._calls:
            self._calls[index].pieces.append(delta["partial_json"])
        return _text(delta) if delta["type"] == "text_delta" else ""

    def _report(self, usage: object) -> None:
        """Counts are cumulative: the last that was given of each is the one that holds."""
        if isinstance(usage, Mapping):
            self.usage |= {name: count for name, count in usage.items() if count is not None}

    def ending(self, request_id: str) -> Iterator[Delta]:
        """The tool calls and the finish; nothing when no stop reason came, for the call was cut."""
        if self.stop is None:
            return
        for call in self._calls.values():
            yield ToolCall(call.id, call.name, call.arguments)
        yield Finish(self.stop, usage_from_wire(self.usage), self.model, request_id)


def _text(block: Mapping[str, Any]) -> str:
    text = block["text"]
    if not isinstance(text, str):
        raise TypeError("a text that is none")
    return text


def _name(message: Mapping[str, Any]) -> str:
    model = message.get("model")
    return model if isinstance(model, str) else ""
