"""The outbox at the command line: what is listed, what is tried again, who works, and what is pruned."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from programs import PERSONA, Program
from terminal import environment
from typer.testing import CliRunner, Result

from persona.assistant.synchronous import Assistant
from persona.cli.app import app
from persona.store import calibrations, tasks
from persona.store.engine import Database
from persona.store.tasks import Task

NO_WORK = "[tasks]\nrun = false\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("persona.toml").write_text(NO_WORK)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def read(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json"))


def say(*texts: str) -> None:
    with Assistant.open("persona.toml") as assistant:
        for text in texts:
            assistant.user("ada").conversation().send(text)


def give_up() -> list[Task]:
    """Makes every task one that failed for good."""
    database = Database("sqlite:///persona.db")
    claimed = database.run_now(lambda tx: tasks.claim(tx, 2**60, 1, 99))
    for task in claimed:
        database.run_now(lambda tx, task=task: tasks.again(tx, task, 0, "Refused", dead=True))
    database.close()
    return claimed


def age(days: int) -> None:
    """Makes everything that was said so much older."""
    database = Database("sqlite:///persona.db")
    with database.connection() as connection:
        connection.exec_driver_sql(
            f"UPDATE persona_conversations SET updated_us = updated_us - {days * 86_400 * 10**6}"
        )
    database.close()


def test_tasks_are_listed_without_what_was_said() -> None:
    say("a secret")
    (task,) = read("tasks")
    assert (task["kind"], task["state"], task["attempts"], task["error"]) == ("index", "waiting", 0, "")
    assert "secret" not in str(task)
    assert "msg_" not in str(task)
    (line,) = said("tasks").splitlines()
    assert [cell for place, cell in enumerate(line.split("\t")) if place != 4] == [
        *(task["id"], "index", "waiting", "0", "now", "")
    ]


def test_tasks_can_be_listed_by_their_state() -> None:
    say("one", "two")
    give_up()
    say("three")
    assert [one["state"] for one in read("tasks")] == ["dead", "dead", "waiting"]
    assert [one["error"] for one in read("tasks", "--state", "dead")] == ["Refused", "Refused"]
    assert len(said("tasks", "--state", "waiting").splitlines()) == 1
    assert said("tasks", "--state", "dead").count("\tnever\tRefused") == 2
    assert len(read("tasks", "--limit", "2")) == 2
    assert run("tasks", "--state", "asleep").exit_code == 2


def test_a_dead_task_is_put_back_by_its_id_and_all_of_them_at_once() -> None:
    say("one", "two", "three")
    first, *_ = give_up()
    assert read("tasks", "retry", first.id) == {"retried": 1}
    assert [one["state"] for one in read("tasks")] == ["waiting", "dead", "dead"]
    assert said("tasks", "retry", "--all") == "2 will be tried again\n"
    assert said("work", "--once") == "3 index done\n"


@pytest.mark.parametrize("arguments", [(), ("tsk_1", "--all"), ("tsk_1",)])
def test_a_retry_of_nothing_or_of_too_much_is_misuse(arguments: tuple[str, ...]) -> None:
    say("one")
    result = run("tasks", "retry", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_looking_at_tasks_makes_no_database() -> None:
    assert run("tasks").exit_code == 1
    assert not Path("persona.db").exists()


def test_work_that_is_due_is_done_once_and_told_to_machines() -> None:
    say("one", "two")
    assert read("work", "--once") == [{"kind": "index", "outcome": "done", "tasks": 2}]
    assert said("work", "--once") == ""
    assert read("tasks") == []


def test_several_workers_share_the_work_and_leave_when_they_are_told() -> None:
    say(*(f"number {number}" for number in range(40)))
    with _worker() as one, _worker() as other:
        for worker in (one, other):
            assert "at work on sqlite:///" in _line(worker)
        while read("tasks"):
            pass
        one.send_signal(signal.SIGTERM)
        other.send_signal(signal.SIGINT)
        done = [_done(worker) for worker in (one, other)]
    assert sum(done) == 40


def test_a_worker_does_what_is_put_later_and_says_what_it_prunes() -> None:
    Path("persona.toml").write_text(f"{NO_WORK}[[retention]]\ndays = 30\n")
    say("an old secret")
    age(31)
    with _worker() as worker:
        assert "at work" in _line(worker)
        assert (
            _line(worker)
            == "persona.retention: pruned 1 conversations with 2 messages of tenant '' on route 'default'\n"
        )
        say("a young one")
        while [one["kind"] for one in read("tasks")] != ["prune"]:
            pass
        worker.send_signal(signal.SIGTERM)
        assert _done(worker) == 3  # the memories, and the pruning


def test_what_is_old_is_counted_first_and_then_pruned() -> None:
    Path("persona.toml").write_text(f"{NO_WORK}[[retention]]\ndays = 30\n")
    say("an old secret", "another")
    age(31)
    counted = [{"tenant": "", "route": "default", "conversations": 2, "messages": 4}]
    assert read("prune", "--dry-run") == {"dry_run": True, "pruned": counted}
    assert said("prune", "--dry-run") == "-\tdefault\t2\t4\n"
    assert read("prune") == {"dry_run": False, "pruned": counted}
    assert said("prune") == said("prune", "--vacuum") == ""
    assert b"secret" not in b"".join(path.read_bytes() for path in Path().glob("persona.db*"))


def test_without_rules_nothing_is_pruned() -> None:
    say("one")
    age(3000)
    assert read("prune") == {"dry_run": False, "pruned": []}
    assert len(read("conversations", "--user", "ada")["conversations"]) == 1


def test_a_dry_run_that_rewrites_is_misuse() -> None:
    assert run("prune", "--dry-run", "--vacuum").exit_code == 2


def test_what_others_learnt_of_token_counts_is_left_alone_by_commands_that_only_look() -> None:
    say("one")
    database = Database("sqlite:///persona.db")
    database.run_now(lambda tx: calibrations.save(tx, "embedded:extractive-1", "estimate-1", 1.25, 0.5, 7, 42))
    said("facts", "--user", "ada")
    with database.connection(write=False) as connection:
        kept = connection.exec_driver_sql("SELECT ratio, samples, updated_us FROM persona_calibrations").all()
    database.close()
    assert kept == [(1.25, 7, 42)]


@contextmanager
def _worker() -> Iterator[Program]:
    with Program([*PERSONA, "work", "--json"], env=environment(), stdout=PIPE, stderr=PIPE) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def _line(worker: Program) -> str:
    assert worker.stderr
    return worker.stderr.readline()


def _done(worker: Program) -> int:
    """How many tasks a worker did in all; it has been told to leave."""
    out, err = worker.communicate()
    assert (worker.returncode, err) == (0, "")
    return sum(one["tasks"] for line in out.splitlines() for one in json.loads(line) if one["outcome"] == "done")
