"""What is used of each limit, at the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona.cli.app import app

TEXT = """\
[[limits]]
by = "user"
per = "day"
tokens = 100_000
[[limits]]
by = "tenant"
tenant = "nobody"
per = "month"
usd = 5
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_each_limit_is_listed_with_who_used_how_much_of_it() -> None:
    Path("persona.toml").write_text(TEXT)
    assert [line.split("\t")[2] for line in run("limits").stdout.splitlines()] == ["nobody yet", "nobody yet"]
    for _ in range(2):
        assert run("ask", "When do you open?", "--user", "ada", "--tenant", "acme").exit_code == 0
    used, other = (line.split("\t") for line in run("limits").stdout.splitlines())
    assert used[:5] == ["0", "user", "acme/ada", "0.000000", "-"]
    assert used[5:7] == ["0", "100,000"]  # the embedded model reports no tokens
    assert other[:7] == ["1", "tenant", "nobody yet", "-", "5", "-", "-"]
    rows = json.loads(run("limits", "--json").stdout)
    assert (rows[0]["whom"], rows[0]["used"]["tokens"], rows[1]["used"]) == (["acme", "ada"], 0, None)
    assert rows[1]["rule"] == {"by": "tenant", "per": "month", "usd": 5.0, "tenant": "nobody"}


def test_a_refusal_is_one_line_and_exit_code_1() -> None:
    Path("persona.toml").write_text('[[limits]]\nby = "all"\nper = "day"\ntokens = 0\n')
    refused = run("ask", "When do you open?", "--user", "ada")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "the limit of 0 tokens a day of all together is used up; no model was called" in refused.stderr


def test_without_limits_nothing_is_listed() -> None:
    assert (run("limits").stdout, json.loads(run("limits", "--json").stdout)) == ("", [])
