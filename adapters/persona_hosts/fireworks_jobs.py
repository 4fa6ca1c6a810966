"""Fine-tuning jobs at Fireworks: datasets, a job, and the deployment that its model is called by.

Source: docs.fireworks.ai, "Fine-tuning via API", "Direct Preference Optimization", "Deploying LoRAs" and the API
reference, and the types of its SDK 1.2.30, read 2026-11-21. Everything of a job bears its id, so that a start that was
cut finds what it began. What was tuned is served on deployments alone; with the option `deployment` that is a part of
the job, and without it the job ends with what is to be deployed. The service tells no losses in a form it documents.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from persona.adapter import Provider
from persona.errors import (
    InvalidInput,
    ModelNotFound,
    NotFound,
    PersonaError,
    ProviderError,
    SettingsError,
)
from persona.values.tuning import FINISHED, JobState, Progress, RunHandle, Training
from persona_hosts.rest import CONFLICT, Json, Rest, number, until_taken

log = logging.getLogger("persona.adapters")

URL = "https://api.fireworks.ai"

_STATES: dict[str, JobState] = {
    "JOB_STATE_UNSPECIFIED": "queued",
    "JOB_STATE_CREATING": "queued",
    "JOB_STATE_CREATING_INPUT_DATASET": "queued",
    "JOB_STATE_PENDING": "queued",
    "JOB_STATE_RE_QUEUEING": "queued",
    "JOB_STATE_VALIDATING": "queued",
    "JOB_STATE_RUNNING": "running",
    "JOB_STATE_WRITING_RESULTS": "running",
    "JOB_STATE_IDLE": "running",
    "JOB_STATE_PAUSED": "running",
    "JOB_STATE_CANCELLING": "running",
    "JOB_STATE_COMPLETED": "succeeded",
    "JOB_STATE_EARLY_STOPPED": "succeeded",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_EXPIRED": "failed",
    "JOB_STATE_CANCELLED": "cancelled",
    "JOB_STATE_DELETING": "cancelled",
    "JOB_STATE_DELETING_CLEANING_UP": "cancelled",
}
_OPTIONS = ("batch_size", "lora_rank", "learning_rate", "beta", "deployment")
_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_BYTES = 150 * 1024**2
_LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Handle(RunHandle):
    """What a run is known by, as JSON in the store: paths of resources, and the deployment's id."""

    datasets: tuple[str, ...]
    deployment: str = ""


class FireworksTuning:
    """Trains models at Fireworks, in the account that the provider's options name."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        account = provider.options.get("account", "")
        if not account or provider.options.keys() != {"account"}:
            raise SettingsError(
                f"provider {provider.name!r} takes one option, the account", hint='write options = { account = "…" }'
            )
        self._account = f"accounts/{account}"

    async def start(self, training: Training) -> str:
        """Uploads the datasets, and starts the job once they are ready; or adopts the one that is there."""
        run, query, body = self._job(training)
        rest = Rest(self._provider, URL)
        files = [training.train, *([training.validation] if _evaluates(training) and training.validation else [])]
        datasets = {f"{self._account}/datasets/{_id(training.job_id)}-{path.stem.lower()}": path for path in files}
        try:
            if await rest.found(f"/v1/{run}") is None:
                if training.adopt:
                    raise NotFound(f"{self._provider.name} has no run of {training.job_id}")
                await self._check_model(rest, training.base_model)
                for dataset, path in datasets.items():
                    await self._uploaded(rest, dataset, path)
                body |= dict(zip(("dataset", "evaluationDataset"), datasets, strict=False))
                await rest.post(f"/v1/{run.rpartition('/')[0]}", body, query)
        except PersonaError as error:
            if not error.retryable:
                await self._forget(rest, [*datasets])
            raise
        return str(Handle(run, tuple(datasets), training.options.get("deployment", "")))

    async def follow(self, handle: str) -> Progress:
        """The job; its deployment is made, where one was asked for, once it has succeeded."""
        known, rest = Handle.read(handle), Rest(self._provider, URL)
        job = await rest.get(f"/v1/{known.run}")
        progress = _progress(job)
        if progress.state != "succeeded":
            return progress
        model = str(job.get("outputModel") or (job.get("trainingConfig") or {}).get("outputModel") or "")
        return await self._deployed(rest, known, model, progress)

    async def cancel(self, handle: str) -> None:
        """Ends the job; no error when it has ended."""
        run, rest = Handle.read(handle).run, Rest(self._provider, URL)
        try:
            await rest.post(f"/v1/{run}:cancel", {})
        except ProviderError as error:
            if error.retryable or _progress(await rest.get(f"/v1/{run}")).state not in FINISHED:
                raise

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes the deployment, then the datasets. The tuned model stays."""
        known, rest, removed = Handle.read(handle), Rest(self._provider, URL), list[str]()
        if known.deployment:
            path = f"{self._account}/deployments/{known.deployment}"
            if await rest.delete(f"/v1/{path}", {"ignoreChecks": "true"}):
                removed.append(f"deployment {known.deployment}")
        return [*removed, *await _removed(rest, known.datasets)]

    def _job(self, training: Training) -> tuple[str, dict[str, str], Json]:
        """The path of a job, how its id is asked for, and what is asked. Raises SettingsError and InvalidInput."""
        options, id = _checked(training), _id(training.job_id)
        numbers: Json = {
            "baseModel": training.base_model,
            "outputModel": f"{self._account}/models/{f'{training.suffix}-' if training.suffix else ''}{id}",
            "epochs": None if training.epochs is None else int(training.epochs),
            "learningRate": number(options, "learning_rate", float),
            "loraRank": number(options, "lora_rank", int),
            "batchSize": number(options, "batch_size", int),
        }
        numbers = {name: value for name, value in numbers.items() if value is not None}
        name: Json = {"displayName": training.suffix or training.job_id}
        if training.method == "sft":
            path = f"{self._account}/supervisedFineTuningJobs/{id}"
            return path, {"supervisedFineTuningJobId": id}, {**name, **numbers}
        beta = number(options, "beta", float)
        loss: Json = {"method": "DPO", **({} if beta is None else {"dpo": {"beta": beta}})}
        body = {**name, "trainingConfig": numbers, "lossConfig": loss}
        return f"{self._account}/dpoJobs/{id}", {"dpoJobId": id}, body

    async def _check_model(self, rest: Rest, model: str) -> None:
        """Looks at the model before anything is uploaded."""
        found = await rest.found(f"/v1/{model}")
        if found is None or found.get("tunable") is False:
            raise ModelNotFound(
                f"{self._provider.name} does not tune {model!r}",
                hint="choose one that its model library calls tunable",
                target=f"{self._provider.name}:{model}",
            )

    async def _uploaded(self, rest: Rest, dataset: str, path: Path) -> None:
        """Waits until a dataset is ready, which is made and filled unless it is there."""
        folder, _, id = dataset.rpartition("/")
        facts = {"userUploaded": {}, "exampleCount": str(await asyncio.to_thread(_rows, path))}
        try:
            await rest.post(f"/v1/{folder}", {"datasetId": id, "dataset": facts})
        except ProviderError as error:
            if error.status != CONFLICT:
                raise
        if (await rest.get(f"/v1/{dataset}")).get("state") != "READY":
            await rest.upload(f"/v1/{dataset}:upload", path, path.name, {})
        await until_taken(rest, f"/v1/{dataset}", _taken, self._provider.name, path.name)

    async def _forget(self, rest: Rest, datasets: Sequence[str]) -> None:
        """Deletes what was uploaded for a job that was refused."""
        try:
            await _removed(rest, datasets)
        except ProviderError as error:  # the refusal says more: it is what is raised
            log.warning("uploaded datasets could not be deleted: %s", type(error).__name__)

    async def _deployed(self, rest: Rest, known: Handle, model: str, progress: Progress) -> Progress:
        """A model that was tuned here can be called once it is deployed, and not before."""
        id = known.deployment
        if not id:
            note = f"tuned as {model}: deploy it, and name {model}#{self._account}/deployments/… in the target"
            return replace(progress, notes=(*progress.notes, note))
        path = f"{self._account}/deployments/{id}"
        found = await rest.found(f"/v1/{path}")
        if found is None:
            # no replica while nobody asks: it bills for what is up, an hour after the last request at most
            asked = {"baseModel": model, "displayName": id, "minReplicaCount": 0, "maxReplicaCount": 1}
            found = await rest.post(f"/v1/{self._account}/deployments", asked, {"deploymentId": id})
        bills, state = (f"deployment {id}",), found.get("state")
        if state in ("READY", "UPDATING"):
            return replace(progress, tuned_model=f"{model}#{path}", bills=bills)
        if state in ("FAILED", "DELETING", "DELETED"):
            problem = f"{model} was tuned, and its deployment {id} is {str(state).lower()}"
            return replace(progress, state="failed", bills=bills, problem=problem)
        note = f"tuned as {model}, and being deployed as {id}"
        return replace(progress, state="running", bills=bills, notes=(*progress.notes, note))


def _checked(training: Training) -> Mapping[str, str]:
    options = training.options
    if strange := next((name for name in options if name not in _OPTIONS), None):
        raise SettingsError(f"tuning at Fireworks has no option {strange!r}", hint=", ".join(_OPTIONS))
    if training.epochs is not None and training.epochs != int(training.epochs):
        raise InvalidInput(f"{training.epochs:g} epochs cannot be trained here", hint="pass a whole number")
    if "beta" in options and training.method != "dpo":
        raise InvalidInput("option beta belongs to dpo", hint="leave it out, or pass --method dpo")
    model = f"{training.suffix}-{_id(training.job_id)}" if training.suffix else _id(training.job_id)
    for what, name in (("suffix", model), ("option deployment", options.get("deployment", "d"))):
        if not _ID.fullmatch(name):
            hint = "write lower-case letters, digits and hyphens, few of them"
            raise InvalidInput(f"the {what} makes {name!r}, which is no name there", hint=hint)
    return options


def _evaluates(training: Training) -> bool:
    """Preferences are trained on without a dataset for validation: the API has no word for one."""
    return training.method == "sft"


def _id(job_id: str) -> str:
    return job_id.lower().replace("_", "-")


def _rows(path: Path) -> int:
    """The rows of a file. Raises InvalidInput for one that is too large, or gone."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{path.name} has more than {_MOST_BYTES // 1024**2} MB", hint="train on fewer examples")
        return _counted(path)
    except OSError as error:
        raise InvalidInput(f"cannot read {str(path)!r}: {error.strerror}", hint="bring it back") from error


def _counted(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


async def _removed(rest: Rest, datasets: Sequence[str]) -> list[str]:
    return [f"dataset {name.rpartition('/')[2]}" for name in datasets if await rest.delete(f"/v1/{name}")]


def _progress(job: Mapping[str, Any]) -> Progress:
    state = _STATES.get(str(job.get("state")), "running")
    status, done = job.get("status") or {}, (job.get("jobProgress") or {}).get("percent")
    problem = ""
    if state == "failed":
        words = str(status.get("message") or "the service gave no reason")[:_LONGEST_WORDS]
        problem = f"{status['code']}: {words}" if status.get("code") not in (None, "OK") else words
    notes = [f"{done} % done"] if done and state == "running" else []
    notes += ["paused by the service"] if job.get("state") == "JOB_STATE_PAUSED" else []
    return Progress(state, problem=problem, notes=tuple(notes))


def _taken(dataset: Json) -> bool | None:
    if dataset.get("state") == "READY":
        return True
    return None if (dataset.get("status") or {}).get("code", "OK") == "OK" else False
