"""Fine-tuning jobs at Together: files, a job, its events, metrics and checkpoints.

Source: docs.together.ai, API reference ("Upload a file", "Create job", "List events", "List metrics", "List
checkpoints", "Cancel job"), and the types of its SDK 3.1.1, read 2026-11-21. A job takes no metadata: one of persona's
is known by the file it trains on, whose name holds its id. What is tuned is called once somebody deployed it.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from persona.adapter import Provider
from persona.errors import (
    BadRequest,
    InvalidInput,
    ModelNotFound,
    NotFound,
    PersonaError,
    ProviderError,
    SettingsError,
)
from persona.values.tuning import FINISHED, Checkpoint, JobState, LossPoint, Progress, RunHandle, Training
from persona_hosts.rest import Json, Rest, number, until_taken

log = logging.getLogger("persona.adapters")

URL = "https://api.together.ai/v1"

_STATES: dict[str, JobState] = {
    "pending": "queued",
    "queued": "queued",
    "running": "running",
    "compressing": "running",
    "uploading": "running",
    "cancel_requested": "running",
    "completed": "succeeded",
    "error": "failed",
    "user_error": "failed",
    "cancelled": "cancelled",
}
_WHOLE = ("batch_size", "lora_r", "lora_alpha", "n_checkpoints", "n_evals")
_OPTIONS = (*_WHOLE, "learning_rate", "training_type", "beta")
_TYPES = ("Lora", "Full")
_LONGEST_SUFFIX = 40
_EVALUATIONS = 10
_LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Handle(RunHandle):
    """What a run is known by, as JSON in the store."""

    files: tuple[str, ...]


class TogetherTuning:
    """Trains models at Together."""

    def __init__(self, provider: Provider) -> None:
        if provider.options:
            raise SettingsError(f"provider {provider.name!r} takes no options", hint="remove them")
        self._provider = provider

    async def start(self, training: Training) -> str:
        """Uploads the files, waits until they were looked at, and starts the job; or adopts what is there of it."""
        body = _job(training)
        rest, there = Rest(self._provider, URL), dict[str, str]()
        try:
            run = await self._begun(rest, training, body, there)
        except PersonaError as error:
            if not error.retryable:
                await _forget(rest, there.values())
            raise
        return str(Handle(run, tuple(there.values())))

    async def follow(self, handle: str) -> Progress:
        """The job, with its losses and checkpoints from its beginning on."""
        run, rest = Handle.read(handle).run, Rest(self._provider, URL)
        job = await rest.get(f"/fine-tunes/{run}")
        if _state(job) == "queued":
            return Progress("queued")
        events = (await rest.get(f"/fine-tunes/{run}/events")).get("data") or []
        metrics = (await rest.found(f"/fine-tunes/{run}/metrics") or {}).get("metrics") or []
        saved = (await rest.found(f"/fine-tunes/{run}/checkpoints") or {}).get("data") or []
        return _progress(job, events, metrics, saved)

    async def cancel(self, handle: str) -> None:
        """Ends the job; no error when it has ended."""
        run, rest = Handle.read(handle).run, Rest(self._provider, URL)
        try:
            await rest.post(f"/fine-tunes/{run}/cancel", {})
        except BadRequest:
            if _state(await rest.get(f"/fine-tunes/{run}")) not in FINISHED:
                raise

    async def clean(self, handle: str) -> list[str]:
        """Removes the uploaded files. The tuned model stays; so does an endpoint that somebody made for it."""
        rest = Rest(self._provider, URL)
        return [f"file {id}" for id in Handle.read(handle).files if await rest.delete(f"/files/{id}")]

    async def _begun(self, rest: Rest, training: Training, body: Json, there: dict[str, str]) -> str:
        """The run of a job, begun unless it is there; `there` is filled with its files' ids by name."""
        for file in (await rest.get("/files")).get("data") or []:
            if str(file.get("filename", "")).startswith(f"{training.job_id}-"):
                there[file["filename"]] = file["id"]
        for job in (await rest.get("/fine-tunes")).get("data") or []:
            if job.get("training_file") in there.values():
                return str(job["id"])
        if training.adopt:
            raise NotFound(f"{self._provider.name} has no run of {training.job_id}")
        await self._check_model(rest, training.base_model)
        body["training_file"] = await self._uploaded(rest, training.job_id, training.train, there)
        if training.validation:
            body["validation_file"] = await self._uploaded(rest, training.job_id, training.validation, there)
        return str((await rest.post("/fine-tunes", body))["id"])

    async def _check_model(self, rest: Rest, model: str) -> None:
        """Asks for the limits of a model, which only those that can be tuned have: before anything is uploaded."""
        try:
            await rest.get("/fine-tunes/models/limits", {"model_name": model})
        except (BadRequest, ModelNotFound) as error:
            raise ModelNotFound(
                f"{self._provider.name} does not tune {model!r}",
                hint="choose one of docs.together.ai, fine-tuning models",
                target=f"{self._provider.name}:{model}",
            ) from error

    async def _uploaded(self, rest: Rest, job_id: str, path: Path, there: dict[str, str]) -> str:
        """The id of a file once the service has looked at it."""
        name = f"{job_id}-{path.name}"
        if name not in there:
            fields = {"purpose": "fine-tune", "file_name": name, "file_type": "jsonl"}
            there[name] = (await rest.upload("/files/upload", path, name, fields))["id"]
        await until_taken(rest, f"/files/{there[name]}", _taken, self._provider.name, path.name)
        return there[name]


def _job(training: Training) -> Json:
    """What is asked for. Raises SettingsError for unknown options, and InvalidInput for a value that cannot be."""
    options, dpo = training.options, training.method == "dpo"
    if strange := next((name for name in options if name not in _OPTIONS), None):
        raise SettingsError(f"tuning at Together has no option {strange!r}", hint=", ".join(_OPTIONS))
    if training.epochs is not None and training.epochs != int(training.epochs):
        raise InvalidInput(f"{training.epochs:g} epochs cannot be trained here", hint="pass a whole number")
    if len(training.suffix) > _LONGEST_SUFFIX:
        raise InvalidInput("the suffix is too long", hint=f"Together takes {_LONGEST_SUFFIX} characters")
    if "beta" in options and not dpo:
        raise InvalidInput("option beta belongs to dpo", hint="leave it out, or pass --method dpo")
    asked: Json = {
        "model": training.base_model,
        "training_method": {"method": "dpo", "dpo_beta": number(options, "beta", float)}
        if dpo
        else {"method": "sft", "train_on_inputs": "auto"},  # with conversations: loss on the replies
        "training_type": _type(options),
        "n_epochs": None if training.epochs is None else int(training.epochs),
        "n_evals": number(options, "n_evals", int) or (_EVALUATIONS if training.validation else None),
        "n_checkpoints": number(options, "n_checkpoints", int),
        "batch_size": number(options, "batch_size", int) or "max",
        "learning_rate": number(options, "learning_rate", float),
        "random_seed": training.seed,
        "suffix": training.suffix or None,
    }
    if dpo and asked["training_method"]["dpo_beta"] is None:
        del asked["training_method"]["dpo_beta"]
    return {name: value for name, value in asked.items() if value is not None}


def _type(options: Mapping[str, str]) -> Json | None:
    """LoRA is what the service takes where nothing is said; its strength is twice its rank."""
    name, rank = options.get("training_type", "Lora"), number(options, "lora_r", int)
    if name not in _TYPES:
        raise InvalidInput(f"option training_type is {name!r}", hint=f"one of {', '.join(_TYPES)}")
    alpha = number(options, "lora_alpha", int)
    if name == "Full":
        if rank or alpha:
            raise InvalidInput("full training has no lora_r and no lora_alpha", hint="leave them out")
        return {"type": "Full"}
    if alpha and not rank:
        raise InvalidInput("option lora_alpha goes with lora_r", hint="pass both")
    return {"type": "Lora", "lora_r": rank, "lora_alpha": alpha or 2 * rank} if rank else None


async def _forget(rest: Rest, files: Iterable[str]) -> None:
    """Deletes what was uploaded for a job that was refused."""
    try:
        for id in files:
            await rest.delete(f"/files/{id}")
    except ProviderError as error:  # the refusal says more: it is what is raised
        log.warning("uploaded files could not be deleted: %s", type(error).__name__)


def _state(job: Mapping[str, Any]) -> JobState:
    return _STATES.get(str(job.get("status")), "running")


def _progress(job: Mapping[str, Any], events: list[Json], metrics: list[Json], saved: list[Json]) -> Progress:
    state, points = _state(job), _points(metrics)
    losses = {point.step: point.validation for point in points}
    checkpoints = (
        Checkpoint(int(one["step"]), str(one.get("object_name") or one["path"]), losses.get(int(one["step"])))
        for one in saved
    )
    totals = [int(event["total_steps"]) for event in events if event.get("total_steps")]
    reached = [int(event["step"]) for event in events if event.get("step")]
    said = [str(event.get("message", "")) for event in events if event.get("type") == "job_error"]
    name = job.get("model_output_name")
    deploy = (
        f"tuned as {name}: deploy it on a dedicated endpoint, and name that in the target; it bills by the minute, "
        "also while idle, and no job of persona's knows of it"
    )
    return Progress(
        state,
        max([point.step for point in points] + reached, default=0),
        max(totals, default=None),
        points,
        tuple(sorted(checkpoints, key=lambda one: one.step)),
        job.get("token_count") or None,
        problem=(said[-1][:_LONGEST_WORDS] if said else "the service gave no reason") if state == "failed" else "",
        notes=(deploy,) if state == "succeeded" and name else (),
    )


def _points(metrics: Iterable[Mapping[str, Any]]) -> tuple[LossPoint, ...]:
    """Losses by step. The rows have names such as `train/global_step`, `train/loss` and `eval/loss`."""
    found = dict[int, LossPoint]()
    for row in metrics:
        step = row.get("train/global_step")
        if not isinstance(step, int | float):
            continue
        there = found.get(int(step), LossPoint(int(step)))
        training, validation = _loss(row, "train/"), _loss(row, "eval/")
        found[int(step)] = LossPoint(
            there.step,
            there.training if training is None else training,
            there.validation if validation is None else validation,
        )
    return tuple(found[step] for step in sorted(found))


def _loss(row: Mapping[str, Any], side: str) -> float | None:
    values = (row.get(f"{side}loss"), row.get(f"{side}eval_loss"))
    known = (float(one) for one in values if isinstance(one, int | float))
    return next((one for one in known if isfinite(one)), None)


def _taken(file: Json) -> bool | None:
    said = file.get("processing_status", "COMPLETED")
    return {"COMPLETED": True, "FAILED": False, "INVALID_FORMAT": False}.get(said)
