"""Tuning at the command line, against a local service; processes that are killed in the middle."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE

import pytest
from programs import PERSONA, Program
from service import Call, Json, Status
from terminal import environment
from tuning_backend import chats
from typer.testing import CliRunner, Result
from wires.tuning_fireworks import BASE, FireworksService
from wires.tuning_openai import TuningService

from persona import Jobs
from persona.assistant import operator
from persona.cli.app import app
from persona.settings import load

# no date ends this model's tuning, so no day breaks these tests
START = ("start", "train.jsonl", "validation.jsonl", "--backend", "azure", "--model", "gpt-oss-20b", "--epochs", "2")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TuningService]:
    monkeypatch.chdir(tmp_path)
    chats(Path("train.jsonl"))
    chats(Path("validation.jsonl"), 2, "validation")
    with TuningService() as service:
        toml = f'[providers.azure]\nkind = "openai"\nbase_url = "{service.azure_url}"\nkey_env = "AZURE_KEY"\n'
        Path("persona.toml").write_text(toml)
        monkeypatch.setenv("AZURE_KEY", "sk-test")
        yield service


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["tune", *arguments], catch_exceptions=False)


def started(*more: str) -> str:
    """The id of a new job."""
    done = run(*START, "--usd-per-million", "5", *more)
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()[-1]


def process(*arguments: str) -> Program:
    return Program([*PERSONA, "tune", *arguments], env=environment(), stdout=PIPE)


def test_a_start_says_what_it_checked_and_what_it_will_cost_and_names_the_job(service: TuningService) -> None:
    done = run(*START, "--usd-per-million", "5", "--limit-usd", "1")
    lines = done.stdout.splitlines()
    assert lines[0] == "train.jsonl: 12 rows of azure"
    assert lines[-2].startswith("cost: about $0.0")
    assert lines[-2].endswith("tokens × 2 epochs × $5 a million (whoever started it)")
    (job,) = json.loads(run("list", "--json").stdout)
    assert (job["id"], job["state"], job["backend"]) == (lines[-1], "queued", "azure")


def test_a_dry_run_sends_and_keeps_nothing(service: TuningService) -> None:
    done = run(*START, "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert (told["estimate"]["usd"], told["estimate"]["why"]) == (None, "nobody has told its price")
    assert (service.calls, json.loads(run("list", "--json").stdout), Path("jobs").exists()) == ([], [], False)


def test_a_limit_refuses_with_exit_code_2_and_nothing_is_sent(service: TuningService) -> None:
    done = run(*START, "--usd-per-million", "5000", "--limit-usd", "1")
    assert (done.exit_code, service.calls) == (2, [])
    assert "it would cost about $" in done.stderr
    assert "and the limit is $1.00" in done.stderr


def test_what_has_closed_is_refused_without_an_adapter_of_its_own(service: TuningService) -> None:
    for backend, model in (("mistral", "open-mistral-7b"), ("anthropic", "claude-3-haiku-20240307")):
        done = run("start", "train.jsonl", "--backend", backend, "--model", model)
        assert done.exit_code == 2
        assert "read 2026-11-21); start the same dataset on another backend" in done.stderr
    assert service.calls == []


def test_watching_shows_states_and_curves_and_writes_a_picture(service: TuningService) -> None:
    done = run("watch", started(), "--every", "0.01", "--picture", "loss.html")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "queued"
    assert "running  step 2 of 4  training loss 1.25  validation loss 1.5" in lines
    assert "best checkpoint: step 2, ft:gpt-oss-20b:org::abc:ckpt-step-2" in lines
    assert "v" in "".join(lines[3:15])
    assert any(line.startswith("note: tuned as ft:gpt-oss-20b:org::abc: deploy it") for line in lines)
    assert "<svg" in Path("loss.html").read_text()


def test_learning_by_heart_is_said(service: TuningService) -> None:
    service.validation = [1.0, 1.5, 1.6, 1.7]
    done = run("watch", started(), "--every", "0.01")
    assert "overfitting: validation loss has risen since step 1 while training loss fell" in done.stdout
    assert "it was lowest, 1, at step 1" in done.stdout


def test_a_job_that_fails_is_exit_code_1_and_says_why(service: TuningService) -> None:
    service.states = ["failed"]
    service.error = {"code": "invalid_training_file", "message": "line 3 is too long", "param": None}
    done = run(*START, "--watch")
    assert done.exit_code == 1
    assert "problem: invalid_training_file: line 3 is too long" in done.stdout


def test_a_job_is_cancelled_and_cleaned(service: TuningService) -> None:
    id = started()
    assert run("clean", id).exit_code == 2
    assert run("cancel", id).stdout == f"{id}: cancelled\n"
    assert run("clean", id).stdout == f"{id}: file file-1, file file-2\n"
    assert run("list").stdout.split("\t")[4] == "cleaned"
    assert service.files == {}


def test_nothing_idle_nothing_expired_and_no_such_job_are_said(service: TuningService) -> None:
    operator.upgrade(load("persona.toml"))
    assert (run("idle", "--json").stdout, run("clean", "--expired", "--json").stdout) == ("[]\n", "[]\n")
    assert run("watch", "job_x").exit_code == 2
    assert run("clean").exit_code == 2
    assert run(*START, "--option", "speed").exit_code == 2


def test_a_dataset_is_started_again(service: TuningService) -> None:
    id = started()
    again = run("again", id, "--json")
    told = json.loads(again.stdout)
    assert (told["again_of"], told["training"]["epochs"], len(service.jobs)) == (id, 2.0, 2)


def test_a_watcher_that_is_killed_is_replaced_by_the_next(service: TuningService) -> None:
    service.states = ["running"]
    id = started()
    with process("watch", id, "--every", "0.05", "--json") as watcher:
        assert watcher.stdout
        assert json.loads(watcher.stdout.readline())["state"] == "running"
        watcher.send_signal(signal.SIGKILL)
    assert json.loads(run("list", "--json").stdout)[0]["progress"]["step"] == 2
    service.states = ["succeeded"]
    done = run("watch", id, "--every", "0.01", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "succeeded"
    assert len(service.jobs) == 1


def test_a_start_that_is_killed_before_it_hears_back_is_adopted_and_billed_once(service: TuningService) -> None:
    arrived, killed = threading.Event(), threading.Event()

    def create(call: Call) -> Json | Status:
        made = service.create(call)
        arrived.set()
        killed.wait(30)
        return made

    service.first("POST", "/openai/v1/fine_tuning/jobs", create)
    with process(*START) as starter:
        assert arrived.wait(60)
        os.kill(starter.pid, signal.SIGKILL)
    killed.set()
    with Jobs.open("persona.toml", clock=lambda: datetime.now(UTC) + timedelta(seconds=61)) as jobs:
        (job,) = jobs.list()
        assert (job.state, job.handle) == ("starting", "")
        *_, last = jobs.watch(job.id, every_s=0.01)
    assert (last.job.state, len(service.jobs), len(service.files)) == ("succeeded", 1, 2)


def test_a_backend_that_was_never_tried_says_so_and_its_deployment_is_listed_until_it_is_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRE", "sk-test")
    chats(Path("train.jsonl"))
    with FireworksService() as service:
        options = f'base_url = "{service.url}"\nkey_env = "FIRE"\noptions = {{ account = "acme" }}\n'
        Path("persona.toml").write_text(f"[providers.fireworks]\n{options}")
        order = ("start", "train.jsonl", "-b", "fireworks", "-m", BASE, "-o", "deployment=support")
        done = run(*order)
        assert "note: this backend follows the service's documentation, and was never tried" in done.stdout
        id = done.stdout.splitlines()[-1]
        watched = run("watch", id, "--every", "0.01")
        assert (watched.exit_code, "and being deployed as support" in watched.stdout) == (0, True)
        assert "deployment support" in run("idle").stdout
        assert run("clean", id).stdout == f"{id}: deployment support, dataset {id.lower().replace('_', '-')}-train\n"
        assert run("idle").stdout == ""
