"""A local service with a state, for tests: routes by method and path, each a function from a call to an answer.

    service.on("GET", r"/jobs/(\\w+)", lambda call: service.jobs[call.found[0]])

`fail` and `hang_up` are used up by the calls that match them, first of all.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the groups of its route's pattern, its query, and its body as bytes and as JSON."""

    method: str
    path: str
    found: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    body: Any = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Status:
    """An answer with a status and headers of its own."""

    code: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Call], Any]


class Service:
    """Answers on a port of this machine until it is closed; `calls` are what came."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._routes: list[tuple[str, re.Pattern[str], Answer]] = []
        self._troubles: list[tuple[str, re.Pattern[str], Status | None, bool]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def on(self, method: str, pattern: str, answer: Answer) -> Self:
        """Answers calls whose whole path fits the pattern."""
        self._routes.append((method, re.compile(pattern), answer))
        return self

    def first(self, method: str, pattern: str, answer: Answer) -> Self:
        """Answers such calls instead of whatever did so before."""
        self._routes.insert(0, (method, re.compile(pattern), answer))
        return self

    def fail(self, method: str, pattern: str, code: int, body: Any = None) -> Self:
        """The next such call is answered with an error, and nothing is done."""
        self._troubles.append((method, re.compile(pattern), Status(code, body), False))
        return self

    def hang_up(self, method: str, pattern: str, *, after: bool = False) -> Self:
        """The connection of the next such call breaks, before anything is done or `after`."""
        self._troubles.append((method, re.compile(pattern), None, after))
        return self

    def asked(self, method: str, pattern: str) -> int:
        """How many such calls came."""
        return sum(call.method == method and bool(re.fullmatch(pattern, call.path)) for call in self.calls)

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Status | None:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        with self._lock:
            call = Call(method, parts.path, (), query, headers, raw, body)
            self.calls.append(call)
            trouble = self._trouble(method, parts.path)
            if trouble and not trouble[3]:
                return trouble[2]
            done = self._routed(call)
            return None if trouble else done

    def _trouble(self, method: str, path: str) -> tuple[str, re.Pattern[str], Status | None, bool] | None:
        fitting = (one for one in self._troubles if one[0] == method and one[1].fullmatch(path))
        if found := next(fitting, None):
            self._troubles.remove(found)
        return found

    def _routed(self, call: Call) -> Status:
        for method, pattern, answer in self._routes:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                groups = tuple(match.groups())
                known = Call(call.method, call.path, groups, call.query, call.headers, call.raw, call.body)
                made = answer(known)
                return made if isinstance(made, Status) else Status(200, made)
        return Status(404, {"error": {"message": f"no route for {call.method} {call.path}", "code": 404}})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = service._answer(self.command, self.path, headers, raw)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                whole = b"" if answer.body is None else json.dumps(answer.body).encode()
                self.send_response(answer.code)
                for name, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(whole)))
                self.end_headers()
                self.wfile.write(whole)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - the library's names

            def log_message(self, *words: object) -> None:
                """Nothing is printed."""

        return Handler
