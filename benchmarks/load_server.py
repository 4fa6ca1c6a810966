"""A model's server for load, in a process of its own: chat completions over HTTP/1.1, after a drawn time.

`python -m benchmarks.load_server MEDIAN_MS` prints its port and serves until its stdin ends. The time is drawn from a
lognormal distribution; 90 % of the answers take between 0.6 and 1.6 times the median. Each answer says how long it
took, from the last byte of the request until it was written, so that a caller can tell the rest as its own.
"""

import asyncio
import json
import os
import random
import sys
import threading
import time
from math import log

from benchmarks.load_words import reply

SIGMA = 0.3  # of the logarithm of the time
_MARK = b"ref-"
_TOKEN = 4  # bytes


class Connection(asyncio.Protocol):
    """One connection, kept alive; requests on it come one after the other."""

    transport: asyncio.Transport

    def __init__(self, chance: random.Random, median_s: float) -> None:
        self._chance = chance
        self._median_s = median_s
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lines = self._buffer[:head].lower().split(b"\r\n")
        length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
        if len(self._buffer) < head + 4 + length:
            return
        body = bytes(self._buffer[head + 4 :])
        self._buffer.clear()
        came = time.perf_counter()
        wait_s = self._chance.lognormvariate(log(self._median_s), SIGMA)
        asyncio.get_running_loop().call_later(wait_s, self._answer, body, came)

    def _answer(self, body: bytes, came: float) -> None:
        at = body.rfind(_MARK) + len(_MARK)  # the words of the newest message come last
        number = int(body[at : at + 8], 16)
        text = reply(number, round((time.perf_counter() - came) * 1e6))
        usage = {"prompt_tokens": len(body) // _TOKEN, "completion_tokens": len(text) // _TOKEN}
        usage["total_tokens"] = sum(usage.values())
        if not self.transport.is_closing():
            self.transport.write(_whole(text, usage))


def _whole(text: str, usage: dict[str, int]) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + body).encode()


async def serve(median_ms: float) -> None:
    """Serves until stdin ends."""
    loop, chance = asyncio.get_running_loop(), random.Random(41)
    server = await loop.create_server(lambda: Connection(chance, median_ms / 1e3), "127.0.0.1", 0, backlog=1024)
    reply(0, 0)  # the texts are read before anybody waits for them
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def until_stdin_ends() -> None:
    """Ends this process when whoever started it has gone."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=until_stdin_ends, daemon=True).start()
    asyncio.run(serve(float(sys.argv[1])))
