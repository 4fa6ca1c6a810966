"""The loop at each hosted backend: what is tuned there is served there, and comes to serve the route."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from service import Call
from tuning_backend import chats
from wires.tuning_google import PLACE, VertexService
from wires.tuning_openai import ACCOUNT, TuningService

from examples.loop.shop import questions
from persona import Assistant, Jobs, TuningOrder
from persona.assistant import evaluating, harvesting, promoting, serving
from persona.assistant.lineages import lineage_of
from persona.settings import load

Json = dict[str, Any]
WANTED = r"\{.+\}"
DAY = "2026-11-21"
"""The dates of what closes and retires are true of every other day too: this one is in the middle."""


def said(model: str, base: str, asked: str) -> str:
    """In words by the base, and in JSON by what was tuned."""
    return f"At {len(asked)}." if model == base else json.dumps({"answer": f"At {len(asked)}."})


def completion(base: str) -> Callable[[Call], Json]:
    """A chat completion."""

    def answer(call: Call) -> Json:
        text = said(call.body["model"], base, call.body["messages"][-1]["content"])
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        told = {"id": "1", "object": "chat.completion", "created": 1, "model": call.body["model"]}
        return {**told, "choices": [choice], "usage": usage}

    return answer


def generated(base: str) -> Callable[[Call], Json]:
    """What a model or an endpoint of Vertex generates."""

    def answer(call: Call) -> Json:
        text = said(call.found[0].rpartition("/")[2], base, call.body["contents"][-1]["parts"][-1]["text"])
        content = {"role": "model", "parts": [{"text": text}]}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}
        return {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}

    return answer


@dataclass(frozen=True)
class Host:
    """A hosted backend: its table in the settings, the base model, and what the tuned one is called there."""

    service: TuningService | VertexService
    base: str
    tuned: str
    table: Json
    options: Json = field(default_factory=dict)


def openai(folder: Path, patch: pytest.MonkeyPatch) -> Host:
    """The vendor itself."""
    service, base = TuningService(), "gpt-4.1-mini-2025-04-14"
    service.on("POST", "/v1/chat/completions", completion(base))
    patch.setenv("HOST_KEY", "sk-test")
    table = {"kind": "openai", "base_url": service.url, "key_env": "HOST_KEY"}
    return Host(service, base, f"ft:{base}:org:support:abc", table)


def azure(folder: Path, patch: pytest.MonkeyPatch) -> Host:
    """A resource on Azure, whose management takes what `az` is signed in with."""
    service, base = TuningService(), "gpt-oss-20b"
    service.on("POST", "/openai/v1/chat/completions", completion(base))
    patch.setenv("HOST_KEY", "sk-test")
    answer = {"accessToken": "arm-token", "expiresOn": "2099-01-01 00:00:00.000000", "subscription": "s", "tenant": "t"}
    (folder / "bin").mkdir()
    command = folder / "bin" / "az"
    command.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    command.chmod(0o755)
    patch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    patch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    options = {"resource_id": ACCOUNT, "management_url": service.origin}
    table = {"kind": "openai", "base_url": service.azure_url, "key_env": "HOST_KEY", "options": options}
    return Host(service, base, "support-tuned", table, {"deployment": "support-tuned"})


def vertex(folder: Path, patch: pytest.MonkeyPatch) -> Host:
    """A project on Vertex, with a service account whose tokens come from there too."""
    service, base = VertexService(), "gemini-3.5-flash"
    place = f"/v1beta1/({PLACE}/(?:publishers/google/models|endpoints)/[^:]+):generateContent"
    service.on("POST", place, generated(base))
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    account = {"type": "service_account", "client_email": "robot@proj.test", "token_uri": f"{service.origin}/token"}
    account |= {"private_key": made.private_bytes(*form).decode(), "project_id": "proj"}
    (folder / "account.json").write_text(json.dumps(account))
    patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "account.json"))
    patch.setenv("STORAGE_EMULATOR_HOST", service.origin)
    options = {"project": "proj", "location": "us-central1", "bucket": "bkt"}
    table = {"kind": "google", "base_url": service.origin, "options": options}
    return Host(service, base, f"{PLACE}/endpoints/78", table)


@pytest.fixture(params=[openai, azure, vertex], ids=lambda make: make.__name__)
def host(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.chdir(tmp_path)
    with time_machine.travel(DAY):
        made: Host = request.param(tmp_path, monkeypatch)
        with made.service:
            yield made


@pytest.fixture
def path(host: Host, tmp_path: Path) -> Path:
    """A settings file with the route `support` on the host's base model."""
    tables = {
        "providers.host": host.table,
        "memory": {"turns": False},
        "harvest": {"processes": 1},
        "harvest.split": {"train": 0.6, "validation": 0.1, "test": 0.3},
        "routes.support": {"input": [], "target": f"host:{host.base}"},
    }
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    ]
    (tmp_path / "persona.toml").write_text("\n".join(lines))
    return tmp_path / "persona.toml"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def talk(path: Path) -> None:
    """Users ask, and correct what they hear into the form that is wanted."""
    with Assistant.open(path) as assistant:
        for number, asked in enumerate(islice(questions(seed=1), 30)):
            user = assistant.user(f"user-{number}")
            user.consent(training=True)
            chat = user.conversation()
            reply = chat.send(asked.text)
            chat.correct(reply.id, json.dumps({"answer": reply.text}))


async def test_what_is_tuned_there_comes_to_serve_and_a_watcher_that_is_gone_is_replaced(
    host: Host, path: Path
) -> None:
    talk(path)
    dataset = harvesting.harvest(load(path), harvesting.Wish(route="support", formats=("trl",), out=Path("datasets")))
    order = TuningOrder(dataset.id, "host", host.base, epochs=1, suffix="support", options=host.options)
    with Jobs.open(path) as jobs:
        id = jobs.start(jobs.prepare(order)).id
        first = next(jobs.watch(id, every_s=0.001))
        assert (first.job.state, first.job.dataset_id) == ("queued", dataset.id)
    with Jobs.open(path) as jobs:  # whoever watched is gone
        *seen, last = (one.job for one in jobs.watch(id, every_s=0.001))
    assert "running" in [job.state for job in seen]
    assert last.state == "succeeded"
    assert last.progress is not None
    assert last.progress.tuned_model == host.tuned

    serving.change(path, "support.arms.tuned.target", f'"host:{host.tuned}"', "grace", {})
    wish = evaluating.Wish(Path(dataset.path), "support", ("base", "tuned"), pattern=WANTED)
    found = await evaluating.compare(load(path), wish)
    assert (found.by, found.verdict, found.of("format").base, found.of("format").other) == ("format", "better", 0, 1)
    (step,) = promoting.promote(path, "support", "tuned", "grace")
    assert (step.job, step.evaluation) == (id, found.id)
    earlier = {(link.earlier.kind, link.earlier.id) for link in lineage_of(load(path), "support").earlier}
    assert {("dataset", dataset.id), ("job", id), ("evaluation", found.id)} < earlier


def test_a_job_that_is_cancelled_there_ends_so_and_only_what_it_left_is_cleaned(host: Host, path: Path) -> None:
    order = TuningOrder(chats(Path("train.jsonl")), "host", host.base, epochs=1, options=host.options)
    with Jobs.open(path) as jobs:
        *_, last = jobs.watch(jobs.cancel(jobs.start(jobs.prepare(order)).id).id, every_s=0.001)
        assert last.job.state == "cancelled"
        assert len(jobs.clean(last.job.id).removed) == 1  # the file that was uploaded


def test_a_job_that_fails_there_says_why(host: Host, path: Path) -> None:
    on_vertex = isinstance(host.service, VertexService)
    host.service.states = ["JOB_STATE_FAILED" if on_vertex else "failed"]
    host.service.error = {"code": 3 if on_vertex else "odd_rows", "message": "line 3 is odd"}
    order = TuningOrder(chats(Path("train.jsonl")), "host", host.base, epochs=1, options=host.options)
    with Jobs.open(path) as jobs:
        *_, last = jobs.watch(jobs.start(jobs.prepare(order)).id, every_s=0.001)
    assert last.job.state == "failed"
    assert "line 3 is odd" in last.job.problem
