"""The whole loop with a real model, a real trainer and a real server, in processes of their own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytest.importorskip("trl", reason="pip install 'pypersona[train]'")
pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

LOOP = Path(__file__).parents[2] / "examples" / "loop" / "run.py"


@contextmanager
def playing(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The demo, as `make demo-loop` runs it."""
    with subprocess.Popen(
        [sys.executable, str(LOOP)],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def left_in(folder: Path) -> list[str]:
    """The processes that work in a folder, or below it."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if Path(process.info["cwd"] or "/").is_relative_to(folder):
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def test_what_was_corrected_is_learnt_serves_and_is_taken_back(tmp_path: Path) -> None:
    with playing(tmp_path) as demo:
        said, _ = demo.communicate()
    assert demo.returncode == 0, said
    assert "error" not in said
    assert said.count("✓") == 10
    assert re.search(r"✓ tuned wins on form, by \+0\.[1-9]", said)
    assert re.search(r"'shuffled' is not taken to 'shadow': evl_\w+: \d+ examples of \d+ users cannot tell", said)
    assert re.findall(r"tuned is at '(\w+)' now, by evl_", said) == ["shadow", "canary", "promoted"]
    assert re.search(r"user 1 -> dataset dst_\w+ .*dataset dst_\w+ -> job job_\w+ \(trained on it\)", said, re.DOTALL)
    assert re.search(r"job job_\w+ -> model local:\S+/model \(trained it\)", said)
    assert not left_in(tmp_path)


def test_somebody_who_ends_it_leaves_no_server_and_no_training_behind(tmp_path: Path) -> None:
    with playing(tmp_path) as demo:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if "running  step" in line:  # two are trained, and the server is up
                break
        assert len(left_in(tmp_path)) >= 3, said
        demo.send_signal(signal.SIGINT)
        said += demo.stdout.read()
        assert demo.wait(60) == 128 + signal.SIGINT, said
    assert "were ended" in said
    assert not left_in(tmp_path)
    port = int(re.findall(r"127\.0\.0\.1:(\d+)", said)[0])
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", port)) != 0
