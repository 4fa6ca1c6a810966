"""`persona import` in a folder of its own."""

import json
import shutil
from pathlib import Path

import pytest
from terminal import Terminal
from typer.testing import CliRunner, Result

from persona.cli.app import app

SAMPLE = Path(__file__).parents[2] / "examples" / "demo" / "sample-log.jsonl"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_the_sample_log_is_imported_whole() -> None:
    shutil.copy(SAMPLE, "log.jsonl")
    found = run("import", "log.jsonl")
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout == "61 conversations, 133 messages as trl, 0 rejected\n"
    assert run("import", "log.jsonl").stdout == found.stdout
    listed = run("conversations", "--user", "ines").stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["sample-019", "sample-001"]


def test_what_is_set_aside_is_told_and_is_a_failure() -> None:
    good = json.dumps({"instruction": "Q", "input": "", "output": "A"})
    Path("log.jsonl").write_text(f'{good}\n{{"instruction": "Q"\n', encoding="utf-8")
    found = run("import", "log.jsonl", "--as", "alpaca", "--json")
    assert found.exit_code == 1
    report = json.loads(found.stdout)
    assert (report["progress"]["conversations"], report["progress"]["rejected"]) == (1, 1)
    assert report["rejected_file"] == "log.jsonl.rejected.jsonl"
    assert Path(report["rejected_file"]).exists()


def test_a_format_or_route_that_is_not_there_is_misuse() -> None:
    shutil.copy(SAMPLE, "log.jsonl")
    for arguments in (["--as", "trel"], ["--route", "nowhere"], ["--as", "text"]):
        found = run("import", "log.jsonl", *arguments)
        assert (found.exit_code, found.stdout) == (2, ""), arguments
        assert found.stderr.startswith("persona: ")


def test_a_person_at_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    shutil.copy(SAMPLE, "log.jsonl")
    with Terminal(["import", "log.jsonl"], tmp_path) as screen:
        assert "importing" in screen.until("61 conversations, 133 messages")
        assert screen.leave() == 0
