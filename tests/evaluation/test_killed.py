"""A comparison through a provider's SDK that is killed: it goes on, and pays for nothing twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from evaluation.holdouts import written
from terminal import environment
from typer.testing import CliRunner
from wire import Answer, WireServer

from persona.cli.app import app

COMMAND = [sys.executable, "-c", "import sys; from persona.cli import main; sys.argv[0] = 'persona'; main()"]
HOURS = [(f"When do you open on day {n}?", f"At {n} o'clock.") for n in range(12)]
ANSWERED, AT_ONCE = 9, 4


def settings(url: str) -> str:
    """Two models of one provider behind two arms."""
    return f"""
[store]
url = "sqlite:///persona.db"
[providers.shop]
kind = "openai"
base_url = "{url}"
[routes.support]
serve = "base"
[routes.support.arms.base]
target = "shop:small"
[routes.support.arms.tuned]
target = "shop:large"
"""


def test_a_killed_comparison_goes_on_and_asks_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "test.jsonl", HOURS)
    command = [*COMMAND, "compare", "--on", "test.jsonl", "--by", "exact", "--json", "--concurrency", str(AT_ONCE)]
    with WireServer() as server:
        (tmp_path / "persona.toml").write_text(settings(server.url))
        come = 0

        def first(body: Any) -> Answer | str:
            nonlocal come
            come += 1
            return "I do not know." if come <= ANSWERED else Answer(pieces=("late",), end="hang", silent=True)

        server.answer = first
        child = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE)
        server.wait_for_requests(ANSWERED + AT_ONCE, timeout_s=60)
        child.kill()
        child.communicate()
        kept = (tmp_path / "comparisons").glob("support-base-tuned-*/answers.jsonl")
        assert [len(one.read_text().splitlines()) for one in kept] == [ANSWERED]

        server.answer = lambda body: "I do not know."
        server.fail(503)  # which the retries of a turn get over
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, command[len(COMMAND) :], catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        found = json.loads(done.stdout)
        bodies = [json.dumps(body, sort_keys=True) for body in server.bodies]
    assert (found["pairs"], found["left_out"], found["failures"]) == (12, 0, {})
    assert not set(bodies[:ANSWERED]) & set(bodies[ANSWERED:])
    assert len(bodies) == 24 + AT_ONCE + 1  # the calls that were cut, and the one that failed, were made again
