"""Tuning jobs on Vertex through the official SDK: a dataset in a bucket, a job, the endpoint that serves its model.

A job of persona's is known by its label, and by the place of its dataset, which both hold its id. The service tells no
losses here: they are in the experiment that it names, in the console.
"""

import asyncio
import logging
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from google.genai import types
from google.genai.tunings import AsyncTunings

from persona.adapter import Provider
from persona.errors import BadRequest, InvalidInput, NotFound, PersonaError, ProviderError, SettingsError
from persona.values.tuning import FINISHED, Checkpoint, JobState, Progress, RunHandle, Training
from persona_google.client import Connection, milliseconds
from persona_google.cloud import Bucket, remove_endpoint
from persona_google.errors import UNREADABLE, Report, failure, translated
from persona_google.platform import platform_of

log = logging.getLogger("persona.adapters")

OWNER = "persona_job"
"""The label that holds the id of persona's job, in the lower case that labels are written in."""

_STATES: dict[str, JobState] = {
    "JOB_STATE_QUEUED": "queued",
    "JOB_STATE_PENDING": "queued",
    "JOB_STATE_RUNNING": "running",
    "JOB_STATE_PAUSED": "running",
    "JOB_STATE_UPDATING": "running",
    "JOB_STATE_CANCELLING": "running",
    "JOB_STATE_SUCCEEDED": "succeeded",
    "JOB_STATE_PARTIALLY_SUCCEEDED": "succeeded",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_EXPIRED": "failed",
    "JOB_STATE_CANCELLED": "cancelled",
}
_ADAPTER_SIZES = {"1": "ONE", "2": "TWO", "4": "FOUR", "8": "EIGHT", "16": "SIXTEEN", "32": "THIRTY_TWO"}
_OPTIONS = ("adapter_size", "learning_rate_multiplier", "beta")
_PAGE, _MOST_JOBS = 100, 1_000
_TIMEOUT_S = 120.0
_LONGEST_WORDS = 500
_UNREADABLE_REPORT = Report(BadRequest, cause="an answer that cannot be read")


@dataclass(frozen=True, slots=True)
class Handle(RunHandle):
    """What a run is known by, as JSON in the store: its resource name, and its objects in the bucket."""

    objects: tuple[str, ...]


class VertexTuning:
    """Trains Gemini models on Vertex. Raises SettingsError when made for the Gemini API, or without a bucket."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._platform = platform_of(provider)
        if not self._platform.is_vertex:
            raise SettingsError(
                f"provider {provider.name!r} is the Gemini API, where nothing can be tuned",
                hint="write options = { project = '…', location = '…', bucket = '…' } for Vertex",
            )
        self._bucket = Bucket(provider, self._platform)

    async def start(self, training: Training) -> str:
        """Puts the files into the bucket and starts the job; or adopts what is there of it."""
        config = _config(training)
        objects = {f"persona/{training.job_id}/{path.name}": path for path in _files(training)}
        try:
            async with self._tunings(training.base_model) as tunings:
                found = await _find(tunings, training.job_id)
                if found is None and training.adopt:
                    raise NotFound(f"{self._provider.name} has no run of {training.job_id}")
                if found is None:
                    urls = [await asyncio.to_thread(self._bucket.put, name, path) for name, path in objects.items()]
                    found = await _tune(tunings, training, config, urls)
        except PersonaError as error:
            if not error.retryable:
                await self._forget_refused([*objects])
            raise
        return str(Handle(found, tuple(objects)))

    async def follow(self, handle: str) -> Progress:
        """The job, and the endpoints of its model and checkpoints once there are any."""
        known = Handle.read(handle)
        async with self._tunings(known.run) as tunings:
            return _progress(
                await tunings.get(name=known.run, config=types.GetTuningJobConfig(http_options=_options()))
            )

    async def cancel(self, handle: str) -> None:
        """Ends the job; no error when it has ended."""
        known = Handle.read(handle)
        try:
            async with self._tunings(known.run) as tunings:
                config = types.CancelTuningJobConfig(http_options=_options())
                await tunings.cancel(name=known.run, config=config)
        except PersonaError:
            if (await self.follow(handle)).state not in FINISHED:
                raise

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes the endpoints, with what they serve, then the objects in the bucket."""
        known, removed = Handle.read(handle), list[str]()
        for endpoint in (await self.follow(handle)).bills:
            if await asyncio.to_thread(remove_endpoint, self._provider, self._platform, endpoint):
                removed.append(endpoint)
        return [*removed, *await self._forget(known.objects)]

    async def _forget_refused(self, objects: Sequence[str]) -> None:
        try:
            await self._forget(objects)
        except ProviderError as error:  # the refusal says more: it is what is raised
            log.warning("%d uploaded files could not be deleted: %s", len(objects), type(error).__name__)

    async def _forget(self, objects: Sequence[str]) -> list[str]:
        return [self._bucket.url(name) for name in objects if await asyncio.to_thread(self._bucket.remove, name)]

    @asynccontextmanager
    async def _tunings(self, what: str) -> AsyncIterator[AsyncTunings]:
        connection = Connection(self._provider, self._platform)
        try:
            with translated(self._provider, what):
                yield connection.tunings
        except UNREADABLE:
            raise failure(_UNREADABLE_REPORT, self._provider, what) from None
        finally:
            await connection.close()


def _config(training: Training) -> types.CreateTuningJobConfig:
    """The job's options. Raises SettingsError for others, and InvalidInput for a value that cannot be."""
    options = training.options
    if strange := next((name for name in options if name not in _OPTIONS), None):
        raise SettingsError(f"tuning on Vertex has no option {strange!r}", hint=", ".join(_OPTIONS))
    if training.epochs is not None and training.epochs != int(training.epochs):
        raise InvalidInput(f"{training.epochs:g} epochs cannot be trained here", hint="pass a whole number")
    if "beta" in options and training.method != "dpo":
        raise InvalidInput("option beta belongs to dpo", hint="leave it out, or pass --method dpo")
    size = options.get("adapter_size")
    if size is not None and size not in _ADAPTER_SIZES:
        raise InvalidInput(f"option adapter_size is {size!r}", hint=f"one of {', '.join(_ADAPTER_SIZES)}")
    return types.CreateTuningJobConfig(
        method=types.TuningMethod.PREFERENCE_TUNING if training.method == "dpo" else None,
        epoch_count=None if training.epochs is None else int(training.epochs),
        adapter_size=types.AdapterSize(f"ADAPTER_SIZE_{_ADAPTER_SIZES[size]}") if size else None,
        learning_rate_multiplier=_number(options, "learning_rate_multiplier"),
        beta=_number(options, "beta"),
        tuned_model_display_name=training.suffix or training.job_id,
        labels={OWNER: training.job_id.lower()},
        http_options=_options(),
    )


def _number(options: Mapping[str, str], name: str) -> float | None:
    try:
        return float(options[name]) if name in options else None
    except ValueError as error:
        raise InvalidInput(f"option {name} is {options[name]!r}", hint="write a number") from error


def _files(training: Training) -> list[Path]:
    return [training.train, *([training.validation] if training.validation else [])]


def _options() -> types.HttpOptions:
    return types.HttpOptions(timeout=milliseconds(_TIMEOUT_S))


async def _find(tunings: AsyncTunings, job_id: str) -> str | None:
    """The name of the run of a job of persona's, among the last ones."""
    seen = 0
    config = types.ListTuningJobsConfig(page_size=_PAGE, http_options=_options())
    async for job in await tunings.list(config=config):
        if (job.labels or {}).get(OWNER) == job_id.lower() and job.name:
            return job.name
        seen += 1
        if seen >= _MOST_JOBS:
            break
    return None


async def _tune(
    tunings: AsyncTunings, training: Training, config: types.CreateTuningJobConfig, urls: Sequence[str]
) -> str:
    if len(urls) > 1:
        config.validation_dataset = types.TuningValidationDataset(gcs_uri=urls[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its tuning is experimental, in an SDK whose version is pinned
        begun = tunings.tune(
            base_model=training.base_model,
            training_dataset=types.TuningDataset(gcs_uri=urls[0]),
            config=config,
        )
    return (await begun).name or ""


def _progress(job: types.TuningJob) -> Progress:
    state = _STATES.get(job.state.value if job.state else "", "running")
    model = job.tuned_model
    checkpoints = tuple(
        Checkpoint(one.step or one.epoch or 0, one.endpoint)
        for one in (model.checkpoints if model and model.checkpoints else ())
        if one.endpoint
    )
    endpoint = (model.endpoint if model else None) or ""
    told = job.tuning_job_metadata
    stats = job.tuning_data_stats and job.tuning_data_stats.supervised_tuning_data_stats
    return Progress(
        state,
        (told and (told.completed_step_count or told.completed_epoch_count)) or 0,
        None,
        (),
        checkpoints,
        stats.total_billable_token_count if stats else None,
        endpoint if state == "succeeded" else "",
        tuple(dict.fromkeys(name for name in (endpoint, *(one.model for one in checkpoints)) if name)),
        _problem(job) if state == "failed" else "",
        tuple(_notes(job)),
    )


def _notes(job: types.TuningJob) -> list[str]:
    notes = [f"losses: experiment {job.experiment}"] if job.experiment else []
    if job.tuning_job_state and job.state and _STATES.get(job.state.value) == "running":
        notes.append(job.tuning_job_state.value.removeprefix("TUNING_JOB_STATE_").replace("_", " ").lower())
    if job.state == types.JobState.JOB_STATE_PARTIALLY_SUCCEEDED:
        notes.append("only a part of it succeeded")
    return notes


def _problem(job: types.TuningJob) -> str:
    if job.error and job.error.message:
        return f"{job.error.code}: {job.error.message[:_LONGEST_WORDS]}"
    return "it expired" if job.state == types.JobState.JOB_STATE_EXPIRED else "the service gave no reason"
