"""`persona users` on the embedded defaults, in a folder of its own."""

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
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def said(*arguments: str, code: int = 0) -> str:
    result = run(*arguments)
    assert result.exit_code == code, result.stderr
    return result.stdout


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("persona: ")
    return result.stderr


def read(*arguments: str, code: int = 0) -> Any:
    return json.loads(said(*arguments, "--json", code=code))


def lines(*arguments: str) -> list[Any]:
    return [json.loads(line) for line in said(*arguments, "--json").splitlines()]


def talk(user: str = "ada", *more: str, text: str = "the parcel number is 4711") -> dict[str, Any]:
    found: dict[str, Any] = read("ask", text, "--user", user, *more)
    return found


def test_users_are_listed_by_name_with_counts_and_consent() -> None:
    talk("bob")
    talk("ada")
    talk("ada")
    talk("zoe", "--tenant", "acme")
    said("users", "consent", "ada", "--training", "yes")
    first, second = lines("users", "list")
    assert (first["name"], first["conversations"], first["messages"], first["consent"]) == ("ada", 2, 4, True)
    assert (second["name"], second["conversations"], second["consent"]) == ("bob", 1, None)
    assert first["seen_us"] > first["created_us"] > 0
    assert [one["name"] for one in lines("users", "list", "--tenant", "acme")] == ["zoe"]
    assert said("users", "list").splitlines()[0].split("\t")[:3] == ["ada", "2", "4"]


def test_the_list_goes_on_after_a_name() -> None:
    for name in ("ada", "bob", "cy"):
        said("remember", "something", "--user", name)
    first = run("users", "list", "--limit", "2")
    assert [line.split("\t")[0] for line in first.stdout.splitlines()] == ["ada", "bob"]
    assert [one["name"] for one in lines("users", "list", "--limit", "2", "--after", "bob")] == ["cy"]
    assert lines("users", "list", "--after", "cy") == []


def test_a_user_is_shown_with_what_was_known_when() -> None:
    talk()
    said("remember", "vegetarian", "--user", "ada")
    said("users", "consent", "ada", "--training", "no")
    shown = said("users", "show", "ada")
    assert "conversations  1 with 2 messages" in shown
    assert "facts          1 hold, 0 ended" in shown
    assert "training       no (no on 2" in shown
    assert shown.splitlines()[-1].startswith("fact: vegetarian")
    assert shown.rstrip().endswith("=")
    found = read("users", "show", "ada")
    assert found["numbers"]["memories"] == 2
    assert [one["text"] for one in found["facts"]] == ["vegetarian"]


def test_an_export_goes_to_standard_output_or_a_file() -> None:
    talk()
    document = json.loads(said("users", "export", "ada"))
    assert document["counts"]["messages"] == 2
    assert "holds" in said("users", "export", "ada", "--output", "ada.json")
    again = json.loads(Path("ada.json").read_text(encoding="utf-8"))
    assert again | {"exported_at": ""} == document | {"exported_at": ""}


def test_erasing_asks_and_in_a_pipe_needs_yes() -> None:
    talk()
    assert "pass --yes" in refused("users", "erase", "ada")
    receipt = read("users", "erase", "ada", "--yes")
    assert receipt["counts"]["messages"] == 2
    assert receipt["scrubbed_us"] > 0
    assert b"4711" not in b"".join(path.read_bytes() for path in Path.cwd().iterdir())
    assert "nothing is stored" in refused("users", "erase", "ada", "--yes")
    (listed,) = lines("users", "receipts")
    assert listed == receipt == read("users", "receipts", receipt["id"])
    shown = said("users", "receipts", receipt["id"])
    assert "messages\t2\ttable" in shown
    assert "may still hold it: backups" in shown
    assert "no receipt" in refused("users", "receipts", "rcp_nothing")


def test_a_conversation_a_message_or_a_fact_is_erased_alone() -> None:
    reply = talk()
    kept = talk(text="hello again")
    fact = read("remember", "vegetarian", "--user", "ada")
    assert read("users", "erase", "ada", "--fact", fact["id"], "--yes")["scope"] == "fact"
    assert read("users", "erase", "ada", "--message", reply["id"], "--yes")["counts"]["messages"] == 1
    assert read("users", "erase", "ada", "--conversation", reply["conversation_id"], "--yes")["scope"] == "conversation"
    (left,) = read("conversations", "--user", "ada")["conversations"]
    assert left["id"] == kept["conversation_id"]
    assert "one thing" in refused("users", "erase", "ada", "--fact", "a", "--message", "b", "--yes")


def test_a_person_is_asked_before_anything_is_erased(tmp_path: Path) -> None:
    talk()
    with Terminal(["users", "erase", "ada"], tmp_path) as screen:
        screen.until("Erase everything of ada for good?")
        screen.press("n\r")
        assert screen.leave() == 1
    assert len(lines("users", "list")) == 1
    with Terminal(["users", "erase", "ada"], tmp_path) as screen:
        screen.until("for good?")
        screen.press("y\r")
        screen.until("no trace is left")
        assert screen.leave() == 0
    assert lines("users", "list") == []


def test_a_visitor_is_merged() -> None:
    talk("visitor-81")
    talk("ada")
    assert "nobody is here" in refused("users", "merge", "visitor-81", "ada")
    assert "1 conversations" in said("users", "merge", "visitor-81", "ada", "--yes")
    assert [one["conversations"] for one in lines("users", "list")] == [2]


def test_learning_is_turned_off_and_on_and_shown() -> None:
    said("remember", "vegetarian", "--user", "ada")
    assert "learning       on" in said("users", "show", "ada")
    assert said("users", "learning", "ada", "off") == "learning is off for ada\n"
    assert "learning       off" in said("users", "show", "ada")
    assert read("users", "show", "ada")["learning"] is False
    said("users", "export", "ada", "--output", "ada.json")
    assert json.loads(Path("ada.json").read_text())["owner"]["learning"] is False
    said("users", "learning", "ada", "on")
    assert read("users", "show", "ada")["learning"] is True
    assert "pass on or off" in refused("users", "learning", "ada", "maybe")


def test_consent_is_dated() -> None:
    for answer in ("yes", "yes", "no"):
        found = read("users", "consent", "ada", "--training", answer)
    assert [one["training"] for one in found] == [True, False]
    assert found[0]["at_us"] < found[1]["at_us"]
    assert [line.split("\t")[1] for line in said("users", "consent", "ada").splitlines()] == ["yes", "no"]
    assert "pass yes or no" in refused("users", "consent", "ada", "--training", "maybe")


def test_an_audit_exits_with_one_when_it_finds_something() -> None:
    said("remember", "has 2 cats", "--user", "ada")
    assert said("users", "audit", "ada") == ""
    said("remember", "has 3 cats", "--user", "ada")
    (finding,) = read("users", "audit", "ada", code=1)
    assert finding["kind"] == "contradiction"
    assert [line.split("\t")[0] for line in said("users", "audit", "ada", code=1).splitlines()] == ["contradiction"] * 2


@pytest.mark.parametrize("command", ["show", "export", "audit"])
def test_who_is_not_there_is_an_error_with_a_hint(command: str) -> None:
    talk()
    assert "persona users list" in refused("users", command, "nobody")
    assert "persona users list" in refused("users", command, "ada", "--tenant", "acme")
