"""Anthropic's wire: the Messages format, and the frames that Bedrock packs its events into."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from wire import WireRequest, WireServer
from wire_format import Answer, Dialect

from persona.adapter import Provider, Secret
from wires.shape import Failure, Json, Said, Sent

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_FAILURES: dict[Failure, tuple[int, str, str]] = {
    "key": (401, "authentication_error", ""),
    "permission": (403, "permission_error", ""),
    "model": (404, "not_found_error", ""),
    "request": (400, "invalid_request_error", ""),
    "too long": (400, "invalid_request_error", "prompt is too long: 205351 tokens > 200000 maximum; "),
    "too large": (413, "request_too_large", ""),
    "rate limit": (429, "rate_limit_error", ""),
    "overloaded": (529, "overloaded_error", ""),
    "broken": (500, "api_error", ""),
    "no time": (504, "timeout_error", ""),
}


def _usage(answer: Answer) -> Json | None:
    """The neutral usage in the vendor's words: `input_tokens` is what no cache had."""
    if answer.usage is None:
        return None
    prompt = answer.usage.get("prompt_tokens_details", {})
    read, written = prompt.get("cached_tokens"), prompt.get("cache_write_tokens")
    thought = answer.usage.get("completion_tokens_details", {}).get("reasoning_tokens")
    return {
        "input_tokens": answer.usage["prompt_tokens"] - (read or 0) - (written or 0),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": answer.usage["completion_tokens"],
        "output_tokens_details": None if thought is None else {"thinking_tokens": thought},
    }


def _message(answer: Answer, **changes: Any) -> Json:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": answer.model, "content": []}
    return message | {"stop_reason": None, "stop_sequence": None, "usage": _usage(answer)} | changes


def _whole(answer: Answer) -> bytes:
    if answer.error is not None:
        return _failed(answer.error)
    text = "".join(answer.pieces) + (answer.refusal or "")
    content: list[Json] = [{"type": "text", "text": text}] if text else []
    content += [{"type": "tool_use", "id": i, "name": n, "input": json.loads(a)} for i, n, a in answer.calls]
    return json.dumps(_message(answer, content=content, stop_reason=_reason(answer))).encode()


def _reason(answer: Answer) -> str | None:
    return "refusal" if answer.refusal else _STOPS.get(answer.finish or "", answer.finish)


def _failed(error: Json) -> bytes:
    return json.dumps(_error(error)).encode()


def _error(error: Json) -> Json:
    known = {"type": error.get("type") or error.get("code") or "api_error", "message": error.get("message", "")}
    return {"type": "error", "error": known, "request_id": "req_1"}


def _said(answer: Answer) -> Iterator[Json]:
    """The events up to the last piece; words of thought come first, as the newest models think unasked."""
    first = _usage(answer)
    started = first and first | {"output_tokens": 1, "output_tokens_details": None}
    yield {"type": "message_start", "message": _message(answer, usage=started)}
    yield {"type": "ping"}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}
    yield _delta(0, {"type": "thinking_delta", "thinking": "Hm."})
    yield _delta(0, {"type": "signature_delta", "signature": "c2ln"})
    yield {"type": "content_block_stop", "index": 0}
    pieces = [*answer.pieces, *([answer.refusal] if answer.refusal else [])]
    if pieces:
        yield {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}
        yield from (_delta(1, {"type": "text_delta", "text": piece}) for piece in pieces)
        yield {"type": "content_block_stop", "index": 1}
    for index, (id, name, arguments) in enumerate(answer.calls, start=2):
        block = {"type": "tool_use", "id": id, "name": name, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        half = len(arguments) // 2
        for piece in ("", arguments[:half], arguments[half:]) if arguments != "{}" else ("",):
            yield _delta(index, {"type": "input_json_delta", "partial_json": piece})
        yield {"type": "content_block_stop", "index": index}


def _delta(index: int, delta: Json) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _ending(answer: Answer) -> Iterator[Json]:
    if answer.error is not None:
        yield _error(answer.error)
        return
    reason, usage = _reason(answer), _usage(answer)
    told = usage and {name: usage[name] if name.startswith("output") else None for name in usage}
    yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": told}
    yield {"type": "message_stop"}


def _events(events: Iterator[Json]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


MESSAGES = Dialect(
    whole=_whole,
    said=lambda answer: _events(_said(answer)),
    ending=lambda answer: _events(_ending(answer)),
    failed=_failed,
    streams=lambda path, body: isinstance(body, dict) and bool(body.get("stream")),
    id_header="request-id",
)


def _frames(events: Iterator[Json]) -> bytes:
    """The events in Amazon's event stream encoding (smithy.io, "Amazon Event Stream specification")."""
    return b"".join(map(_frame, events))


def _frame(event: Json) -> bytes:
    if event["type"] == "error":
        headers = {":message-type": "exception", ":exception-type": event["error"]["type"]}
        payload = {"message": event["error"]["message"]}
    else:
        headers = {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}
        payload = {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}
    head, body = b"".join(map(_header, headers.items())), json.dumps(payload).encode()
    prelude = struct.pack(">II", len(head) + len(body) + 16, len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return message + struct.pack(">I", zlib.crc32(message))


def _header(header: tuple[str, str]) -> bytes:
    name, value = (text.encode() for text in header)
    return struct.pack(">B", len(name)) + name + struct.pack(">BH", 7, len(value)) + value


BEDROCK = Dialect(
    whole=_whole,
    said=lambda answer: _frames(_said(answer)),
    ending=lambda answer: _frames(_ending(answer)),
    failed=lambda error: json.dumps({"message": error["message"]}).encode(),
    streams=lambda path, body: path.endswith("/invoke-with-response-stream"),
    stream_type="application/vnd.amazon.eventstream",
    id_header="x-amzn-requestid",
)


class AnthropicWire:
    """The Messages API."""

    name = "anthropic"
    kind = "anthropic"
    dialect = MESSAGES
    cool = "claude-haiku-4-5"
    hot = "claude-haiku-5-5"
    alternates = True
    writes = True
    free_keys = False

    def provider(self, server: WireServer, key: str) -> Provider:
        """The server as Anthropic."""
        return Provider("suite", self.kind, server.origin, Secret(key), "SUITE_KEY")

    def read(self, request: WireRequest) -> Sent:
        """The body of a message."""
        body = request.body
        return Sent(
            body["model"],
            request.headers["authorization"].removeprefix("Bearer "),
            tuple(block["text"] for block in body.get("system", ())),
            tuple(map(_read, body["messages"])),
            tuple((tool["name"], tool["input_schema"]) for tool in body.get("tools", ())),
            body["max_tokens"],
            body.get("temperature"),
            body["output_config"]["format"]["schema"] if "output_config" in body else None,
        )

    def failure(self, name: Failure, words: str) -> Answer:
        """An error object with its status."""
        status, kind, own = _FAILURES[name]
        return Answer(status=status, raw=_failed({"type": kind, "message": own + words}))

    def overloaded(self) -> Json:
        """What comes in a stream."""
        return {"message": "Overloaded", "type": "overloaded_error"}


def _read(message: Any) -> Said:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    pictures = (block["source"] for block in blocks if block["type"] == "image")
    return Said(
        message["role"],
        tuple(block["text"] for block in blocks if block["type"] == "text"),
        tuple(s["url"] if s["type"] == "url" else f"data:{s['media_type']};base64,{s['data']}" for s in pictures),
        tuple((block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"),
        tuple((block["tool_use_id"], block["content"]) for block in blocks if block["type"] == "tool_result"),
    )
