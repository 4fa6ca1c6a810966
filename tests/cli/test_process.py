"""The command as a process: fast help, pipes that close, locales, signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from programs import PERSONA, Program
from terminal import environment
from wire import WireServer

from persona.assistant.synchronous import Assistant

HEAVY = {"sqlmodel", "sqlalchemy", "faiss", "pydantic", "numpy", "tiktoken", "alembic", "persona.settings"}
COMMAND = [sys.executable, *PERSONA]


def run(*arguments: str, folder: Path, input: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, input=input, capture_output=True, env=environment(**env), check=False
    )


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys, persona.cli, persona.cli.app; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, env=environment(), check=True
    )
    assert done.stdout == b"[]\n"


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    with Assistant.open(f"{_settings(tmp_path)}") as assistant:
        for number in range(3):
            assistant.user("ada").conversation().send(f"hello {number}")
    child = subprocess.Popen(
        [*COMMAND, "conversations", "--user", "ada"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    child.wait()


def test_a_locale_without_utf8_neither_crashes_nor_loses_names(tmp_path: Path) -> None:
    bare = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert run("remember", "déjà vu", "--user", "zoé", folder=tmp_path, **bare).returncode == 0
    shown = run("facts", "--user", "zoé", folder=tmp_path, **bare)
    assert shown.stdout.rstrip().endswith(b"d?j? vu")
    machine = run("facts", "--user", "zoé", "--json", folder=tmp_path, **bare)
    assert json.loads(machine.stdout)[0]["text"] == "déjà vu"


def test_bytes_that_are_no_utf8_are_replaced(tmp_path: Path) -> None:
    done = run("chat", "--user", "ada", folder=tmp_path, input=b"caf\xe9 au lait\n")
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupted_ask_leaves_with_130_and_the_log_says_cancelled(tmp_path: Path) -> None:
    with WireServer() as server:
        server.hang()
        settings = _settings(tmp_path, server.url)
        command = [*PERSONA, "ask", "hello", "--user", "ada"]
        child = Program(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        server.wait_for_requests(1, timeout_s=30)
        os.kill(child.pid, signal.SIGINT)
        assert child.communicate() == ("", "")
        assert child.returncode == 130
        with Assistant.open(settings) as assistant:
            (entry,) = assistant.user("ada").conversations()
            assert assistant.user("ada").conversation(entry.id).send("again").text == "ok"


def _settings(folder: Path, url: str = "") -> Path:
    path = folder / "persona.toml"
    served = f'[providers.local]\nkind = "openai"\nbase_url = "{url}"\n[routes.default]\ntarget = "local:m"\n'
    path.write_text(served if url else "")
    return path
