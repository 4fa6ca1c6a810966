"""Every file under examples/ runs as a reader would run it, offline."""

import importlib.util
import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import httpx2
import programs
import pytest
import uvicorn

EXAMPLES = Path(__file__).parents[2] / "examples"
LONGEST = 60  # lines: an example is read at a glance


def _run(name: str, *arguments: str, folder: Path, typed: str = "") -> str:
    done = programs.run([str(EXAMPLES / name), *arguments], cwd=folder, input=typed)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _served(module: ModuleType) -> Iterator[str]:
    """The backend behind a real server on this machine."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(module.app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(30)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx2.Client]:
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("fastapi_backend", EXAMPLES / "fastapi_backend.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # FastAPI looks annotations up there
    spec.loader.exec_module(module)
    with _served(module) as url, httpx2.Client(base_url=url, headers={"x-user": "ada"}, timeout=30) as client:
        yield client


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.name)
def test_an_example_is_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) < LONGEST


def test_backend_answers_and_repeats_itself_for_the_same_key(backend: httpx2.Client) -> None:
    backend.post("/chats/c-1", json={"text": "Notre bureau est à Brest."})
    first = backend.post("/chats/c-1", json={"text": "Où est notre bureau ?", "key": "m-2"}).json()
    again = backend.post("/chats/c-1", json={"text": "Où est notre bureau ?", "key": "m-2"}).json()
    assert "Brest" in first["text"]
    assert (again["id"], again["repeated"]) == (first["id"], True)


def test_backend_streams_the_reply_and_then_its_id(backend: httpx2.Client) -> None:
    backend.post("/chats/c-1", json={"text": "Our office is in Brest."})
    with backend.stream("POST", "/chats/c-1/stream", json={"text": "Where is our office?"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [line for line in response.iter_lines() if line]
    pieces = [json.loads(line.removeprefix("data: ")) for line in events if line.startswith("data: ")]
    assert "Brest" in "".join(pieces[:-1])
    assert len(pieces) > 3
    assert events[-2:] in (["event: done", f'data: "{pieces[-1]}"'], [f'data: "{pieces[-1]}"', "event: done"])
    assert pieces[-1].startswith("msg_")


def test_backend_keeps_users_apart(backend: httpx2.Client) -> None:
    backend.post("/chats/c-1", json={"text": "Notre bureau est à Brest."})
    other = backend.post("/chats/c-1", json={"text": "Où est notre bureau ?"}, headers={"x-user": "ben"})
    assert "Brest" not in other.json()["text"]


def test_backend_maps_errors_to_status_codes_with_hints(backend: httpx2.Client) -> None:
    empty = backend.post("/chats/c-1", json={"text": " "})
    assert (empty.status_code, empty.json()["error"]) == (422, "InvalidInput")
    assert empty.json()["hint"]
    backend.post("/chats/c-1", json={"text": "One.", "key": "m-1"})
    other = backend.post("/chats/c-1", json={"text": "Two.", "key": "m-1"})
    assert (other.status_code, other.json()["error"]) == (422, "IdempotencyMismatch")


def test_backend_tells_an_error_of_a_stream_as_an_event(backend: httpx2.Client) -> None:
    streamed = backend.post("/chats/c-1/stream", json={"text": " "})
    assert streamed.status_code == 200
    assert "event: error" in streamed.text


def test_support_bot_reads_its_documents_calls_its_tool_and_takes_a_correction(tmp_path: Path) -> None:
    asked = ["When does the post office open?", "What is the status of parcel 17?", "no: it is at the counter", ""]
    shown = _run("support_bot.py", folder=tmp_path, typed="\n".join([*asked, ""]))
    assert "The post office opens at 9:00" in shown
    assert "(shown to the model: post-office.md)" in shown
    assert "parcel 17 arrived on 20 November" in shown
    assert "the log keeps what it should have been" in shown


def test_support_bot_says_what_is_wrong_and_goes_on_until_its_input_ends(tmp_path: Path) -> None:
    shown = _run("support_bot.py", folder=tmp_path, typed=f"{'x' * 200_001}\nhello\n")
    assert "InvalidInput" in shown
    assert "extractive responder" in shown


def test_custom_adapter_answers_through_its_own_model(tmp_path: Path) -> None:
    assert _run("custom_adapter.py", "hello", "there", folder=tmp_path).startswith("HELLO THERE")
