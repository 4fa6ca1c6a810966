"""A local server that speaks a provider's wire format, for tests and load: scripted, recorded, and fast.

    with WireServer() as server:
        server.reply("hello").fail(429, headers={"retry-after": "1"}).stream(["a", "b"], cut=True)
        ...  # point a client at server.url
        assert server.bodies[0]["model"] == "m"

It speaks OpenAI's format unless it is given another `Dialect`. Every answer serves a plain and a streaming request
alike. When the script is empty it says "ok" at once.
It runs in a thread of its own with its own event loop, and leaves nothing behind.
"""

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self

from wire_format import OPENAI, Answer, Dialect, embeddings, encode

__all__ = ["Answer", "WireRequest", "WireServer"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request: header names in lower case, the body as bytes and as JSON (None when it is none)."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    body: Any = field(repr=False, default=None)


class WireServer:
    """Scripted answers first in, first out; `requests` and `bodies` record what arrived.

    `answer` may be set to a function from the request's JSON to an `Answer` or a text, for when the script is
    empty: it runs in the server's thread.
    """

    def __init__(self, dialect: Dialect = OPENAI) -> None:
        self.requests: list[WireRequest] = []
        self.answer: Callable[[Any], Answer | str] = lambda body: "ok"
        self.dimension = 8
        self.hung_up = 0
        self._dialect = dialect
        self._script: deque[Answer] = deque()
        self._held: list[tuple[_Connection, bytes]] = []
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/v1"
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._thread.start()

    # what to answer

    def reply(self, text: str = "ok", **changes: Any) -> Self:
        """A whole reply; `changes` are fields of `Answer`: finish, usage, model, headers, refusal …"""
        return self.script(Answer(pieces=(text,) if text else (), **changes))

    def stream(self, pieces: Iterable[str], *, cut: bool = False, **changes: Any) -> Self:
        """Several pieces; `cut` ends the body cleanly with neither stop reason nor [DONE].

        `end="reset"` breaks the connection after the pieces, `end="hang"` keeps it open until `release`,
        `error={…}` puts an error object after them.
        """
        answer = Answer(pieces=tuple(pieces), **changes)
        return self.script(replace(answer, end="cut") if cut else answer)

    def tool_call(self, name: str, arguments: Json | str, *, id: str = "call_1", text: str = "") -> Self:
        """The model asks for one tool."""
        return self.tool_calls([(id, name, arguments)], text=text)

    def tool_calls(self, calls: Sequence[tuple[str, str, Json | str]], *, text: str = "") -> Self:
        """The model asks for several tools, each (id, name, arguments)."""
        written = tuple((id, name, a if isinstance(a, str) else json.dumps(a)) for id, name, a in calls)
        return self.script(Answer(pieces=(text,) if text else (), calls=written, finish="tool_calls"))

    def fail(
        self,
        status: int,
        *,
        code: str | int | None = None,
        type: str | None = None,
        message: str = "the server's own words",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        end: Literal["whole", "reset"] = "whole",
    ) -> Self:
        """An error status with the vendor's error object, or with `body` as it is."""
        error = {"message": message, "type": type, "param": None, "code": code}
        raw = self._dialect.failed(error) if body is None else body
        return self.script(Answer(status=status, raw=raw, headers=dict(headers or {}), end=end))

    def body(self, raw: bytes, *, status: int = 200, content_type: str = "application/json") -> Self:
        """Exactly these bytes, as a complete body: empty, truncated JSON, HTML …"""
        return self.script(Answer(status=status, raw=raw, content_type=content_type))

    def hang(self) -> Self:
        """Nothing at all, until `release` answers "ok" or somebody hangs up."""
        return self.script(Answer(pieces=("ok",), end="hang", silent=True))

    def drip(self) -> Self:
        """An endless body of line breaks, a hundred a second: alive, and never an answer."""
        return self.script(Answer(end="drip"))

    def reset(self) -> Self:
        """The connection breaks in the middle of the body."""
        return self.script(Answer(pieces=("half", "a reply"), end="reset"))

    def script(self, *answers: Answer) -> Self:
        """Any answers, last in the line."""
        self._script.extend(answers)
        return self

    def release(self) -> None:
        """Lets every hanging answer end as it would have."""
        self._loop.call_soon_threadsafe(self._release)

    # what came

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies of all requests, in order."""
        return [request.body for request in self.requests]

    @property
    def unused(self) -> int:
        """How many scripted answers nobody asked for."""
        return len(self._script)

    def wait_for_requests(self, count: int = 1, timeout_s: float = 10) -> None:
        """Blocks until `count` requests have come; from a coroutine, in a thread."""
        self._wait(lambda: len(self.requests) >= count, timeout_s)

    def wait_for_hang_up(self, count: int = 1, timeout_s: float = 10) -> None:
        """Blocks until `count` clients have left a hanging answer."""
        self._wait(lambda: self.hung_up >= count, timeout_s)

    def _wait(self, ready: Callable[[], bool], timeout_s: float) -> None:
        with self._changed:
            if not self._changed.wait_for(ready, timeout_s):
                raise TimeoutError(f"{len(self.requests)} requests, {self.hung_up} hang-ups in {timeout_s} s")

    # the server's own thread

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._open: set[_Connection] = set()
        server = await self._loop.create_server(lambda: _Connection(self), sock=self._socket)
        await self._stopping.wait()
        server.close()
        if accepting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(accepting)  # a client may have come at this very moment
        while self._open:
            for connection in list(self._open):
                connection.transport.abort()
            await asyncio.sleep(0)  # lets the loop tell the connections that they are lost

    def _release(self) -> None:
        held, self._held = self._held, []
        for connection, rest in held:
            connection.transport.write(rest)

    def _respond(self, connection: "_Connection", request: WireRequest) -> None:
        answer = self._next(request)
        streaming = self._dialect.streams(request.path, request.body)
        start, rest = encode(answer, self._dialect, streaming=streaming)
        with self._changed:
            self.requests.append(request)
            if answer.end == "hang":
                self._held.append((connection, rest))
            self._changed.notify_all()
        connection.transport.write(start + rest if answer.end in ("whole", "cut") else start)
        if answer.end == "reset":
            connection.transport.close()
        if answer.end == "drip":
            self._drip(connection, rest)

    def _drip(self, connection: "_Connection", drop: bytes) -> None:
        if not connection.transport.is_closing():
            connection.transport.write(drop)
            self._loop.call_later(0.01, self._drip, connection, drop)

    def _next(self, request: WireRequest) -> Answer:
        if self._script:
            return self._script.popleft()
        if request.path.partition("?")[0].endswith("/embeddings"):
            return embeddings(request.body, self.dimension)
        answer = self.answer(request.body)
        return answer if isinstance(answer, Answer) else Answer(pieces=(answer,))

    def _lost(self, connection: "_Connection") -> None:
        self._open.discard(connection)
        with self._changed:
            still = [held for held in self._held if held[0] is not connection]
            self.hung_up += len(self._held) - len(still)
            self._held = still
            self._changed.notify_all()

    def close(self) -> None:
        """Hangs up on everybody and ends the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive."""

    transport: asyncio.Transport

    def __init__(self, server: WireServer) -> None:
        self._server = server
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._lost(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head := self._buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._buffer[:head].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            end = head + 4 + int(headers.get("content-length", 0))
            if len(self._buffer) < end:
                return
            raw, self._buffer = self._buffer[head + 4 : end], self._buffer[end:]
            method, path, _ = first.split(" ", 2)
            self._server._respond(self, WireRequest(method, path, headers, raw, _parsed(raw)))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
