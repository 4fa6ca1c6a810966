"""What Together and Fireworks are sent, and what is made of their answers: as their documentation says."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from persona_hosts.fireworks_jobs import FireworksTuning
from persona_hosts.fireworks_jobs import Handle as FireworksHandle
from persona_hosts.together_jobs import Handle, TogetherTuning
from tuning_backend import chats, pairs
from wires.tuning_fireworks import ACCOUNT, BASE, FireworksService
from wires.tuning_together import TogetherService

from persona.adapter import Provider, Secret
from persona.errors import InvalidInput, ModelNotFound, SettingsError
from persona.values.tuning import Checkpoint, LossPoint, Training


@pytest.fixture
def together() -> Iterator[TogetherService]:
    with TogetherService() as service:
        yield service


@pytest.fixture
def fireworks() -> Iterator[FireworksService]:
    with FireworksService() as service:
        yield service


@pytest.fixture
def at_together(together: TogetherService) -> TogetherTuning:
    return TogetherTuning(Provider("together", "together", together.url, Secret("sk-test")))


@pytest.fixture
def at_fireworks(fireworks: FireworksService) -> FireworksTuning:
    return FireworksTuning(
        Provider("fireworks", "fireworks", fireworks.url, Secret("sk-test"), options={"account": "acme"})
    )


@pytest.fixture
def training(tmp_path: Path) -> Training:
    files = chats(tmp_path / "train.jsonl"), chats(tmp_path / "validation.jsonl", 2, "validation")
    return Training("job_01AB", "Qwen/Qwen3.5-9B", "sft", *files, tmp_path / "job", "support", 7, 2.0)


@pytest.fixture
def flame(training: Training) -> Training:
    return replace(training, base_model=BASE)


async def test_together_is_sent_files_under_the_jobs_id_and_one_job(
    together: TogetherService, at_together: TogetherTuning, training: Training
) -> None:
    options = {"learning_rate": "1e-4", "lora_r": "16"}
    handle = Handle.read(await at_together.start(replace(training, options=options)))
    assert handle == Handle("ft-1", ("file-1", "file-2"))
    assert [one["filename"] for one in together.files.values()] == ["job_01AB-train.jsonl", "job_01AB-validation.jsonl"]
    (sent,) = (call.body for call in together.calls if call.method == "POST" and call.path == "/v1/fine-tunes")
    assert sent == {
        "model": "Qwen/Qwen3.5-9B",
        "training_file": "file-1",
        "validation_file": "file-2",
        "training_method": {"method": "sft", "train_on_inputs": "auto"},
        "training_type": {"type": "Lora", "lora_r": 16, "lora_alpha": 32},
        "n_epochs": 2,
        "n_evals": 10,
        "batch_size": "max",
        "learning_rate": 1e-4,
        "random_seed": 7,
        "suffix": "support",
    }
    assert {call.headers["authorization"] for call in together.calls} == {"Bearer sk-test"}


async def test_together_learns_preferences(
    together: TogetherService, at_together: TogetherTuning, training: Training, tmp_path: Path
) -> None:
    dpo = replace(training, method="dpo", train=pairs(tmp_path / "pairs.jsonl"), validation=None)
    await at_together.start(replace(dpo, options={"beta": "0.2"}))
    await at_together.start(replace(dpo, job_id="job_2"))
    methods = [job["training_method"] for job in together.jobs.values()]
    assert methods == [{"method": "dpo", "dpo_beta": 0.2}, {"method": "dpo"}]


async def test_together_tells_losses_checkpoints_and_what_is_to_be_deployed(
    at_together: TogetherTuning, training: Training
) -> None:
    handle = await at_together.start(training)
    seen = [await at_together.follow(handle) for _ in range(4)]
    assert (seen[2].step, seen[2].total_steps) == (2, 4)
    last = seen[-1]
    assert last.points == tuple(LossPoint(n, 2.5 / n, loss) for n, loss in enumerate([2.0, 1.5, 1.6, 1.7], 1))
    assert last.checkpoints[0] == Checkpoint(2, "s3://ckpt/2", 1.5)
    assert (last.tuned_model, last.trained_tokens, last.bills) == ("", 900, ())
    assert last.notes[0].startswith("tuned as org/Qwen3.5-9B-support-abc: deploy it")


async def test_together_is_asked_for_the_model_before_anything_is_uploaded(
    together: TogetherService, at_together: TogetherTuning, training: Training
) -> None:
    with pytest.raises(ModelNotFound, match="does not tune 'acme/none'"):
        await at_together.start(replace(training, base_model="acme/none"))
    assert together.asked("POST", "/v1/files/upload") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"suffix": "s" * 41}, "too long"),
        ({"options": {"training_type": "QLoRA"}}, "training_type"),
        ({"options": {"training_type": "Full", "lora_r": "8"}}, "no lora_r"),
        ({"options": {"lora_alpha": "8"}}, "goes with lora_r"),
    ],
)
async def test_together_refuses_what_does_not_fit(
    changes: dict[str, Any], said: str, together: TogetherService, at_together: TogetherTuning, training: Training
) -> None:
    with pytest.raises(InvalidInput, match=said):
        await at_together.start(replace(training, **changes))
    assert together.calls == []


async def test_a_file_that_together_cannot_use_is_said_and_deleted(
    together: TogetherService, at_together: TogetherTuning, training: Training
) -> None:
    together.file_status = ["RUNNING", "INVALID_FORMAT"]
    with pytest.raises(InvalidInput, match=r"cannot use train\.jsonl"):
        await at_together.start(training)
    assert together.files == {}


async def test_fireworks_is_sent_datasets_and_a_job_under_the_jobs_id(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training
) -> None:
    handle = FireworksHandle.read(await at_fireworks.start(replace(flame, options={"lora_rank": "8"})))
    names = tuple(f"{ACCOUNT}/datasets/job-01ab-{side}" for side in ("train", "validation"))
    assert handle == FireworksHandle(f"{ACCOUNT}/supervisedFineTuningJobs/job-01ab", names)
    (sent,) = (call for call in fireworks.calls if call.path.endswith("Jobs"))
    assert sent.query == {"supervisedFineTuningJobId": "job-01ab"}
    assert sent.body == {
        "displayName": "support",
        "dataset": names[0],
        "evaluationDataset": names[1],
        "baseModel": BASE,
        "outputModel": f"{ACCOUNT}/models/support-job-01ab",
        "epochs": 2,
        "loraRank": 8,
    }
    assert fireworks.there[names[0]]["exampleCount"] == "12"


async def test_fireworks_learns_preferences_by_a_job_of_their_own_kind(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training, tmp_path: Path
) -> None:
    dpo = replace(flame, method="dpo", train=pairs(tmp_path / "pairs.jsonl"), options={"beta": "0.2"}, suffix="")
    handle = await at_fireworks.start(dpo)
    job = fireworks.of("dpoJobs")["job-01ab"]
    assert job["lossConfig"] == {"method": "DPO", "dpo": {"beta": 0.2}}
    assert job["trainingConfig"] == {"baseModel": BASE, "outputModel": f"{ACCOUNT}/models/job-01ab", "epochs": 2}
    assert [*fireworks.of("datasets")] == ["job-01ab-pairs"]
    last = [await at_fireworks.follow(handle) for _ in range(4)][-1]
    assert last.notes[-1].startswith(f"tuned as {ACCOUNT}/models/job-01ab: deploy it")


async def test_a_fireworks_model_is_served_under_its_deployment_and_not_before(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training
) -> None:
    handle = await at_fireworks.start(replace(flame, options={"deployment": "support-tuned"}))
    seen = [await at_fireworks.follow(handle) for _ in range(5)]
    assert [one.state for one in seen] == ["queued", "queued", "running", "running", "succeeded"]
    model = f"{ACCOUNT}/models/support-job-01ab"
    assert [one.tuned_model for one in seen] == [*[""] * 4, f"{model}#{ACCOUNT}/deployments/support-tuned"]
    assert [one.bills for one in seen[2:]] == [(), *[("deployment support-tuned",)] * 2]
    made = fireworks.of("deployments")["support-tuned"]
    assert (made["baseModel"], made["minReplicaCount"]) == (model, 0)
    removed = ["deployment support-tuned", "dataset job-01ab-train", "dataset job-01ab-validation"]
    assert list(await at_fireworks.clean(handle)) == removed
    assert fireworks.of("deployments") == {}


async def test_a_deployment_that_fails_is_said_and_still_listed(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training
) -> None:
    fireworks.states, fireworks.deployment_states = ["JOB_STATE_COMPLETED"], ["CREATING", "FAILED"]
    handle = await at_fireworks.start(replace(flame, options={"deployment": "d"}))
    await at_fireworks.follow(handle)
    failed = await at_fireworks.follow(handle)
    assert (failed.state, failed.bills) == ("failed", ("deployment d",))
    assert failed.problem.endswith("its deployment d is failed")


async def test_a_model_that_fireworks_does_not_tune_is_refused_before_an_upload(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training
) -> None:
    fireworks.there[BASE]["tunable"] = False
    for model in (BASE, "accounts/fireworks/models/none"):
        with pytest.raises(ModelNotFound, match="does not tune"):
            await at_fireworks.start(replace(flame, base_model=model))
    assert fireworks.of("datasets") == {}


async def test_a_dataset_that_fireworks_cannot_use_is_said_and_deleted(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training
) -> None:
    fireworks.dataset_states = ["UPLOADING", "BROKEN"]
    with pytest.raises(InvalidInput, match=r"cannot use train\.jsonl"):
        await at_fireworks.start(flame)
    assert fireworks.of("datasets") == {}


async def test_fireworks_needs_names_of_its_own_kind_and_an_account(
    fireworks: FireworksService, at_fireworks: FireworksTuning, flame: Training
) -> None:
    for changes in ({"suffix": "Support!"}, {"options": {"deployment": "my deployment"}}, {"suffix": "s" * 60}):
        with pytest.raises(InvalidInput, match="no name there"):
            await at_fireworks.start(replace(flame, **changes))
    with pytest.raises(SettingsError, match="the account"):
        FireworksTuning(Provider("fireworks", "fireworks"))
    assert fireworks.calls == []
