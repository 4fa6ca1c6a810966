"""A model that answers at once: HTTP/1.1 by hand in a process of its own, and a count of what each system sent.

`python -m benchmarks.instant` prints its port and serves until its standard input ends. A system is told by the first
part of the path: POST /NAME/v1/chat/completions. GET /seen/NAME says what came since it was last asked, and
GET /last/NAME gives the newest body. Nothing is parsed as JSON: a peer's own cost is all that differs.
"""

import asyncio
import json
import sys
from collections import Counter

_REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_760_000_000,
    "model": "instant",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "The office opens at 9, and closes at 17.", "refusal": None},
        }
    ],
    "usage": {"prompt_tokens": 90, "completion_tokens": 12, "total_tokens": 102},
}
_ROLE = (b'"role":', b'"role" :')  # inside a text its quotes would be escaped


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


_ANSWER = _answer(json.dumps(_REPLY).encode())


class Seen:
    """The requests of each system, by the messages in them, and the newest body."""

    def __init__(self) -> None:
        self.messages: dict[str, Counter[int]] = {}
        self.bytes: Counter[str] = Counter()
        self.last: dict[str, bytes] = {}

    def note(self, name: str, body: bytes) -> None:
        """Counts one request."""
        self.messages.setdefault(name, Counter())[sum(map(body.count, _ROLE))] += 1
        self.bytes[name] += len(body)
        self.last[name] = body

    def take(self, name: str) -> bytes:
        """What came of this system since this was asked last, as JSON."""
        return json.dumps({"messages": self.messages.pop(name, {}), "bytes": self.bytes.pop(name, 0)}).encode()


class Connection(asyncio.Protocol):
    """One client, whose requests come one after the other."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers as soon as a request is whole."""
        self._got += data
        head, blank, rest = self._got.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(rest) < length:
            return
        self._got = b""
        method, path, _ = head.split(b" ", 2)
        _, first, second, *_ = path.decode().split("/")
        if method == b"POST":
            self._seen.note(first, rest)
            self._transport.write(_ANSWER)
        else:
            self._transport.write(_answer(self._seen.take(second) if first == "seen" else self._seen.last[second]))


async def main() -> None:
    """Serves until nobody holds the other end of the standard input."""
    loop, seen = asyncio.get_running_loop(), Seen()
    server = await loop.create_server(lambda: Connection(seen), "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
