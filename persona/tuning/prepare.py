"""Everything that is checked before a job begins: dates, the dataset, the cost. Nothing is uploaded, nothing stored."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from persona.errors import InvalidInput
from persona.harvest.formats import available, find
from persona.harvest.formats.check import CheckReport, check
from persona.harvest.work import room
from persona.store import datasets
from persona.store.ids import new_id
from persona.tuning.bench import Bench, card_of
from persona.tuning.dates import check_open, warnings
from persona.tuning.estimate import check_limit, estimate
from persona.tuning.files import Files, converted, digest_of, found
from persona.values.request import Target
from persona.values.tuning import Job, Method, Training, TuningCard
from persona.window.counting import label

_TOLD = 3


@dataclass(frozen=True, slots=True)
class TuningOrder:
    """What somebody wants trained.

    `dataset` is a folder of `persona harvest`, its id, or a training file, which may have one for `validation` beside
    it. `backend` is a provider of the settings, whose own `options` they are. `epochs` None leaves the number to it.
    Nothing is started that is expected to cost more than `limit_usd`; `usd_per_million` is the price of trained tokens
    where you know better than what the adapter was told. What bills while idle is cleaned `keep_hours` after the end,
    None for never by itself.
    """

    dataset: str | Path
    backend: str
    base_model: str
    method: Method = "sft"
    validation: str | Path | None = None
    epochs: float | None = None
    suffix: str = ""
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    limit_usd: float | None = None
    usd_per_million: float | None = None
    keep_hours: float | None = None
    who: str = ""
    again_of: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that may begin, with what a person should know before."""

    job: Job
    card: TuningCard
    report: CheckReport
    warnings: tuple[str, ...]

    def discard(self) -> None:
        """Forgets it: removes the files that were written for it."""
        shutil.rmtree(self.job.training.folder, ignore_errors=True)


def prepare(bench: Bench, order: TuningOrder) -> Prepared:
    """Checks an order. Files that have to be written in another format lie in the job's folder afterwards.

    Raises TuningClosed, TooExpensive, InvalidInput, NotFound and AdapterMissing, with nothing left behind.
    """
    target = Target(order.backend, order.base_model)
    card = card_of(bench.providers, target)
    check_open(card, order.backend, order.method, bench.today)
    bench.providers.tuning(order.backend)
    id = new_id("job")
    try:
        return _prepared(bench, order, card, id)
    except BaseException:
        shutil.rmtree(bench.folder(id), ignore_errors=True)
        raise


def _prepared(bench: Bench, order: TuningOrder, card: TuningCard, id: str) -> Prepared:
    files = _files(bench, order, card, id)
    counter = bench.providers.counter(Target(order.backend, order.base_model))
    report = check(files.both(), files.form, counter, label(counter, 0))
    _refuse_problems(report)
    tokens = report.files[0].tokens
    counted = (tokens.total, tokens.label) if tokens else (0, "estimate")
    expected = estimate(*counted, order.epochs, card, order.usd_per_million)
    check_limit(expected, order.limit_usd)
    training = Training(
        id,
        order.base_model,
        order.method,
        files.train,
        files.validation,
        bench.folder(id),
        order.suffix,
        order.seed,
        order.epochs,
        dict(order.options),
    )
    job = Job(
        id,
        order.backend,
        training,
        str(_place(bench, order.dataset).absolute()),
        str(Path(order.validation).absolute()) if order.validation else "",
        digest_of(files),
        files.form.name,
        expected,
        order.who,
        bench.now_us(),
        again_of=order.again_of,
        dataset_id=files.dataset_id,
        keep_hours=order.keep_hours,
    )
    told = [f"{reason} ({number:,} times)" for reason, number in report.warnings.items()]
    if files.validation is None:
        told.append("there is no validation file: nobody will see it overfit")
    return Prepared(job, card, report, (*warnings(card, bench.today), *told))


def _files(bench: Bench, order: TuningOrder, card: TuningCard, id: str) -> Files:
    formats = available()
    name = card.preference_format if order.method == "dpo" else card.format
    wanted = find(name, formats)
    validation = Path(order.validation) if order.validation else None
    there = found(_place(bench, order.dataset), validation, wanted, order.method, formats)
    folder = bench.folder(id)
    try:
        with room():
            return converted(there, wanted, folder)
    except OSError as error:
        raise InvalidInput(f"cannot write into {str(folder)!r}: {error.strerror}", hint="let it be written") from error


def _place(bench: Bench, dataset: str | Path) -> Path:
    """Where a dataset lies: at its path, or where the one of this id was harvested to."""
    if Path(dataset).exists():
        return Path(dataset)
    entry = bench.database.run_now(lambda tx: datasets.find(tx, str(dataset)), write=False)
    return Path(entry.path if entry else dataset)


def _refuse_problems(report: CheckReport) -> None:
    if report.clean:
        return
    errors = [one for one in report.problems if one.problem.error][:_TOLD]
    said = "; ".join(
        f"{one.file} line {one.line}: {one.problem.reason}" if one.line else one.problem.reason for one in errors
    )
    number = sum(report.errors.values())
    raise InvalidInput(
        f"{number:,} rows or files would be refused as {report.format}: {said}", hint="see `persona check`"
    )
