"""What was spent, at the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona.cli.app import app


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_what_was_asked_is_summed_by_what_was_asked_for() -> None:
    for user in ("ada", "ada", "bob"):
        assert run("ask", "When do you open?", "--user", user).exit_code == 0
    rows = json.loads(run("costs", "--by", "user,route", "--json").stdout)
    assert [(row["user"], row["route"], row["calls"], row["failed"]) for row in rows] == [
        ("ada", "default", 2, 0),
        ("bob", "default", 1, 0),
    ]
    assert run("costs", "--by", "route").stdout.split("\t")[:2] == ["default", "3"]
    assert run("costs", "--until", "2001-01-01").stdout == ""


def test_what_a_conversation_repeats_is_a_share_that_people_and_machines_get() -> None:
    answered = json.loads(run("ask", "When do you open?", "--user", "ada", "--json").stdout)
    again = run("ask", "And on Sunday?", "--user", "ada", "--conversation", answered["conversation_id"])
    assert again.exit_code == 0
    (row,) = json.loads(run("costs", "--by", "route", "--json").stdout)
    assert 0 < row["prefix_share"] < 1
    assert row["cache_share"] is None
    cells = run("costs", "--by", "route").stdout.strip().split("\t")
    assert cells[4:6] == ["-", f"{row['prefix_share']:.0%}"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--by", "weather"), "--by takes tenant, user, route"), (("--since", "yesterday"), "like 2026-11-21")],
)
def test_what_cannot_be_asked_is_said_with_what_can(arguments: tuple[str, ...], said: str) -> None:
    refused = run("costs", *arguments)
    assert (refused.exit_code, said in refused.stderr) == (2, True)
