"""`persona harvest` and `persona datasets`, on the embedded defaults."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from persona import Assistant
from persona.cli.app import app

_ASKED = {
    "ada": "Which bakery near the old harbour sells rye bread on Sunday mornings before the market begins, please?",
    "bob": "Ma facture du mois dernier compte deux fois le même abonnement : comment me faire rembourser rapidement ?",
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Assistant.open() as assistant:
        for name, question in _ASKED.items():
            user = assistant.user(name)
            user.consent(training=True)
            user.conversation().send(question)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def read(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json"))


def test_a_harvest_says_what_it_kept_and_where() -> None:
    told = said("harvest", "--raw", "--out", "data")
    (folder,) = Path("data").iterdir()
    assert "exchanges in the log\t2" in told
    assert "kept\t2" in told
    assert f"{folder.name} in {folder.absolute()}" in told
    names = {"trl", "manifest.json", "card.md", "report.html", "rows.jsonl"}
    assert {path.name for path in folder.iterdir()} == names
    assert f"look at {folder.absolute() / 'report.html'}" in told


def test_a_harvest_tells_machines_everything() -> None:
    told = read(
        "harvest", "default", "--format", "trl", "--format", "text", "--rows", "conversation", "--processes", "1"
    )
    assert told["funnel"]["kept"] == 2
    assert [one["name"] for one in told["formats"]] == ["trl", "text"]
    assert Path(told["path"], "text").is_dir()
    assert told["settings"]["settings"]["rows"] == "conversation"


def test_a_dry_run_writes_nothing() -> None:
    before = set(Path().iterdir())
    assert "kept\t2" in said("harvest", "--dry-run")
    assert set(Path().iterdir()) == before
    assert read("harvest", "--dry-run")["id"] == ""
    assert read("datasets", "list") == []


def test_a_dry_run_shows_the_funnel_when_nothing_is_left() -> None:
    told = said("harvest", "--dry-run", "--user", "nobody")
    assert "- users\t2" in told
    assert "kept\t0" in told
    result = run("harvest", "--user", "nobody")
    assert result.exit_code == 1
    assert "no example is left of 2 exchanges; taken out: 2 by 'users'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nowhere",), "no route named 'nowhere'"),
        (("--format", "trk"), "no format 'trk'"),
        (("--arm", "tuned"), "no arm 'tuned'"),
        (("--rows", "word"), "an example is no 'word'"),
        (("--language", "English"), "'English' is no code of a language"),
    ],
    ids=str,
)
def test_what_cannot_be_is_misuse(arguments: tuple[str, ...], why: str) -> None:
    result = run("harvest", *arguments)
    assert result.exit_code == 2
    assert why in result.stderr


def test_datasets_are_listed_shown_compared_and_written_again() -> None:
    first = read("harvest", "--raw")["id"]
    second = read("harvest", "--raw", "--user", "ada")["id"]
    assert {one["id"] for one in read("datasets", "list")} == {first, second}
    assert first in said("datasets", "list")
    assert "kept\t2" in said("datasets", "show", first)
    assert read("datasets", "show", first)["manifest"]["id"] == first
    assert "1 examples in both, 1 only in A, 0 only in B" in said("datasets", "diff", first, f"datasets/{second}")
    assert read("datasets", "diff", first, second)["settings"]["selection.users"] == [[], ["ada"]]
    assert "stays as it is" in said("datasets", "rewrite", first, "--without-erased")
    with Assistant.open() as assistant:
        assistant.user("ada").erase()
    assert "1 examples were taken out, 1 stay" in said("datasets", "rewrite", first, "--without-erased")
    assert "nothing is left" in said("datasets", "rewrite", second, "--without-erased")
    assert "replaced by dst_" in said("datasets", "show", first)


def test_a_dataset_that_is_not_there_or_was_changed_is_named() -> None:
    result = run("datasets", "show", "dst_1")
    assert (result.exit_code, "no dataset 'dst_1'" in result.stderr) == (2, True)
    assert run("datasets", "rewrite", "dst_1").exit_code == 2
    made = read("harvest", "--raw")
    Path(made["path"], "rows.jsonl").write_text("")
    result = run("datasets", "rewrite", made["id"], "--without-erased")
    assert (result.exit_code, "was changed" in result.stderr) == (1, True)
