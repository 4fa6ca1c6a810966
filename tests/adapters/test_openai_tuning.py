"""Tuning at OpenAI and on Azure, through the real SDK, against a local service with the documented states."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from persona_openai import adapter
from persona_openai.tuning import Handle, OpenAITuning
from tuning_backend import chats, pairs
from wires.tuning_openai import ACCOUNT, TuningService

from persona.adapter import Provider, Secret
from persona.errors import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    InvalidInput,
    ModelNotFound,
    NotFound,
    PermissionDenied,
    ProviderUnavailable,
    SettingsError,
)
from persona.values.tuning import Checkpoint, LossPoint, Training

BASE = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def service() -> Iterator[TuningService]:
    with TuningService() as service:
        yield service


@pytest.fixture
def provider(service: TuningService) -> Provider:
    return Provider("openai", "openai", service.url, Secret("sk-test"))


@pytest.fixture
def azure(service: TuningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Azure with its management; the machine's credentials are those of a command line that is signed in."""
    answer = {"accessToken": "arm-token", "expiresOn": "2099-01-01 00:00:00.000000", "subscription": "s", "tenant": "t"}
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "az"
    command.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    options = {"resource_id": ACCOUNT, "management_url": service.origin}
    return Provider("azure", "openai", service.azure_url, Secret("key"), options=options)


@pytest.fixture
def training(tmp_path: Path) -> Training:
    files = chats(tmp_path / "train.jsonl"), chats(tmp_path / "validation.jsonl", 2, "validation")
    return Training("job_1", BASE, "sft", *files, tmp_path / "job", "support", 7, 2.0)


async def test_files_are_uploaded_waited_for_and_trained_on_under_the_jobs_id(
    service: TuningService, provider: Provider, training: Training
) -> None:
    handle = Handle.read(await OpenAITuning(provider).start(training))
    assert handle == Handle("ftjob-1", ("file-1", "file-2"), "", "developer")
    assert [file["filename"] for file in service.files.values()] == ["job_1-train.jsonl", "job_1-validation.jsonl"]
    assert [file["status"] for file in service.files.values()] == ["processed", "processed"]
    (sent,) = (call.body for call in service.calls if call.method == "POST" and call.path.endswith("/jobs"))
    assert sent == {
        "model": BASE,
        "training_file": "file-1",
        "validation_file": "file-2",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        "metadata": {"persona_job": "job_1"},
        "seed": 7,
        "suffix": "support",
    }


async def test_preferences_are_trained_on_with_their_own_numbers(
    service: TuningService, provider: Provider, training: Training, tmp_path: Path
) -> None:
    options = {"beta": "0.1", "batch_size": "4"}
    dpo = replace(training, method="dpo", train=pairs(tmp_path / "pairs.jsonl"), validation=None, options=options)
    await OpenAITuning(provider).start(dpo)
    assert service.jobs["ftjob-1"]["method"] == {
        "type": "dpo",
        "dpo": {"hyperparameters": {"beta": 0.1, "batch_size": 4, "n_epochs": 2}},
    }


async def test_a_run_is_followed_through_its_states_to_its_model(
    service: TuningService, provider: Provider, training: Training
) -> None:
    tuning = OpenAITuning(provider)
    handle = await tuning.start(training)
    seen = [await tuning.follow(handle) for _ in range(4)]
    assert [one.state for one in seen] == ["queued", "queued", "running", "succeeded"]
    assert (seen[2].step, seen[2].total_steps, seen[2].tuned_model) == (2, 4, "")
    last = seen[-1]
    assert last.points == tuple(
        LossPoint(step, 2.5 / step, validation) for step, validation in enumerate([2.0, 1.5, 1.6, 1.7], 1)
    )
    assert last.checkpoints[0] == Checkpoint(2, f"ft:{BASE}:org::abc:ckpt-step-2", 1.5)
    assert (last.tuned_model, last.trained_tokens, last.bills) == (f"ft:{BASE}:org:support:abc", 900, ())


@pytest.mark.parametrize("knows_metadata", [True, False])
async def test_a_start_whose_answer_was_lost_is_adopted_with_its_files(
    knows_metadata: bool, service: TuningService, provider: Provider, training: Training
) -> None:
    service.knows_metadata = knows_metadata
    tuning = OpenAITuning(provider)
    service.hang_up("POST", "/v1/fine_tuning/jobs", after=True)
    with pytest.raises(ConnectionFailed):
        await tuning.start(training)
    handle = Handle.read(await tuning.start(training))
    assert (handle.run, len(service.jobs), len(service.files)) == ("ftjob-1", 1, 2)
    assert Handle.read(await tuning.start(replace(training, adopt=True))) == handle


async def test_an_upload_that_was_cut_goes_on_with_what_is_there(
    service: TuningService, provider: Provider, training: Training
) -> None:
    service.fail("GET", "/v1/files/file-1", 500)
    with pytest.raises(ProviderUnavailable):
        await OpenAITuning(provider).start(training)
    await OpenAITuning(provider).start(training)
    assert service.asked("POST", "/v1/files") == 2


async def test_adopting_begins_nothing_and_leaves_nothing(
    service: TuningService, provider: Provider, training: Training
) -> None:
    service.fail("GET", "/v1/files/file-1", 500)
    with pytest.raises(ProviderUnavailable):
        await OpenAITuning(provider).start(training)
    with pytest.raises(NotFound):
        await OpenAITuning(provider).start(replace(training, adopt=True))
    assert (service.jobs, service.files) == ({}, {})


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "insufficient_quota", PermissionDenied),
        (403, "training_not_available", PermissionDenied),
        (401, "invalid_api_key", AuthenticationFailed),
        (400, "invalid_model", BadRequest),
        (404, "model_not_found", ModelNotFound),
    ],
)
async def test_a_refused_job_leaves_no_file(
    status: int, code: str, kind: type[Exception], service: TuningService, provider: Provider, training: Training
) -> None:
    service.fail("POST", "/v1/fine_tuning/jobs", status, {"error": {"message": "words", "code": code}})
    with pytest.raises(kind) as caught:
        await OpenAITuning(provider).start(training)
    assert "words" not in str(caught.value)
    assert service.files == {}


async def test_a_file_that_the_server_cannot_use_is_said_and_deleted(
    service: TuningService, provider: Provider, training: Training
) -> None:
    service.file_status = ["uploaded", "error"]
    with pytest.raises(InvalidInput, match=r"cannot use train\.jsonl"):
        await OpenAITuning(provider).start(training)
    assert service.files == {}


async def test_a_job_that_fails_after_hours_says_why(
    service: TuningService, provider: Provider, training: Training
) -> None:
    service.states = ["running", "failed"]
    service.error = {"code": "exceeded_quota", "message": "the job ran out of quota", "param": None}
    tuning = OpenAITuning(provider)
    handle = await tuning.start(training)
    await tuning.follow(handle)
    failed = await tuning.follow(handle)
    assert (failed.state, failed.problem, failed.tuned_model) == (
        "failed",
        "exceeded_quota: the job ran out of quota",
        "",
    )


async def test_cancelling_ends_a_run_and_is_no_error_when_it_has_ended(
    service: TuningService, provider: Provider, training: Training
) -> None:
    tuning = OpenAITuning(provider)
    handle = await tuning.start(training)
    await tuning.cancel(handle)
    await tuning.cancel(handle)
    assert (await tuning.follow(handle)).state == "cancelled"
    with pytest.raises(ModelNotFound):
        await tuning.cancel(str(Handle("ftjob-9", ())))


async def test_cleaning_deletes_the_files_and_does_not_mind_those_that_are_gone(
    service: TuningService, provider: Provider, training: Training
) -> None:
    tuning = OpenAITuning(provider)
    handle = await tuning.start(training)
    del service.files["file-1"]
    assert await tuning.clean(handle) == ["file file-2"]
    assert await tuning.clean(handle) == []


async def test_an_azure_model_is_served_under_its_deployment_and_not_before(
    service: TuningService, azure: Provider, training: Training
) -> None:
    tuning = OpenAITuning(azure)
    options = {"deployment": "support-tuned", "sku": "standard", "training_type": "GlobalStandard"}
    handle = await tuning.start(replace(training, options=options))
    assert service.jobs["ftjob-1"]["trainingType"] == "GlobalStandard"
    seen = [await tuning.follow(handle) for _ in range(6)]
    assert [one.state for one in seen] == ["queued", "queued", "running", "running", "running", "succeeded"]
    assert [one.tuned_model for one in seen] == ["", "", "", "", "", "support-tuned"]
    assert [one.bills for one in seen[2:]] == [(), *[("deployment support-tuned",)] * 3]
    made = service.deployments["support-tuned"]
    assert made["sku"] == {"name": "Standard", "capacity": 1}
    assert made["properties"]["model"]["name"] == f"ft:{BASE}:org:support:abc"
    tokens = {call.headers["authorization"] for call in service.calls if call.path.startswith(ACCOUNT)}
    assert tokens == {"Bearer arm-token"}
    assert await tuning.clean(handle) == ["deployment support-tuned", "file file-1", "file file-2"]
    assert service.deployments == {}


async def test_a_deployment_of_another_model_is_refused_before_it_costs_and_never_removed(
    service: TuningService, azure: Provider, training: Training
) -> None:
    tuning, asked = OpenAITuning(azure), replace(training, options={"deployment": "live"})
    service.deployments["live"] = serving = {
        "properties": {"model": {"name": "ft:earlier"}, "provisioningState": "Succeeded"}
    }
    with pytest.raises(InvalidInput, match="'live' is there already, of ft:earlier"):
        await tuning.start(asked)
    assert (service.jobs, service.files) == ({}, {})
    del service.deployments["live"]
    handle = await tuning.start(asked)
    service.deployments["live"] = serving  # somebody took the name while it trained
    seen = [await tuning.follow(handle) for _ in range(4)]
    assert (seen[-1].state, seen[-1].tuned_model) == ("failed", "")
    assert "the deployment live is of ft:earlier" in seen[-1].problem
    assert await tuning.clean(handle) == ["file file-1", "file file-2"]
    assert service.deployments == {"live": serving}


async def test_without_a_deployment_azure_claims_no_served_model(
    service: TuningService, azure: Provider, training: Training
) -> None:
    service.states = ["succeeded"]
    tuning = OpenAITuning(azure)
    last = await tuning.follow(await tuning.start(training))
    assert (last.state, last.tuned_model, last.bills) == ("succeeded", "", ())
    assert last.notes[0].startswith(f"tuned as ft:{BASE}:org:support:abc: deploy it")


async def test_a_deployment_that_azure_refuses_is_an_error_that_may_be_tried_again(
    service: TuningService, azure: Provider, training: Training
) -> None:
    service.states = ["succeeded"]
    tuning = OpenAITuning(azure)
    handle = await tuning.start(replace(training, options={"deployment": "d"}))
    service.fail("PUT", f"{ACCOUNT}/deployments/d", 409, {"error": {"code": "InsufficientQuota"}})
    with pytest.raises(Exception, match="409"):
        await tuning.follow(handle)
    waits = await tuning.follow(handle)
    assert (waits.state, waits.bills) == ("running", ())  # the developer tier has no fee
    assert service.deployments["d"]["sku"]["name"] == "DeveloperTier"


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"options": {"speed": "9"}}, SettingsError, "no option 'speed'"),
        ({"options": {"deployment": "d"}}, SettingsError, "no option 'deployment'"),
        ({"options": {"beta": "0.1"}}, InvalidInput, "belongs to dpo"),
        ({"options": {"batch_size": "many"}}, InvalidInput, "write a number"),
        ({"epochs": 1.5}, InvalidInput, "whole number"),
    ],
)
async def test_options_are_refused_before_anything_is_sent(
    changes: dict[str, Any],
    kind: type[Exception],
    said: str,
    service: TuningService,
    provider: Provider,
    training: Training,
) -> None:
    with pytest.raises(kind, match=said):
        await OpenAITuning(provider).start(replace(training, **changes))
    assert service.calls == []


def test_each_host_has_its_own_dates() -> None:
    offered = adapter.tuning_card
    assert offered
    hosts = {
        "openai": Provider("openai", "openai"),
        "azure": Provider("azure", "openai", "https://res.openai.azure.com"),
        "mistral": Provider("mistral", "openai", "https://api.mistral.ai/v1"),
    }
    cards = {name: offered(host, BASE) for name, host in hosts.items()}
    told = {name: (card.training_until, card.serving_until, card.format) for name, card in cards.items() if card}
    assert told == {
        "openai": ("2027-01-06", "2027-01-14", "openai"),
        "azure": ("2027-04-14", "2027-10-14", "azure"),
        "mistral": ("", "", "mistral"),
    }
    assert [bool(card and card.closed) for card in cards.values()] == [False, False, True]
    assert all(card and card.source and card.checked for card in cards.values())
    assert offered(Provider("mistral", "mistral"), "open-mistral-7b")
    assert offered(hosts["openai"], "llama") is None
    gone = offered(hosts["openai"], "gpt-3.5-turbo")
    assert gone
    assert "2026-10-23" in gone.closed
