"""What serves which share, at the command line, and changing it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona.cli.app import app

TEXT = """\
[routes.support]
serve    = { base = 0.9, tuned = 0.1 }     # or "base"
fallback = ["local:backup"]
[routes.support.arms.base]
target = "openai:gpt-6-luna"
[routes.support.arms.tuned]
target = "embedded:extractive-1"
[routes.support.arms.waiting]
target = "openai:ft:gpt-4.1-mini:acme::abc"
[providers.local]
kind = "openai"
base_url = "http://localhost:1"
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("persona.toml").write_text(TEXT)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_every_target_is_listed_with_its_share_and_what_is_known_of_it() -> None:
    rows = [line.split("\t") for line in said("routes").splitlines()]
    assert [row[:4] for row in rows] == [
        ["support", "base", "90%", "openai:gpt-6-luna"],
        ["support", "base", "fallback 1", "local:backup"],
        ["support", "tuned", "10%", "embedded:extractive-1"],
        ["support", "tuned", "fallback 1", "local:backup"],
        ["support", "waiting", "waits", "openai:ft:gpt-4.1-mini:acme::abc"],
        ["support", "waiting", "fallback 1", "local:backup"],
    ]
    assert rows[1][4:7] == ["unknown", "unknown", "unknown"]  # never 0
    assert rows[2][5:7] == ["0", "0"]


def test_calls_of_the_last_day_are_counted_for_each_target() -> None:
    said("routes", "set", "support.serve", "tuned")
    run("ask", "When do you open?", "--user", "ada")
    rows = json.loads(said("routes", "--json"))
    assert {(row["arm"], row["target"]): row["calls"] for row in rows}["tuned", "embedded:extractive-1"] == 1


def test_a_change_keeps_the_comments_and_is_recorded_with_who_made_it() -> None:
    assert said("routes", "set", "support.serve", "tuned", "--by", "grace") == (
        'routes.support.serve: { base = 0.9, tuned = 0.1 } -> "tuned"\n'
    )
    assert Path("persona.toml").read_text() == TEXT.replace("{ base = 0.9, tuned = 0.1 }", '"tuned"')
    said("routes", "set", "support.serve", "{ base = 0.5, tuned = 0.5 }")
    changes = json.loads(said("routes", "history", "--json"))
    assert [(one["key"], one["before"], one["after"]) for one in changes] == [
        ("routes.support.serve", '"tuned"', "{ base = 0.5, tuned = 0.5 }"),
        ("routes.support.serve", "{ base = 0.9, tuned = 0.1 }", '"tuned"'),
    ]
    assert changes[1]["who"] == "grace"
    assert changes[0]["who"]


def test_a_change_that_would_break_the_settings_is_refused_and_not_recorded() -> None:
    refused = run("routes", "set", "support.serve", "nobody")
    assert (refused.exit_code, "nobody" in refused.stderr) == (2, True)
    assert Path("persona.toml").read_text() == TEXT
    assert json.loads(said("routes", "history", "--json")) == []


def test_a_hold_is_shown_with_what_it_keeps_from_serving_until_it_is_released() -> None:
    assert said("routes", "hold", "support", "base", "--why", "tuned invents prices", "--by", "grace") == (
        "routes.support.hold: not set -> base\n"
    )
    shares = [line.split("\t")[2] for line in said("routes").splitlines()]
    assert shares == ["held (90%)", "fallback 1", "not now (10%)", "fallback 1", "not now (waits)", "fallback 1"]
    hold = json.loads(said("routes", "--json"))[0]["hold"]
    assert (hold["arm"], hold["who"], hold["why"]) == ("base", "grace", "tuned invents prices")
    assert said("routes", "release", "support") == "routes.support.hold: base -> not set\n"
    assert json.loads(said("routes", "--json"))[0]["hold"] is None
    assert said("routes", "history").splitlines()[1].split("\t")[1:] == [
        *("grace", "routes.support.hold", "not set", "base"),
        "tuned invents prices",
    ]


def test_what_cannot_be_held_is_said_with_what_can() -> None:
    refused = run("routes", "hold", "support", "nobody", "--why", "x")
    assert (refused.exit_code, "it has base, tuned, waiting" in refused.stderr) == (2, True)
    assert run("routes", "hold", "support", "base").exit_code == 2
    assert run("routes", "release", "support").exit_code != 0


@pytest.mark.parametrize("command", ["routes", "limits"])
def test_a_database_that_cannot_be_read_is_not_taken_for_an_empty_one(command: str) -> None:
    Path("persona.db").write_bytes(b"no database" * 100)
    result = run(command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "SQLITE_NOTADB" in result.stderr
