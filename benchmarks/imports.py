"""What it takes to start: `import persona`, and everything that a first turn loads, in processes of their own."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from benchmarks import peers
from benchmarks.figures import Kind, Row, Table

_REACH_IMPORT_MS, _REACH_BARE_TURN_MS, _REACH_SDK_TURN_MS = 80.0, 1_600.0, 3_000.0
_REPLY = {
    "id": "c",
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A 9 h."}}],
    "usage": {"prompt_tokens": 90, "completion_tokens": 5},
}
_TURN = """
from persona import Assistant, Settings
settings = Settings.model_validate({settings})
with Assistant.open(settings, environment={{"OPENAI_API_KEY": "bench"}}) as assistant:
    assert assistant.user("ada").conversation().send("La poste ouvre quand ?").text
"""
_SAY = "\nimport time; print(time.process_time())"
_LANGCHAIN = "from langchain_core.messages import trim_messages; import langchain_core.prompts"
_LIBRARIES = "import pydantic, sqlmodel, alembic.command, numpy, faiss, stamina, Stemmer"


@dataclass(frozen=True, slots=True)
class _Started:
    """CPU milliseconds of a process: the fewest and the most of warm runs, their median, and the first run's."""

    least: float
    median: float
    most: float
    first: float


def run(quick: bool) -> list[Table]:
    """Each statement in several processes; the compiled files are there from the second one on."""
    times = 3 if quick else 7
    bare = _cpu_ms("pass", times).median
    with tempfile.TemporaryDirectory() as folder, _Server() as server:
        embedded = _turn(folder, "embedded:extractive-1", "")
        spoken = _turn(folder, "openai:gpt-4o", server.url)
        rows = [
            _row("import persona", "import persona", bare, times, reach=_REACH_IMPORT_MS),
            _row("import persona, every public name used", "from persona import *", bare, times, "beside"),
            _row("a first turn, embedded model", embedded, bare, times, reach=_REACH_BARE_TURN_MS),
            _row("a first turn through the OpenAI SDK", spoken, bare, times, reach=_REACH_SDK_TURN_MS),
            _row("pydantic, sqlmodel, alembic, numpy, faiss, stamina", _LIBRARIES, bare, times, "limit"),
            _row("import openai", "import openai; openai.AsyncOpenAI(api_key='x')", bare, times, "limit"),
        ]
    interpreter = peers.python()
    if interpreter:
        peer = str(interpreter)
        rows += [
            _row("import agents (openai-agents)", "import agents", bare, times, "peer", peer),
            _row("LangChain: messages, prompts, trim_messages", _LANGCHAIN, bare, times, "peer", peer),
        ]
    notes = ("p95 is the slowest of the warm runs",)
    return [Table("starting", f"ms of CPU above a bare Python's {bare:.0f}", tuple(rows), notes)]


def _turn(folder: str, target: str, base_url: str) -> str:
    providers = {"openai": {"base_url": base_url, "key_env": "OPENAI_API_KEY"}} if base_url else {}
    settings = {
        "store": {"url": f"sqlite:///{Path(folder) / target.partition(':')[0]}.db"},
        "providers": providers,
        "routes": {"default": {"target": target}},
    }
    return _TURN.format(settings=json.dumps(settings))


def _row(
    what: str,
    code: str,
    bare_ms: float,
    times: int,
    kind: Kind = "ours",
    python: str = sys.executable,
    *,
    reach: float | None = None,
) -> Row:
    taken = _cpu_ms(code, times, python)
    named = f"{what} (fewest {taken.least - bare_ms:.0f})"
    return Row(named, taken.median - bare_ms, kind, taken.most - bare_ms, taken.first - bare_ms, reach)


def _cpu_ms(code: str, times: int, python: str = sys.executable) -> _Started:
    environment = {**os.environ, "PYTHONPATH": str(peers.ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    taken = []
    for _ in range(times + 1):
        done = subprocess.run(
            [python, "-c", code + _SAY], check=True, capture_output=True, env=environment, timeout=120
        )
        taken.append(float(done.stdout) * 1e3)
    first, *warm = taken
    return _Started(min(warm), statistics.median(warm), max(warm), first)


class _Server:
    """A model behind OpenAI's wire format, on this machine; a child's CPU time does not hold it."""

    def __enter__(self) -> "_Server":
        self._server = HTTPServer(("127.0.0.1", 0), _Answer)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(_REPLY).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""
