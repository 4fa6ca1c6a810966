"""Each command on the embedded defaults, in a folder of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from typer.main import get_command
from typer.testing import CliRunner, Result

from persona.cli.app import app
from persona.cli.words import sources
from persona.values.memory import Source
from persona.values.turn import Reply


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, input: str | None = None, **env: str) -> Result:
    return CliRunner(env=env).invoke(app, list(arguments), input=input, catch_exceptions=False)


def said(*arguments: str, input: str | None = None) -> str:
    result = run(*arguments, input=input)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def read(*arguments: str, input: str | None = None) -> Any:
    return json.loads(said(*arguments, "--json", input=input))


def refused(*arguments: str, code: int = 2, **env: str) -> str:
    result = run(*arguments, **env)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("persona: ")
    return result.stderr


def test_init_writes_a_file_that_works_and_says_what_is_next() -> None:
    assert "next: persona chat" in said("init")
    assert Path("persona.toml").stat().st_size > 1000
    assert said("ask", "hello", "--user", "ada")


def test_init_keeps_a_file_that_is_there_unless_forced() -> None:
    Path("persona.toml").write_text("# mine\n")
    assert "--force" in refused("init")
    assert Path("persona.toml").read_text() == "# mine\n"
    said("init", "--force")
    assert Path("persona.toml").read_text() != "# mine\n"


def test_init_takes_a_folder_or_a_name() -> None:
    Path("conf").mkdir()
    assert read("init", "conf") == {"path": "conf/persona.toml"}
    assert "--config my.toml" in said("init", "my.toml")
    assert "cannot write" in refused("init", "nowhere/my.toml")


def test_ask_prints_the_reply_alone() -> None:
    reply = said("ask", "Hello, I work as a nurse", "--user", "ada")
    assert reply.strip()
    assert "msg_" not in reply


def test_ask_gives_machines_the_whole_reply() -> None:
    reply = read("ask", "hello", "--user", "ada")
    assert reply["id"].startswith("msg_")
    assert reply["target"] == "embedded:extractive-1"
    assert reply["cost"]["amount"] == "0"
    assert {"sources", "usage", "conversation_id", "text", "stop"} <= reply.keys()


def test_ask_reads_standard_input() -> None:
    said("ask", "-", "--user", "ada", input="Je m'appelle Zoé\nde Lyon\n")
    (entry,) = read("conversations", "--user", "ada")["conversations"]
    assert entry["title"].startswith("Je m'appelle Zoé")


def test_ask_goes_on_with_a_conversation_of_the_same_user_only() -> None:
    id = read("ask", "hello", "--user", "ada")["conversation_id"]
    assert read("ask", "again", "--user", "ada", "--conversation", id)["conversation_id"] == id
    assert "no conversation" in refused("ask", "again", "--user", "bob", "--conversation", id)


def test_a_tenant_has_users_of_its_own() -> None:
    said("remember", "vegetarian", "--user", "ada", "--tenant", "acme")
    assert read("facts", "--user", "ada") == []
    assert len(read("facts", "--user", "ada", "--tenant", "acme")) == 1


def test_why_finds_any_reply_by_its_id() -> None:
    reply = read("ask", "hello", "--user", "ada", "--tenant", "acme")
    shown = said("why", reply["id"])
    assert shown.startswith(f"for ada of acme, conversation {reply['conversation_id']}\nembedded:extractive-1 ")
    assert "instructions" in shown


def test_why_gives_machines_the_plan_and_whose_it_is() -> None:
    reply = read("ask", "hello", "--user", "ada")
    plan = read("why", reply["id"])
    assert (plan["user"], plan["conversation_id"]) == ("ada", reply["conversation_id"])
    assert plan["sections"][0]["name"] == "instructions"
    assert plan["total"] <= plan["limit"]


def test_why_with_a_user_looks_only_there() -> None:
    id = read("ask", "hello", "--user", "ada")["id"]
    assert said("why", id, "--user", "ada")
    assert "no reply" in refused("why", id, "--user", "bob")
    assert "no reply" in refused("why", id, "--user", "ada", "--tenant", "acme")
    assert "without --user" in refused("why", id, "--tenant", "acme")


def test_conversations_come_in_pages_the_newest_first() -> None:
    for text in ("first", "second", "third"):
        said("ask", text, "--user", "ada")
    page = read("conversations", "--user", "ada", "--limit", "2")
    assert [one["title"] for one in page["conversations"]] == ["third", "second"]
    rest = read("conversations", "--user", "ada", "--cursor", page["cursor"])
    assert [one["title"] for one in rest["conversations"]] == ["first"]


def test_a_table_in_a_pipe_is_one_line_a_row_parted_by_tabs() -> None:
    said("ask", "two\tparts\nand lines", "--user", "ada")
    (line,) = said("conversations", "--user", "ada").splitlines()
    id, _, messages, route, title, tags = line.split("\t")
    assert (id[:4], messages, route, title, tags) == ("cnv_", "2", "default", "two parts and lines", "")


def test_a_user_without_anything_prints_nothing() -> None:
    said("db", "upgrade")
    assert said("conversations", "--user", "ada") == said("facts", "--user", "ada") == ""


def test_facts_are_remembered_with_their_kind() -> None:
    fact = read("remember", "vegetarian", "--kind", "preference", "--user", "ada")
    assert said("remember", "lives in Lyon", "--user", "ada").startswith("remembered fct_")
    assert [(one["kind"], one["text"]) for one in read("facts", "--user", "ada")] == [
        ("preference", "vegetarian"),
        ("fact", "lives in Lyon"),
    ]
    assert said("facts", "--user", "ada").startswith(f"{fact['id']}\tpreference\t")


def test_a_pipe_is_one_line_in_and_one_reply_out() -> None:
    replies = said("chat", "--user", "ada", input="I am a nurse\n\n   \nI live in Lyon\n").splitlines()
    assert len(replies) == 2
    assert all(reply.strip() for reply in replies)
    (entry,) = read("conversations", "--user", "ada")["conversations"]
    assert entry["messages"] == 4


def test_a_pipe_takes_no_commands() -> None:
    said("chat", "--user", "ada", input="/quit\nhello\n")
    (entry,) = read("conversations", "--user", "ada")["conversations"]
    assert (entry["title"], entry["messages"]) == ("/quit", 4)


def test_a_pipe_gives_machines_one_object_a_reply() -> None:
    lines = said("chat", "--user", "ada", "--json", input="one\ntwo\n").splitlines()
    replies = [json.loads(line) for line in lines]
    assert len({reply["id"] for reply in replies}) == 2
    assert len({reply["conversation_id"] for reply in replies}) == 1


def test_a_pipe_ends_with_its_first_failure() -> None:
    result = CliRunner().invoke(app, ["chat", "--user", "ada"], input=f"hello\n{'x' * 200_001}\nhello\n")
    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 1
    assert "200001 characters" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("costs", "tasks", "users list", "prune", "db version", "memory status"),
        *("facts --user ada", "conversations --user ada", "why msg_1", "users consent ada", "users erase ada --yes"),
        *("tune list", "tune idle", "tune keep job_1"),
    ],
)
def test_looking_where_nothing_was_said_yet_says_so_and_what_to_do(command: str) -> None:
    told = refused(*command.split(), code=1)
    assert f"there is no database '{Path.cwd() / 'persona.db'}' yet" in told
    assert "--config" in told
    assert not Path("persona.db").exists()


def test_where_arms_stand_is_known_without_a_database() -> None:
    Path("persona.toml").write_text('[routes.default]\ntarget = "embedded:extractive-1"\n', encoding="utf-8")
    assert read("promote", "default")[0]["last"] is None
    assert not Path("persona.db").exists()


def test_what_may_be_said_of_a_user_before_they_say_anything_makes_the_database() -> None:
    said("users", "learning", "ada", "off")
    assert read("users", "consent", "ada") == []


def test_help_is_shown_whole_whatever_stands_in_brackets() -> None:
    for path, command in _commands(get_command(app)):
        texts = [
            command.help or "",
            command.epilog or "",
            *(getattr(one, "help", None) or "" for one in command.params),
        ]
        for text in texts:  # what looks like a tag of rich's is swallowed
            assert Text.from_markup(text).plain == text, f"{path}: {text}"


def _commands(command: Any, path: str = "persona") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{path} {name}")


def test_the_help_groups_every_command_by_what_it_is_for() -> None:
    shown = [line.strip("─╭╮ ") for line in said("--help").splitlines() if line.startswith("╭")]
    assert shown == ["Options", "Chat", "Users, and what is known", "Training data", "Models and routes", "Operations"]


def test_the_database_is_made_and_its_version_said() -> None:
    refused("db", "version", code=1)
    assert not Path("persona.db").exists()
    assert read("db", "upgrade")["before"] is None
    version = said("db", "version").strip()
    assert read("db", "version") == {"version": version, "needed": version}
    assert "already" in said("db", "upgrade")


def test_the_version_is_printed() -> None:
    assert said("--version").startswith("persona ")


def test_the_settings_file_in_this_folder_is_used() -> None:
    Path("persona.toml").write_text('[store]\nurl = "sqlite:///here.db"\n')
    said("ask", "hello", "--user", "ada")
    assert Path("here.db").exists()


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_settings_file_can_be_named(by_variable: bool) -> None:
    Path("other.toml").write_text('[store]\nurl = "sqlite:///other.db"\n')
    named = () if by_variable else ("--config", "other.toml")
    env = {"PERSONA_CONFIG": "other.toml"} if by_variable else {}
    assert run("ask", "hello", "--user", "ada", *named, **env).exit_code == 0
    assert Path("other.db").exists()


def test_a_settings_file_that_is_wrong_is_named_with_its_problems() -> None:
    Path("persona.toml").write_text('[stor]\nurl = ""\n')
    assert "did you mean 'store'" in refused("facts", "--user", "ada")
    assert "no settings file" in refused("facts", "--user", "ada", "--config", "absent.toml")
    assert "no settings file" in refused("facts", "--user", "ada", PERSONA_CONFIG="absent.toml")


def test_a_database_that_cannot_be_opened_is_a_failure_in_one_line() -> None:
    line = refused("ask", "hello", "--user", "ada", code=1, PERSONA_STORE__URL="sqlite:////no/such/folder/x.db")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("ask", "", "--user", "ada"), ("ask", "hi", "--user", ""), ("ask", "hi", "--user", "ada", "--route", "absent")],
)
def test_what_cannot_be_answered_is_misuse(arguments: tuple[str, ...]) -> None:
    refused(*arguments)


@pytest.mark.parametrize("arguments", [("bogus",), ("facts",), ("facts", "--users", "ada"), ("why",)])
def test_a_wrong_command_line_is_misuse(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        *("init", "chat", "ask", "why", "conversations", "remember", "facts", "doctor", "db upgrade", "db version"),
        *("tasks", "tasks retry", "work", "prune"),
    ],
)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    shown = said(*command.split(), "--help")
    assert f"Example: persona {command}" in shown
    assert "--json" in shown


def test_facts_are_listed_as_they_were_at_a_time_and_as_they_came_to_be() -> None:
    Path("persona.toml").write_text("[profile.city]\n")
    assert said("remember", "Brest", "--slot", "city", "--user", "ada").startswith("remembered fct_")
    fact = read("remember", "Lyon", "--slot", "city", "--user", "ada")
    assert (fact["slot"], fact["value"], fact["text"]) == ("city", "Lyon", "city: Lyon")
    assert [one["value"] for one in read("facts", "--user", "ada")] == ["Lyon"]
    assert read("facts", "--user", "ada", "--at", "2020-01-01") == []
    assert [one["value"] for one in read("facts", "--user", "ada", "--at", "2999-01-01T12:00")] == ["Lyon"]
    ended, holds = (line.split("\t") for line in said("facts", "--user", "ada", "--history").splitlines())
    assert (ended[1], ended[3], ended[5]) == ("city", ended[2], "city: Brest")
    assert holds[3:] == ["now", "app", "city: Lyon"]
    assert "pass one of them" in refused("facts", "--user", "ada", "--history", "--at", "2026-03-01")
    assert "did you mean 'city'" in refused("remember", "Lyon", "--slot", "cities", "--user", "ada")


def test_a_source_is_named_with_its_place() -> None:
    places = [
        Source("chunk", "mem_1", "hours.pdf", "Opening", "", 3),
        Source("chunk", "mem_2", "hours.pdf", "Opening", "", 3),
        Source("chunk", "mem_3", "hours.pdf", "", "", 4),
        Source("chunk", "mem_4", "notes.txt"),
        Source("turn", "mem_5", date="2026-11-21"),
    ]
    named = sources(Reply("msg_1", "At nine.", "c-1", "scripted:any", sources=tuple(places)))
    assert named == "hours.pdf (Opening, page 3), hours.pdf (page 4), notes.txt, what you said on 2026-11-21"


def test_what_a_question_brings_back_is_shown_with_what_its_score_is_made_of() -> None:
    said("ask", "My cat is called Minou", "--user", "ada")
    said("remember", "allergic to peanuts", "--kind", "preference", "--user", "ada")
    cat, peanuts = read("recall", "What is the cat called?", "--user", "ada")
    assert (cat["text"], cat["kind"], peanuts["kind"]) == ("My cat is called Minou", "turn", "preference")
    assert cat["score"] > peanuts["score"]
    assert cat["why"]["dense"] > peanuts["why"]["dense"]
    score, _, kind, why, text = said("recall", "cat", "--user", "ada", "--limit", "1").strip().split("\t")
    assert (float(score) > 0, kind, text) == (True, "turn", "My cat is called Minou")
    assert why.startswith("meaning +")
    assert read("recall", "cat", "--user", "bob") == []
    refused("recall", " ", "--user", "ada")
