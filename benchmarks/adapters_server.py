"""Models that answer at once, in each vendor's wire format: HTTP/1.1 by hand in a process of its own.

`python -m benchmarks.adapters_server` prints its port and serves until its standard input ends. A streamed reply says
in its first piece when that was written, in nanoseconds of the monotonic clock, which all processes here share.
"""

import asyncio
import json
import sys
import time
from typing import Any

_PIECES, _GAP_S = 20, 0.002
_CHAT = {"id": "c1", "created": 1_760_000_000, "model": "m"}
_COUNTS = {"prompt_tokens": 90, "completion_tokens": 12, "total_tokens": 102}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}

Json = dict[str, Any]


def _openai(text: str, last: bool) -> Json:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop" if last else None}
    return {**_CHAT, "object": "chat.completion.chunk", "choices": [choice]}


def _openai_whole(text: str) -> Json:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
    return {**_CHAT, "object": "chat.completion", "choices": [choice], "usage": _COUNTS}


def _google(text: str, last: bool) -> Json:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    counts = {"promptTokenCount": 90, "candidatesTokenCount": 12, "totalTokenCount": 102}
    ending = {"finishReason": "STOP"} if last else {}
    return {"candidates": [candidate | ending], "usageMetadata": counts, "modelVersion": "m", "responseId": "r1"}


def _anthropic(text: str, last: bool) -> list[Json]:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    if not last:
        return [delta]
    ending = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 12}}
    return [delta, {"type": "content_block_stop", "index": 0}, ending, {"type": "message_stop"}]


def _anthropic_start() -> list[Json]:
    usage = {"input_tokens": 90, "output_tokens": 1}
    started: Json = {**_MESSAGE, "content": [], "stop_reason": None, "usage": usage}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return [{"type": "message_start", "message": started}, block]


def _anthropic_whole(text: str) -> Json:
    usage = {"input_tokens": 90, "output_tokens": 12}
    return {**_MESSAGE, "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage}


def _piece(path: str, text: str, *, first: bool = False, last: bool = False) -> bytes:
    """One piece of a stream in the format of the path."""
    if "messages" in path:
        events = [*(_anthropic_start() if first else ()), *_anthropic(text, last)]
        return _chunk(b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events))
    body = _google(text, last) if "Generate" in path else _openai(text, last)
    return _chunk(f"data: {json.dumps(body)}\n\n".encode())


def _whole(path: str, text: str) -> bytes:
    if "messages" in path:
        body = _anthropic_whole(text)
    else:
        body = _google(text, True) if "generate" in path else _openai_whole(text)
    raw = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(raw), raw)


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


class _Connection(asyncio.Protocol):
    """One client, whose requests come one after the other."""

    def __init__(self) -> None:
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers as soon as a request is whole."""
        self._got += data
        head, blank, rest = self._got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if not blank or len(rest) < length:
            return
        self._got = b""
        path = head.split(b" ", 2)[1].decode()
        if "stream" not in path and b'"stream": true' not in rest and b'"stream":true' not in rest:
            self._transport.write(_whole(path, "The office opens at 9, and closes at 17."))
            return
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        asyncio.get_running_loop().call_later(_GAP_S, self._stream, path, _PIECES)

    def _stream(self, path: str, left: int) -> None:
        """One piece now, and the others each after a gap."""
        text = str(time.monotonic_ns()) if left == _PIECES else " more"
        self._transport.write(_piece(path, text, first=left == _PIECES, last=left == 1))
        if left > 1:
            asyncio.get_running_loop().call_later(_GAP_S, self._stream, path, left - 1)
        else:
            self._transport.write((_chunk(b"data: [DONE]\n\n") if "completions" in path else b"") + b"0\r\n\r\n")


async def main() -> None:
    """Serves until nobody holds the other end of the standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
