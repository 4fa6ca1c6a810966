"""Comparing arms, at the command line."""

import json
from pathlib import Path

import pytest
from evaluation.holdouts import written
from typer.testing import CliRunner, Result

from persona.cli.app import app

SETTINGS = """
[routes.support]
knowledge = ["hours"]
[routes.support.arms.base]
target = "embedded:extractive-1"
[routes.support.arms.tuned]
target = "embedded:extractive-1"
instructions = ["Be brief."]
[knowledge.hours]
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "persona.toml").write_text(SETTINGS)
    written(tmp_path / "test.jsonl", [(f"When do you open on day {n}?", f"At {n}.") for n in range(3)])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["compare", *arguments], catch_exceptions=False)


def test_people_and_machines_get_the_same_figures() -> None:
    machine = run("--on", "test.jsonl", "--json")
    assert machine.exit_code == 0, machine.stderr
    found = json.loads(machine.stdout)
    assert (found["route"], found["arms"], found["pairs"], found["verdict"]) == (
        *("support", ["base", "tuned"], 3),
        "cannot tell",
    )
    shown = run("--on", "test.jsonl")
    rows = [line.split("\t") for line in shown.stdout.splitlines()]
    assert [row[0] for row in rows if len(row) > 1] == [one["metric"] for one in found["measured"]]
    assert rows[-2][0].startswith("3 examples of 3 users cannot tell tuned from base: chrf")
    assert Path(found["report"]).is_file()
    assert rows[-1][0].endswith(f"in {found['report']}")


def test_answers_and_report_are_for_their_owner_alone(tmp_path: Path) -> None:
    assert run("--on", "test.jsonl", "--out", "here").exit_code == 0
    kept = sorted((tmp_path / "here").iterdir())
    assert [one.name for one in kept] == ["answers.jsonl", "report.html"]
    assert all(one.stat().st_mode & 0o077 == 0 for one in kept)


def test_arms_that_serve_are_compared_by_the_log() -> None:
    assert CliRunner().invoke(app, ["ask", "When?", "--user", "ada", "--route", "support"]).exit_code == 0
    shown = run("--live")
    assert [line.split("\t")[0] for line in shown.stdout.splitlines()] == ["mended", "failed", "cost_usd", "latency_ms"]
    assert "too few users" in shown.stdout
    found = json.loads(run("support", "--live", "--since", "2026-01-01", "--json").stdout)
    assert found["turns"] == [1, 0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "pass either --on PATH or --live"),
        (("--live", "--on", "test.jsonl"), "pass either --on PATH or --live"),
        (("--on", "nothing.jsonl"), "name a dataset's folder, or a test file"),
        (("--on", "test.jsonl", "--limit-usd", "much"), "write it like 2.50"),
        (("--on", "test.jsonl", "--arms", "base"), "--arms base,tuned"),
        (("--on", "test.jsonl", "--judge", "nobody"), "the settings have support"),
        (("--on", "test.jsonl", "--by", "beauty"), "--by takes one of judge, format"),
        (("--on", "test.jsonl", "--schema", "no.json"), "name a file with one"),
        (("elsewhere", "--live"), "the settings have support"),
    ],
)
def test_what_cannot_be_compared_is_misuse_and_says_what_can(arguments: tuple[str, ...], said: str) -> None:
    refused = run(*arguments)
    assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
