"""What the tables know of where models come from, as plain rows, and what was made of a dataset."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from persona.store import datasets, jobs
from persona.store.statements import param, table
from persona.store.tables import DatasetOwnerRow, DatasetRow, EvaluationRow, OwnerRow
from persona.store.transaction import Statement, Transaction
from persona.values.dataset import DatasetEntry
from persona.values.tuning import Job

_d, _o, _v, _w = table(DatasetRow).c, table(DatasetOwnerRow).c, table(EvaluationRow).c, table(OwnerRow).c
_OWNERS = Statement(
    select(_o.owner_key, _o.dataset_id, func.sum(_o.examples))
    .join(table(DatasetRow), _d.id == _o.dataset_id)
    .where(_d.state == "ready")
    .group_by(_o.owner_key, _o.dataset_id)
)
_EVALUATIONS = Statement(select(_v.id, _v.verdict, _v.numbers, _v.report).order_by(_v.id))
_KEY = Statement(select(_w.key).where(_w.tenant == param("tenant"), _w.kind == "user", _w.name == param("name")))


MOST_JOBS = 100_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One stored comparison: where its examples lay, its arms with their targets, its verdict and its report's file."""

    id: str
    dataset: str
    arms: tuple[tuple[str, str], ...]
    verdict: str
    report: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of some datasets: tuned models as `backend:name`, and the reports of comparisons, which quote them."""

    models: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


def made_of(tx: Transaction, ids: Iterable[str]) -> Made:
    """What was made of these datasets, and of those that they replaced."""
    wanted = set(ids)
    if not wanted:
        return Made()
    known = datasets.listing(tx)
    meant = [one for one in known if wanted & {one.id, *replacing(known, one)}]
    every = jobs.newest(tx, MOST_JOBS)
    models = _with_merged({model_of(job) for job in every if any(trained_on(job, one) for one in meant)} - {""}, every)
    reports = {seen.report for seen in comparisons(tx) if any(compared_on(seen, one) for one in meant)}
    return Made(tuple(sorted(models)), tuple(sorted(reports - {""})))


def model_of(job: Job) -> str:
    """The model that a job has made, as `backend:name`; empty while there is none."""
    model = job.progress.tuned_model if job.progress else ""
    return f"{job.backend}:{model}" if model else ""


def _with_merged(models: set[str], every: Sequence[Job]) -> set[str]:
    """These models, and what was merged of them, however often; a part may be named by its folder alone."""
    named = models | {model.partition(":")[2] for model in models}
    more = {model_of(job) for job in every if named.intersection(job.parts)} - models - {""}
    return _with_merged(models | more, every) if more else models


def trained_on(job: Job, dataset: DatasetEntry) -> bool:
    """Whether a job trains on a dataset: by the id in its manifest, or by where it lies."""
    return job.dataset_id == dataset.id or dataset.id in job.dataset or job.dataset == dataset.path


def compared_on(seen: Compared, dataset: DatasetEntry) -> bool:
    """Whether a comparison was made on a dataset."""
    return dataset.id in seen.dataset or seen.dataset.startswith(dataset.path)


def replacing(known: Sequence[DatasetEntry], old: DatasetEntry) -> list[str]:
    """The ids of those that took its place, one after the other."""
    by_id, found = {one.id: one for one in known}, list[str]()
    while old.replaced_by and old.replaced_by in by_id:
        old = by_id[old.replaced_by]
        found.append(old.id)
    return found


def examples_of_owners(tx: Transaction) -> list[tuple[int, str, int]]:
    """The key of an owner, the dataset that holds examples of theirs, and how many."""
    return [(int(key), str(dataset), int(number)) for key, dataset, number in tx.all(_OWNERS, {})]


def comparisons(tx: Transaction) -> list[Compared]:
    """Every stored comparison."""
    return [_compared(*row) for row in tx.all(_EVALUATIONS, {})]


def key_of(tx: Transaction, tenant: str, name: str) -> int | None:
    """The key of a user's rows; None for somebody who is not stored."""
    row = tx.one(_KEY, {"tenant": tenant, "name": name})
    return int(row[0]) if row else None


def _compared(id: str, verdict: str, numbers: str, report: str) -> Compared:
    told = json.loads(numbers)
    return Compared(id, str(told["dataset"]), tuple(zip(told["arms"], told["targets"], strict=True)), verdict, report)
