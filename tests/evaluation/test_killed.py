"""A comparison through a provider's SDK that is killed: it goes on, and pays for nothing twice."""

import json
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from evaluation.holdouts import written
from programs import PERSONA, Program
from terminal import environment
from typer.testing import CliRunner
from wire import Answer, WireServer

from persona.cli.app import app

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
    command = ["compare", "--on", "test.jsonl", "--by", "exact", "--json", "--concurrency", str(AT_ONCE)]
    with WireServer() as server:
        (tmp_path / "persona.toml").write_text(settings(server.url))
        come = 0

        def first(body: Any) -> Answer | str:
            nonlocal come
            come += 1
            return "I do not know." if come <= ANSWERED else Answer(pieces=("late",), end="hang", silent=True)

        server.answer = first
        with Program([*PERSONA, *command], cwd=tmp_path, env=environment(), stdout=PIPE) as child:
            server.wait_for_requests(ANSWERED + AT_ONCE, timeout_s=60)
            child.kill()
        kept = (tmp_path / "comparisons").glob("support-base-tuned-*/answers.jsonl")
        assert [len(one.read_text().splitlines()) for one in kept] == [ANSWERED]

        server.answer = lambda body: "I do not know."
        server.fail(503)  # which the retries of a turn get over
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        found = json.loads(done.stdout)
        bodies = [json.dumps(body, sort_keys=True) for body in server.bodies]
    assert (found["pairs"], found["left_out"], found["failures"]) == (12, 0, {})
    assert not set(bodies[:ANSWERED]) & set(bodies[ANSWERED:])
    assert len(bodies) == 24 + AT_ONCE + 1  # the calls that were cut, and the one that failed, were made again
