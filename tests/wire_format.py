"""The bytes of a server's answers: plain JSON, server-sent events, embeddings, errors.

An `Answer` belongs to no vendor, though its words (the stop reasons, the names in `usage`) are OpenAI's; a `Dialect`
writes it as one vendor would. OpenAI's is here, the others' have modules of their own.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
USAGE: Json = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22}


@dataclass(frozen=True, slots=True)
class Answer:
    """One scripted answer: `raw` replaces the body, `end` says how it stops, `silent` that nothing precedes.

    `calls` are (id, name, arguments as JSON text). `finish` None leaves the stop reason out.
    """

    pieces: tuple[str, ...] = ()
    calls: tuple[tuple[str, str, str], ...] = ()
    finish: str | None = "stop"
    usage: Json | None = field(default_factory=lambda: dict(USAGE))
    model: str = "served-model"
    refusal: str | None = None
    error: Json | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"
    end: Literal["whole", "cut", "reset", "hang", "drip"] = "whole"
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one vendor writes an answer.

    `whole` is the body of a reply at once; of a streamed one `said` is what comes before it breaks or hangs, and
    `ending` the rest: the error, or calls that come late, the stop reason and the usage. `failed` is the body of an
    error object. `streams` tells from a request's path and JSON whether it asks for a stream.
    """

    whole: Callable[[Answer], bytes]
    said: Callable[[Answer], bytes]
    ending: Callable[[Answer], bytes]
    failed: Callable[[Json], bytes]
    streams: Callable[[str, Any], bool]
    stream_type: str = "text/event-stream"
    id_header: str = "x-request-id"


def encode(answer: Answer, dialect: Dialect, *, streaming: bool) -> tuple[bytes, bytes]:
    """The response in two parts: what is sent at once, and what a hanging or broken answer keeps back.

    Of a dripping one the second part is one drop.
    """
    if answer.end == "drip":
        kind = dialect.stream_type if streaming else answer.content_type
        return _head(answer, dialect, kind, "transfer-encoding: chunked"), b"1\r\n\n\r\n"
    if answer.raw is not None or not streaming:
        whole = dialect.whole(answer) if answer.raw is None else answer.raw
        if answer.end == "cut":
            whole = whole[: len(whole) // 2]
        head = _head(answer, dialect, answer.content_type, f"content-length: {len(whole)}")
        kept = 0 if answer.silent else len(whole) // 2
        return (b"", head + whole) if answer.silent else (head + whole[:kept], whole[kept:])
    head = _head(answer, dialect, dialect.stream_type, "transfer-encoding: chunked")
    start = head + _chunk(dialect.said(answer))
    rest = b"0\r\n\r\n" if answer.end == "cut" else _chunk(dialect.ending(answer)) + b"0\r\n\r\n"
    return (b"", start + rest) if answer.silent else (start, rest)


def completion(answer: Answer) -> bytes:
    """A `chat.completion` object, as JSON."""
    if answer.error is not None:
        return _failed(answer.error)
    message: Json = {
        "role": "assistant",
        "content": "".join(answer.pieces) or None,
        "refusal": answer.refusal,
    }
    if answer.calls:
        message["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in answer.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": answer.model, "choices": [choice]}
    return json.dumps(body | ({} if answer.usage is None else {"usage": answer.usage})).encode()


def embeddings(body: Any, dimension: int) -> Answer:
    """A vector for each text of the request, made of its checksum, in the encoding that was asked for."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    size = body.get("dimensions", dimension)
    as_text = body.get("encoding_format") == "base64"
    rows = []
    for index, text in enumerate(texts):
        vector = [1.0 + zlib.crc32(f"{i}{text}".encode()) % 1000 / 500 for i in range(size)]
        coded = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode() if as_text else vector
        rows.append({"object": "embedding", "index": index, "embedding": coded})
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    whole = {"object": "list", "model": body["model"], "data": rows, "usage": usage}
    return Answer(raw=json.dumps(whole).encode())


def _said(answer: Answer) -> bytes:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in answer.pieces]
    if answer.refusal is not None:
        deltas.append({"refusal": answer.refusal})
    for index, (id, name, arguments) in enumerate(answer.calls):
        half = len(arguments) // 2
        function = {"name": name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]})
        for piece in (arguments[:half], arguments[half:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    return b"".join(_event(_object(answer, choices=[_choice(delta, None)])) for delta in deltas)


def _ending(answer: Answer) -> bytes:
    if answer.error is not None:
        return _event({"error": answer.error})
    events = [] if answer.finish is None else [_object(answer, choices=[_choice({}, answer.finish)])]
    if answer.usage is not None:
        events.append(_object(answer, choices=[], usage=answer.usage))
    return b"".join(map(_event, events)) + b"data: [DONE]\n\n"


def _failed(error: Json) -> bytes:
    return json.dumps({"error": error}).encode()


def _asks_for_stream(path: str, body: Any) -> bool:
    return isinstance(body, dict) and bool(body.get("stream"))


OPENAI = Dialect(completion, _said, _ending, _failed, _asks_for_stream)


def _object(answer: Answer, **rest: Any) -> Json:
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": answer.model, **rest}


def _choice(delta: Json, finish: str | None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(event: Json) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def _head(answer: Answer, dialect: Dialect, content_type: str, length: str) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} X", f"content-type: {content_type}", length]
    lines += [f"{name}: {value}" for name, value in {dialect.id_header: "req_1", **answer.headers}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
