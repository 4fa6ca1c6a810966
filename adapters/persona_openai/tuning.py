"""Fine-tuning jobs at OpenAI and on Azure, through the official SDK: files, a job, its events, its checkpoints.

What belongs to a job of persona's bears its id: the names of its files, and the job's metadata. So a start that was cut
finds what it began, also where a server keeps no metadata. On Azure a model can be called once it is deployed; with the
option `deployment` that is a part of the job, and without it the job ends with what is to be deployed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, NotFoundError
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

from persona.adapter import Provider
from persona.errors import BadRequest, InvalidInput, NotFound, PersonaError, ProviderError, SettingsError, TimedOut
from persona.values.tuning import FINISHED, Checkpoint, JobState, LossPoint, Progress, RunHandle, Training
from persona_openai.client import connect
from persona_openai.deployments import FREE, SKUS, Deployments
from persona_openai.errors import translated
from persona_openai.tuning_catalog import is_azure

log = logging.getLogger("persona.adapters")

OWNER = "persona_job"
"""The key of the metadata that holds the id of persona's job."""

_STATES: dict[str, JobState] = {
    "validating_files": "queued",
    "queued": "queued",
    "running": "running",
    "pausing": "running",
    "paused": "running",
    "resuming": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
_NUMBERS = {"batch_size": int, "learning_rate_multiplier": float, "beta": float}
_OPTIONS = ("batch_size", "learning_rate_multiplier", "beta")
_AZURES = ("training_type", "deployment", "sku")
_PAGE, _MOST_EVENTS, _MOST_JOBS = 100, 5_000, 1_000
_FIRST_WAIT_S, _LONGEST_WAIT_S, _FILE_TIMEOUT_S = 0.05, 5.0, 1_800.0
_LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Handle(RunHandle):
    """What a run is known by, as JSON in the store."""

    files: tuple[str, ...]
    deployment: str = ""
    sku: str = ""


class OpenAITuning:
    """Trains models at OpenAI or on Azure."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._azure = is_azure(provider)

    async def start(self, training: Training) -> str:
        """Uploads the files, waits until they were looked at, and starts the job; or adopts what is there of it."""
        options = self._checked(training)
        there: dict[str, str] = {}
        try:
            async with self._client(training.base_model) as client:
                run = await self._begun(client, training, there)
        except PersonaError as error:
            if not error.retryable:
                await self._forget(training.base_model, [*there.values()])
            raise
        deployed = options.get("deployment", ""), options.get("sku", "developer")
        return str(Handle(run, tuple(there.values()), *deployed))

    async def follow(self, handle: str) -> Progress:
        """The job with all its losses and checkpoints; on Azure its deployment is made where one was asked for."""
        known = Handle.read(handle)
        async with self._client(known.run) as client:
            job = await client.fine_tuning.jobs.retrieve(known.run)
            events = await _events(client, known.run)
            checkpoints = await _checkpoints(client, known.run) if job.status in ("running", *FINISHED) else ()
        progress = _progress(job, events, checkpoints)
        if progress.state != "succeeded" or not self._azure:
            return progress
        return await self._deployed(known, progress)

    async def cancel(self, handle: str) -> None:
        """Ends the job; no error when it has ended."""
        known = Handle.read(handle)
        try:
            async with self._client(known.run) as client:
                await client.fine_tuning.jobs.cancel(known.run)
        except BadRequest:
            async with self._client(known.run) as client:
                job = await client.fine_tuning.jobs.retrieve(known.run)
            if _STATES.get(job.status) not in FINISHED:
                raise

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes the deployment of its model, then the uploaded files. Another model's deployment stays."""
        known, removed = Handle.read(handle), list[str]()
        async with self._client(known.run) as client:
            if known.deployment:
                tuned = (await client.fine_tuning.jobs.retrieve(known.run)).fine_tuned_model
                removed += await self._undeployed(known.deployment, tuned or "")
            removed += [f"file {id}" for id in await _remove(client, known.files)]
        return removed

    def _checked(self, training: Training) -> Mapping[str, str]:
        """The job's options. Raises SettingsError for others, and InvalidInput for a value that cannot be."""
        options, known = training.options, (*_OPTIONS, *(_AZURES if self._azure else ()))
        if strange := next((name for name in options if name not in known), None):
            raise SettingsError(
                f"tuning at {self._provider.name!r} has no option {strange!r}", hint=f"{', '.join(known)}"
            )
        for name, kind in _NUMBERS.items():
            try:
                kind(options.get(name, "1"))
            except ValueError as error:
                raise InvalidInput(f"option {name} is {options[name]!r}", hint="write a number") from error
        if "beta" in options and training.method != "dpo":
            raise InvalidInput("option beta belongs to dpo", hint="leave it out, or pass --method dpo")
        if options.get("sku", "developer") not in SKUS:
            raise InvalidInput(f"option sku is {options['sku']!r}", hint=f"one of {', '.join(SKUS)}")
        if options.get("deployment"):
            Deployments(self._provider)  # which raises where nobody could make it
        if training.epochs is not None and training.epochs != int(training.epochs):
            raise InvalidInput(f"{training.epochs:g} epochs cannot be trained here", hint="pass a whole number")
        return options

    def _job(self, training: Training, files: Sequence[str]) -> dict[str, Any]:
        numbers: dict[str, Any] = {
            name: _NUMBERS[name](value) for name, value in training.options.items() if name in _NUMBERS
        }
        if training.epochs is not None:
            numbers["n_epochs"] = int(training.epochs)
        kind = "supervised" if training.method == "sft" else "dpo"
        body: dict[str, Any] = {
            "model": training.base_model,
            "training_file": files[0],
            "method": {"type": kind, kind: {"hyperparameters": numbers}},
            "metadata": {OWNER: training.job_id},
            "seed": training.seed,
            **({"validation_file": files[1]} if len(files) > 1 else {}),
            **({"suffix": training.suffix} if training.suffix else {}),
        }
        if tier := training.options.get("training_type"):
            body["extra_body"] = {"trainingType": tier}
        return body

    async def _begun(self, client: AsyncOpenAI, training: Training, there: dict[str, str]) -> str:
        """The run of a job, begun unless it is there; `there` is filled with its files' ids by name."""
        async for file in client.files.list(purpose="fine-tune"):
            if file.filename.startswith(f"{training.job_id}-"):
                there[file.filename] = file.id
        run = await self._find(client, training.job_id, [*there.values()])
        if run:
            return run.id
        if training.adopt:
            raise NotFound(f"{self._provider.name} has no run of {training.job_id}")
        if name := training.options.get("deployment"):
            await self._refuse_taken(name)
        paths = [training.train, *([training.validation] if training.validation else [])]
        files = [await self._uploaded(client, f"{training.job_id}-{path.name}", path, there) for path in paths]
        return (await client.fine_tuning.jobs.create(**self._job(training, files))).id

    async def _forget(self, model: str, files: Sequence[str]) -> None:
        """Deletes what was uploaded for a job that was refused."""
        try:
            async with self._client(model) as client:
                await _remove(client, files)
        except ProviderError as error:  # the refusal says more: it is what is raised
            log.warning("%d uploaded files could not be deleted: %s", len(files), type(error).__name__)

    async def _find(self, client: AsyncOpenAI, job_id: str, files: Sequence[str]) -> FineTuningJob | None:
        """The run of a job of persona's: by its metadata, or by the file it trains on."""
        seen = 0
        async for job in client.fine_tuning.jobs.list(limit=_PAGE, metadata={OWNER: job_id}):
            if (job.metadata or {}).get(OWNER) == job_id or job.training_file in files:
                return job
            seen += 1
            if seen >= _MOST_JOBS:
                break
        return None

    async def _uploaded(self, client: AsyncOpenAI, name: str, path: Path, there: dict[str, str]) -> str:
        """The id of a file once the server has looked at it."""
        if name not in there:
            with path.open("rb") as file:
                there[name] = (await client.files.create(file=(name, file), purpose="fine-tune")).id
        id, wait_s, waited_s = there[name], _FIRST_WAIT_S, 0.0
        while (found := await client.files.retrieve(id)).status != "processed":
            if found.status == "error":
                hint = "see `persona check`, and the server's page about the file"
                raise InvalidInput(f"{self._provider.name} cannot use {path.name}", hint=hint)
            if waited_s > _FILE_TIMEOUT_S:
                raise TimedOut(f"{self._provider.name} is still looking at {path.name}", hint="watch the job again")
            await asyncio.sleep(wait_s)
            waited_s, wait_s = waited_s + wait_s, min(2 * wait_s, _LONGEST_WAIT_S)
        return id

    async def _deployed(self, known: Handle, progress: Progress) -> Progress:
        """A model that was tuned on Azure can be called once it is deployed, and not before."""
        tuned = progress.tuned_model
        if not known.deployment:
            note = f"tuned as {tuned}: deploy it, and name the deployment in the target"
            return replace(progress, tuned_model="", notes=(*progress.notes, note))
        place = Deployments(self._provider)
        found = await place.find(known.deployment)
        if found is None:
            await place.make(known.deployment, tuned, SKUS[known.sku])
        elif found.model != tuned:
            problem = (
                f"tuned as {tuned}, and the deployment {known.deployment} is of {found.model}: deploy it elsewhere"
            )
            return replace(progress, state="failed", tuned_model="", problem=problem)
        state = found.state if found else ""
        bills = (f"deployment {known.deployment}",) if SKUS[known.sku] != FREE else ()
        if state == "Succeeded":
            return replace(progress, tuned_model=known.deployment, bills=bills)
        if state in ("Failed", "Canceled"):
            problem = f"{tuned} was tuned, and its deployment {known.deployment} has failed"
            return replace(progress, state="failed", tuned_model="", bills=bills, problem=problem)
        notes = (*progress.notes, f"tuned as {tuned}, and being deployed as {known.deployment}")
        return replace(progress, state="running", tuned_model="", bills=bills, notes=notes)

    async def _refuse_taken(self, deployment: str) -> None:
        if found := await Deployments(self._provider).find(deployment):
            raise InvalidInput(
                f"the deployment {deployment!r} is there already, of {found.model}", hint="name another, or remove it"
            )

    async def _undeployed(self, deployment: str, tuned: str) -> list[str]:
        """Ends a deployment if it is of the tuned model; what was removed."""
        place = Deployments(self._provider)
        found = await place.find(deployment)
        if found is None or found.model != tuned:
            return []
        await place.remove(deployment)
        return [f"deployment {deployment}"]

    @asynccontextmanager
    async def _client(self, what: str) -> AsyncIterator[AsyncOpenAI]:
        with translated(self._provider, what):
            async with connect(self._provider) as client:
                yield client


async def _remove(client: AsyncOpenAI, files: Sequence[str]) -> list[str]:
    """Deletes files, and returns those that were there."""
    removed = []
    for id in files:
        try:
            await client.files.delete(id)
        except NotFoundError:
            continue
        removed.append(id)
    return removed


async def _events(client: AsyncOpenAI, run: str) -> list[FineTuningJobEvent]:
    """The events of a job, the newest first; of a very long one the last."""
    found: list[FineTuningJobEvent] = []
    async for event in client.fine_tuning.jobs.list_events(run, limit=_PAGE):
        found.append(event)
        if len(found) >= _MOST_EVENTS:
            break
    return found


async def _checkpoints(client: AsyncOpenAI, run: str) -> tuple[Checkpoint, ...]:
    try:
        found = [one async for one in client.fine_tuning.jobs.checkpoints.list(run, limit=_PAGE)]
    except NotFoundError:  # servers that keep none
        return ()
    made = (
        Checkpoint(
            one.step_number,
            one.fine_tuned_model_checkpoint,
            one.metrics.full_valid_loss if one.metrics.full_valid_loss is not None else one.metrics.valid_loss,
        )
        for one in found
    )
    return tuple(sorted(made, key=lambda one: one.step))


def _progress(
    job: FineTuningJob, events: Sequence[FineTuningJobEvent], checkpoints: tuple[Checkpoint, ...]
) -> Progress:
    measured = [event.data for event in events if event.type == "metrics" and isinstance(event.data, Mapping)]
    points = sorted((_point(data) for data in measured if isinstance(data.get("step"), int)), key=lambda one: one.step)
    totals = [int(data["total_steps"]) for data in measured if isinstance(data.get("total_steps"), int)]
    status: str = job.status
    state = _STATES.get(status, "running")
    error = job.error if job.error and job.error.message else None
    return Progress(
        state,
        max((point.step for point in points), default=0),
        max(totals, default=None),
        tuple(points),
        checkpoints,
        job.trained_tokens,
        (job.fine_tuned_model or "") if state == "succeeded" else "",
        problem=f"{error.code}: {error.message[:_LONGEST_WORDS]}" if error and state == "failed" else "",
        notes=("paused",) if status == "paused" else (),
    )


def _point(data: Mapping[str, Any]) -> LossPoint:
    """Loss over the whole validation file where it was measured, else over a batch of it."""
    whole = data.get("full_valid_loss")
    validation = data.get("valid_loss") if whole is None else whole
    return LossPoint(int(data["step"]), _number(data.get("train_loss")), _number(validation))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
