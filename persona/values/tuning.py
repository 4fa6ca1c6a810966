"""A tuning run, in persona's own terms: what is asked of a backend, and what it says of the run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

Method = Literal["sft", "dpo"]
"""Supervised fine-tuning on replies, or direct preference optimisation on pairs of them."""

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
MERGE = "merge"
"""The backend of a job that was no training: its model was merged from others."""

FINISHED: tuple[JobState, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Training:
    """What a backend is asked to train. Files are in the dataset format that the backend's card names.

    `job_id` is persona's, the same after a restart: a backend that names its runs by it starts none twice. `folder` is
    the job's own, for checkpoints and results on this machine. `options` are the backend's own, as text; it refuses
    those it does not know with SettingsError. With `adopt` nothing is begun: a run that is there under `job_id` is
    returned, and NotFound raised when there is none.
    """

    job_id: str
    base_model: str
    method: Method
    train: Path
    validation: Path | None
    folder: Path
    suffix: str = ""
    seed: int = 0
    epochs: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class LossPoint:
    """The loss after a number of steps; None where it was not measured there."""

    step: int
    training: float | None = None
    validation: float | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of the model that can be served or gone on from; `model` is how its provider or a server knows it."""

    step: int
    model: str
    validation: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What a backend says of a run, whole each time: a watcher that was away misses nothing.

    `tuned_model` is set once it succeeded, as a target's model names it; `bills` names what costs money while idle
    (endpoints, deployments) and has to be cleaned. `problem` says in a person's words why it failed, `notes` what else
    a person should see, such as which tokens carry loss.
    """

    state: JobState
    step: int = 0
    total_steps: int | None = None
    points: tuple[LossPoint, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    trained_tokens: int | None = None
    tuned_model: str = ""
    bills: tuple[str, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TuningCard:
    """Dated facts about tuning one base model at one backend. Prices are US dollars; None is unknown, never 0.

    `closed` says, in words, why nothing can be trained there any more, and what to do instead; `training_until` and
    `serving_until` are ISO days, empty while none is set. `format` and `preference_format` name the dataset formats it
    takes. `training_price` is per million trained tokens, `idle_price` per hour while nothing is asked of the model.
    `note` is what a person should know before a start, such as that nobody has tried the backend yet.
    """

    base_model: str
    methods: tuple[Method, ...] = ("sft",)
    format: str = ""
    preference_format: str = ""
    closed: str = ""
    training_until: str = ""
    serving_until: str = ""
    training_price: float | None = None
    idle_price: float | None = None
    source: str = ""
    checked: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is expected to cost in US dollars; `usd` is None where the price or the epochs are unknown.

    `tokens` are those of the training file, counted as `label` says; `price` is per million trained tokens and `source`
    who says so. `why` says in words what is unknown, or how sure the figure is.
    """

    tokens: int
    label: str
    epochs: float | None
    price: float | None
    usd: float | None
    source: str = ""
    checked: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One tuning run as the store keeps it. Times are UTC microseconds, 0 for not yet.

    `backend` is the provider's name in the settings. `state` is `starting` until the backend has said that it has the
    run. `dataset` is the folder or file that was named, `dataset_id` what its manifest calls it, `beside` the file for
    validation that was named with it, and `digest` the SHA-256 of what is trained on. `again_of` is the job that was
    started anew here. `ending` says whether somebody wants it ended, and whether the backend was told. What bills while
    idle is cleaned at `expires_us`.
    """

    id: str
    backend: str
    training: Training
    dataset: str
    beside: str
    digest: str
    format: str
    estimate: Estimate
    who: str
    created_us: int
    state: Literal["starting"] | JobState = "starting"
    handle: str = ""
    progress: Progress | None = None
    problem: str = ""
    again_of: str = ""
    dataset_id: str = ""
    ending: Literal["", "asked", "told"] = ""
    keep_hours: float | None = None
    checked_us: int = 0
    ended_us: int = 0
    expires_us: int = 0
    cleaned_us: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in FINISHED

    @property
    def parts(self) -> tuple[str, ...]:
        """The models that it was merged from, as `backend:name` or a folder; none for one that was trained."""
        return tuple(json.loads(self.training.options.get("parts", "[]"))) if self.backend == MERGE else ()

    @property
    def bills(self) -> tuple[str, ...]:
        """What of it costs money while nobody asks it anything."""
        return () if self.cleaned_us or self.progress is None else self.progress.bills


@dataclass(frozen=True, slots=True)
class RunHandle:
    """What a backend knows a run by, kept in the store as JSON; its own has more fields, texts and tuples of texts."""

    run: str

    @classmethod
    def read(cls, written: str) -> Self:
        """The handle that `str` wrote."""
        told = json.loads(written).items()
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told}
        return cls(**fields)

    def __str__(self) -> str:
        return json.dumps(asdict(self))
