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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--by", "weather"), "--by takes tenant, user, route"), (("--since", "yesterday"), "like 2026-11-21")],
)
def test_what_cannot_be_asked_is_said_with_what_can(arguments: tuple[str, ...], said: str) -> None:
    refused = run("costs", *arguments)
    assert (refused.exit_code, said in refused.stderr) == (2, True)
