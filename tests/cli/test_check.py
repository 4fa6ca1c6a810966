"""`persona check` on files in a folder of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from terminal import Terminal
from typer.testing import CliRunner, Result

from persona.cli.app import app


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments], catch_exceptions=False)


def report(*arguments: str, code: int = 0) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def row(question: str, reply: str = "À 9 h.", role: str = "assistant") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": role, "content": reply}]}


def write(name: str, *rows: object) -> str:
    Path(name).write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
    return name


def test_a_clean_file_is_said_to_be_and_what_it_is_enough_for() -> None:
    found = run(write("a.jsonl", *(row(f"Q{number}") for number in range(60))))
    assert found.exit_code == 0
    assert found.stdout.splitlines()[-1] == "clean"
    assert "60 rows of trl" in found.stdout
    assert "enough for style; classification from 100" in found.stdout


def test_a_problem_comes_with_its_line_its_reason_and_how_to_mend_it() -> None:
    name = write("a.jsonl", row("Q1"), row("Q2", role="bot"), *(row(f"Q{n}") for n in range(3, 14)))
    found = run(name, "--format", "openai")
    assert found.exit_code == 1
    assert "2\terror\tunrecognized_role (messages[1])" in found.stdout
    assert "1\tunrecognized_role\tthe roles are system, user, assistant and tool" in found.stdout
    (problem,) = report(name, "--format", "openai", code=1)["problems"]
    assert (problem["line"], problem["error"], problem["where"]) == (2, True, "messages[1]")


def test_a_model_that_is_no_target_is_misuse() -> None:
    found = run(write("a.jsonl", row("Q")), "--model", "some-model")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "'some-model' names no model; write provider:model" in found.stderr


def test_the_limits_of_a_format_are_kept_with_where_they_are_from() -> None:
    found = report(write("a.jsonl", row("Q")), "--format", "openai", code=1)
    assert found["errors"] == {"the file has too few good rows": 1}
    assert (found["limits"]["min_examples"], found["limits"]["checked"]) == (10, "2026-11-21")


def test_rows_longer_than_what_the_format_or_the_model_takes_are_named() -> None:
    name = write("a.jsonl", *(row(f"Q{number}") for number in range(10)), row("Q", "word " * 70_000))
    (problem,) = report(name, "--format", "openai", code=1)["problems"]
    assert (problem["line"], problem["reason"]) == (11, "a row is longer than the limit")
    small = Path("persona.toml")
    small.write_text('[providers.o]\nkind = "openai"\nkey_env = ""\n', encoding="utf-8")
    counted = report(write("b.jsonl", row("Q")), "--format", "trl", "--model", "o:gpt-4o-mini")
    assert counted["files"][0]["tokens"]["limit"] == 128_000


def test_rows_of_the_training_file_in_the_validation_file_are_errors_and_repeated_ones_warnings() -> None:
    train = write("train.jsonl", row("Q1"), row("Q2"), row("Q1"))
    other = write("validation.jsonl", row("Q9"), row("Q2"))
    found = report(train, other, code=1)
    assert found["errors"] == {"a row of the training file is in the validation file": 1}
    assert found["warnings"] == {"a row is there more than once": 1}
    places = {(one["file"], one["line"], one["where"]) for one in found["problems"]}
    assert places == {("train.jsonl", 3, "as in line 1"), ("validation.jsonl", 2, "as in line 2")}


def test_a_file_in_the_wrong_container_is_an_error() -> None:
    Path("a.json").write_text(json.dumps([row(f"Q{number}") for number in range(12)]), encoding="utf-8")
    assert report("a.json", "--format", "openai", code=1)["errors"] == {"the file is one JSON array": 1}
    assert report("a.json", "--format", "trl")["clean"]


def test_a_file_that_nobody_can_read_is_misuse() -> None:
    for arguments in (["none.jsonl"], [write("a.jsonl", {"x": 1})], ["a.jsonl", "--format", "tlr"]):
        found = run(*arguments)
        assert (found.exit_code, found.stdout) == (2, "")
        assert found.stderr.startswith("persona: ")


def test_a_person_at_a_terminal_sees_a_table(tmp_path: Path) -> None:
    write("a.jsonl", row("Q1"), row("Q2", role="bot"))
    with Terminal(["check", "a.jsonl"], tmp_path, columns=100) as screen:
        shown = screen.until("1 errors, 0 warnings")
        assert "what is wrong" in shown
        assert "2     error  unrecognized_role" in shown
        assert screen.leave() == 1
