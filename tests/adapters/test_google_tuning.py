"""Tuning on Vertex through the real SDKs of the models and of Cloud Storage, against a local service."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from persona_google import adapter
from persona_google.tuning import Handle, VertexTuning
from tuning_backend import chats
from wires.tuning_google import PLACE, VertexService

from persona.adapter import Provider
from persona.errors import (
    BadRequest,
    InvalidInput,
    NotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    SettingsError,
)
from persona.values.tuning import Checkpoint, Training

OPTIONS = {"project": "proj", "location": "us-central1", "bucket": "bkt"}


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.private_bytes(*form).decode()


@pytest.fixture
def service() -> Iterator[VertexService]:
    with VertexService() as service:
        yield service


@pytest.fixture
def provider(service: VertexService, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Vertex at the local service, with a service account whose tokens come from there too."""
    account = {"type": "service_account", "client_email": "robot@proj.test", "private_key": key}
    account |= {"token_uri": f"{service.origin}/token", "project_id": "proj"}
    (tmp_path / "account.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.origin)
    return Provider("vertex", "google", service.origin, options=OPTIONS)


@pytest.fixture
def training(tmp_path: Path) -> Training:
    files = chats(tmp_path / "train.jsonl"), chats(tmp_path / "validation.jsonl", 2, "validation")
    return Training("job_01AB", "gemini-3.5-flash", "sft", *files, tmp_path / "job", "support", 7, 2.0)


async def test_files_lie_in_the_bucket_and_the_job_bears_our_id(
    service: VertexService, provider: Provider, training: Training
) -> None:
    handle = Handle.read(await VertexTuning(provider).start(replace(training, options={"adapter_size": "4"})))
    names = ("persona/job_01AB/train.jsonl", "persona/job_01AB/validation.jsonl")
    assert handle == Handle(f"{PLACE}/tuningJobs/55", names)
    assert b"train 11: when do you open?" in service.objects[names[0]]
    (sent,) = (call.body for call in service.calls if call.path.endswith("/tuningJobs") and call.method == "POST")
    assert sent == {
        "baseModel": "gemini-3.5-flash",
        "supervisedTuningSpec": {
            "trainingDatasetUri": f"gs://bkt/{names[0]}",
            "validationDatasetUri": f"gs://bkt/{names[1]}",
            "hyperParameters": {"epochCount": 2, "adapterSize": "ADAPTER_SIZE_FOUR"},
        },
        "tunedModelDisplayName": "support",
        "labels": {"persona_job": "job_01ab"},
    }
    assert {call.headers["authorization"] for call in service.calls if call.path != "/token"} == {"Bearer tok"}


async def test_preferences_are_a_job_of_their_own_kind(
    service: VertexService, provider: Provider, training: Training
) -> None:
    await VertexTuning(provider).start(replace(training, method="dpo", options={"beta": "0.1"}, validation=None))
    (job,) = service.jobs.values()
    assert job["preferenceOptimizationSpec"]["hyperParameters"] == {"epochCount": 2, "beta": 0.1}


async def test_a_run_is_followed_to_the_endpoint_of_its_model(
    service: VertexService, provider: Provider, training: Training
) -> None:
    tuning = VertexTuning(provider)
    handle = await tuning.start(training)
    seen = [await tuning.follow(handle) for _ in range(4)]
    assert [one.state for one in seen] == ["queued", "queued", "running", "succeeded"]
    assert seen[2].notes == ("waiting for capacity",)
    last, one, two = seen[-1], f"{PLACE}/endpoints/77", f"{PLACE}/endpoints/78"
    assert (last.tuned_model, last.trained_tokens, set(last.bills)) == (two, 900, {one, two})
    assert last.checkpoints == (Checkpoint(10, one), Checkpoint(20, two))
    assert last.notes == (f"losses: experiment {PLACE}/metadataStores/default/contexts/tuning-9",)


async def test_a_start_whose_answer_was_an_error_of_theirs_is_adopted(
    service: VertexService, provider: Provider, training: Training
) -> None:
    tuning = VertexTuning(provider)
    handle = await tuning.start(training)
    service.fail("POST", f"/v1beta1/{PLACE}/tuningJobs", 500)
    assert await tuning.start(training) == handle  # it is found before it is asked for
    assert await tuning.start(replace(training, adopt=True)) == handle
    with pytest.raises(NotFound):
        await tuning.start(replace(training, job_id="job_02", adopt=True))
    assert len(service.jobs) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind", "left"),
    [
        (429, "RESOURCE_EXHAUSTED", RateLimited, 2),
        (503, "UNAVAILABLE", ProviderUnavailable, 2),
        (403, "PERMISSION_DENIED", PermissionDenied, 0),
        (400, "INVALID_ARGUMENT", BadRequest, 0),
    ],
)
async def test_a_refused_job_leaves_no_object_and_one_that_may_have_begun_leaves_its_own(
    status: int,
    code: str,
    kind: type[Exception],
    left: int,
    service: VertexService,
    provider: Provider,
    training: Training,
) -> None:
    body = {"error": {"code": status, "status": code, "message": "words"}}
    service.fail("POST", f"/v1beta1/{PLACE}/tuningJobs", status, body)
    with pytest.raises((kind, RateLimited)) as caught:
        await VertexTuning(provider).start(training)
    assert "words" not in str(caught.value)
    assert len(service.objects) == left


async def test_a_bucket_that_is_not_ours_is_an_error_without_the_servers_words(
    service: VertexService, provider: Provider, training: Training
) -> None:
    service.fail("POST", "/upload/storage/v1/b/bkt/o", 403, {"error": {"code": 403, "message": "words"}})
    with pytest.raises(PermissionDenied) as caught:
        await VertexTuning(provider).start(training)
    assert "words" not in str(caught.value)
    assert service.jobs == {}


async def test_a_job_that_fails_after_hours_says_why(
    service: VertexService, provider: Provider, training: Training
) -> None:
    service.states = ["JOB_STATE_RUNNING", "JOB_STATE_FAILED"]
    service.error = {"code": 8, "message": "out of quota"}
    tuning = VertexTuning(provider)
    handle = await tuning.start(training)
    await tuning.follow(handle)
    failed = await tuning.follow(handle)
    assert (failed.state, failed.problem, failed.tuned_model) == ("failed", "8: out of quota", "")


async def test_cancelling_ends_a_run_and_is_no_error_when_it_has_ended(
    service: VertexService, provider: Provider, training: Training
) -> None:
    tuning = VertexTuning(provider)
    handle = await tuning.start(training)
    await tuning.cancel(handle)
    await tuning.cancel(handle)
    assert (await tuning.follow(handle)).state == "cancelled"


async def test_cleaning_removes_endpoints_with_what_they_serve_and_the_objects(
    service: VertexService, provider: Provider, training: Training
) -> None:
    service.states = ["JOB_STATE_SUCCEEDED"]
    tuning = VertexTuning(provider)
    handle = await tuning.start(training)
    await tuning.follow(handle)
    del service.objects["persona/job_01AB/train.jsonl"]
    assert sorted(await tuning.clean(handle)) == [
        "gs://bkt/persona/job_01AB/validation.jsonl",
        f"{PLACE}/endpoints/77",
        f"{PLACE}/endpoints/78",
    ]
    assert (service.endpoints, service.objects) == ({}, {})
    assert await tuning.clean(handle) == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"options": {"speed": "9"}}, SettingsError),
        ({"options": {"adapter_size": "3"}}, InvalidInput),
        ({"options": {"learning_rate_multiplier": "fast"}}, InvalidInput),
        ({"options": {"beta": "0.1"}}, InvalidInput),
        ({"epochs": 1.5}, InvalidInput),
    ],
)
async def test_options_are_refused_before_anything_is_sent(
    changes: dict[str, Any], kind: type[Exception], service: VertexService, provider: Provider, training: Training
) -> None:
    with pytest.raises(kind):
        await VertexTuning(provider).start(replace(training, **changes))
    assert service.calls == []


def test_the_gemini_api_and_vertex_without_a_bucket_are_refused_with_what_to_write() -> None:
    with pytest.raises(SettingsError, match="project ="):
        VertexTuning(Provider("gemini", "google"))
    with pytest.raises(SettingsError, match="bucket ="):
        VertexTuning(Provider("vertex", "google", options={"project": "proj"}))


def test_vertex_and_the_gemini_api_have_their_own_dates() -> None:
    offered = adapter.tuning_card
    assert offered
    vertex = Provider("vertex", "google", options=OPTIONS)
    open_one, retired = offered(vertex, "gemini-3.5-flash"), offered(vertex, "gemini-2.5-flash")
    closed = offered(Provider("gemini", "google"), "gemini-3.5-flash")
    assert open_one
    assert retired
    assert closed
    assert (open_one.format, open_one.preference_format, open_one.closed) == ("gemini", "gemini-preference", "")
    assert (retired.serving_until, "May 2025" in closed.closed) == ("2026-10-20", True)
    assert offered(vertex, "gemini-1.0") is None
