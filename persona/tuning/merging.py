"""Merges tuned models, and writes down what was merged: the result has its parents, and its parents have it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.errors import InvalidInput, NotFound
from persona.store import jobs
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.tuning.bench import Bench
from persona.tuning.merge import MANIFEST, Advance, Merge, Method, Part, merged
from persona.tuning.mergekit import merged_by_mergekit
from persona.values.tuning import MERGE, Estimate, Job, Progress, Training


@dataclass(frozen=True, slots=True)
class MergeOrder:
    """What somebody wants merged: jobs by their ids, or folders of whole models, with their weights (1 each).

    `base` is the model that they were tuned from; without it the base of the jobs, where they have one folder as such.
    `to` is the folder of the result; without it one of the new job's own.
    """

    models: Sequence[str | Path]
    method: Method = "linear"
    weights: Sequence[float] = ()
    base: str | Path | None = None
    to: str | Path | None = None
    density: float = 0.5
    who: str = ""


async def merge(bench: Bench, order: MergeOrder, advance: Advance = lambda done, total: None) -> Job:
    """Merges models into a new one, and returns the job that it is known by.

    Raises InvalidInput, NotFound, WeightsDiffer, NoRoom, and AdapterMissing where mergekit is wanted and missing: with
    nothing written and nothing stored.
    """
    id = new_id("job")
    names = [str(model) for model in order.models]
    known = await bench.database.run(lambda tx: [jobs.find(tx, name) for name in names], write=False)
    asked, out = await asyncio.to_thread(_merge, order, known, bench.folder(id), advance)
    job = _job(bench, id, order, asked, out)

    def write(tx: Transaction) -> None:
        jobs.add(tx, job, bench.now_us())
        jobs.start(tx, id, "")
        jobs.follow(tx, job, Progress("succeeded", tuned_model=str(out)), bench.now_us())

    await bench.database.run(write)
    return await bench.job(id)


def _merge(order: MergeOrder, known: Sequence[Job | None], folder: Path, advance: Advance) -> tuple[Merge, Path]:
    """What was merged, and into which folder: the one that was asked for, or in `folder`."""
    weights = tuple(order.weights) or (1.0,) * len(order.models)
    if len(weights) != len(order.models):
        raise InvalidInput(f"{len(order.models)} models have {len(weights)} weights", hint="give each its own, or none")
    found = [_found(str(model), job) for model, job in zip(order.models, known, strict=True)]
    parts = tuple(Part(path, weight, name) for (path, name, _), weight in zip(found, weights, strict=True))
    base = None if order.method == "slerp" else _base(order, [base for _, _, base in found])
    out = Path(order.to).absolute() if order.to else folder / "model"
    asked = Merge(order.method, parts, base)
    if order.method in ("linear", "task_arithmetic"):
        merged(asked, out, advance)
    else:
        merged_by_mergekit(asked, out, order.density)
    return asked, out


def _found(model: str, job: Job | None) -> tuple[Path, str, str]:
    """The folder of a model, what it is called by, and the base that it was tuned from, where that is known."""
    if Path(model).is_dir():
        return Path(model).absolute(), str(Path(model).absolute()), ""
    if job is None:
        raise NotFound(
            f"there is no folder and no job {model!r}", hint="name a model's folder, or see `persona tune list`"
        )
    made = job.progress.tuned_model if job.progress else ""
    if not made or not Path(made).is_dir():
        hint = "merge what was tuned on this machine, or fetch the model and name its folder"
        raise InvalidInput(f"{model} left no model on this machine", hint=hint)
    return Path(made).absolute(), f"{job.backend}:{made}", job.training.base_model


def _base(order: MergeOrder, told: Sequence[str]) -> Path | None:
    if order.base is not None:
        return Path(order.base).absolute()
    known = {base for base in told if base and Path(base).is_dir()}
    return Path(known.pop()).absolute() if len(known) == 1 and order.method in ("task_arithmetic", "ties") else None


def _job(bench: Bench, id: str, order: MergeOrder, asked: Merge, out: Path) -> Job:
    manifest = out / MANIFEST
    told = {"merge": asked.method, "parts": json.dumps([part.model for part in asked.parts])}
    told |= {"weights": json.dumps([part.weight for part in asked.parts])}
    base = str(asked.base or asked.first)
    training = Training(id, base, "sft", manifest, None, bench.folder(id), options=told)
    free = Estimate(0, "exact", None, 0.0, 0.0, "this machine: nobody sends a bill")
    return Job(id, MERGE, training, str(manifest), "", "", "", free, order.who, bench.now_us())
