"""`persona tune`: start, follow, end and clean tuning jobs."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from persona.cli.jobs import cost, idle_row, job_json, page_of, prepared_json, row, show_end, show_prepared, show_seen
from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import FAILED, aside, show, show_json, show_table
from persona.cli.progress import progress
from persona.cli.words import me, moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.assistant.jobs import AsyncJobs
    from persona.values.tuning import Job

T = TypeVar("T")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
Backend = Annotated[str, typer.Option("--backend", "-b", metavar="NAME", help="The provider that trains.")]
Limit = Annotated[
    float | None, typer.Option("--limit-usd", min=0, metavar="USD", help="Refuse what is expected to cost more.")
]
Price = Annotated[
    float | None,
    typer.Option("--usd-per-million", min=0, metavar="USD", help="The price of a million trained tokens, if you know."),
]
Option = Annotated[
    list[str] | None, typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the backend's own.")
]
Watch = Annotated[bool, typer.Option("--watch", help="Follow it until it ends.")]
Every = Annotated[
    float | None,
    typer.Option("--every", min=0.01, metavar="SECONDS", help="Ask the backend at this pace.", show_default="2 to 60"),
]
Picture = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Write the curves there, as a page of HTML.")
]
Hours = Annotated[
    float | None,
    typer.Option("--keep-hours", min=0, metavar="HOURS", help="Clean what bills while idle so long after the end."),
]


def start(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A dataset's id or folder, or a training file.")],
    backend: Backend,
    model: Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help="The base model, as it knows it.")],
    validation: Annotated[
        Path | None, typer.Argument(metavar="[VALIDATION]", help="The file for validation that goes with a file.")
    ] = None,
    method: Annotated[
        Literal["sft", "dpo"], typer.Option("--method", help="Learn from replies, or from pairs of them.")
    ] = "sft",
    epochs: Annotated[
        float | None, typer.Option("--epochs", min=0, help="Passes over it.", show_default="the backend's choice")
    ] = None,
    suffix: Annotated[str, typer.Option("--suffix", metavar="NAME", help="A part of the tuned model's name.")] = "",
    seed: Annotated[int, typer.Option("--seed", help="Another number shuffles differently.")] = 0,
    option: Option = None,
    limit_usd: Limit = None,
    usd_per_million: Price = None,
    keep_hours: Hours = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and estimate.")] = False,
    watching: Watch = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check a dataset, say what it will cost, and start a tuning job. Nothing is sent before all of it is checked."""
    from persona.tuning.prepare import TuningOrder

    order = TuningOrder(
        *(dataset, backend, model, method, validation, epochs, suffix, seed, _options(option or [])),
        *(limit_usd, usd_per_million, keep_hours, me()),
    )

    async def begin(jobs: "AsyncJobs") -> "Job | None":
        made = jobs.prepare(order)
        if dry_run and json:
            show_json(prepared_json(made))
        if not json:
            show_prepared(made)
        if not dry_run:
            return await jobs.start(made)
        made.discard()
        return None

    if job := _done(config, begin):
        _go_on(job, config, watching=watching, json=json)


def again(
    id: JobId,
    backend: Backend = "",
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="MODEL", help="The base model.", show_default="the same")
    ] = "",
    limit_usd: Limit = None,
    usd_per_million: Price = None,
    watching: Watch = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Start a job's dataset anew, on another backend: in its format, after the same checks."""
    prices = {"limit_usd": limit_usd, "usd_per_million": usd_per_million}
    job = _done(config, lambda jobs: jobs.again(id, backend=backend, base_model=model, who=me(), **prices))
    if not json:
        show(cost(job.estimate))
    _go_on(job, config, watching=watching, json=json)


def resume(
    id: JobId, option: Option = None, watching: Watch = False, json: Json = False, config: Config = None
) -> None:
    """Go on with a job that failed or was cancelled: on this machine, from its last checkpoint."""
    options = _options(option or [])
    _go_on(_done(config, lambda jobs: jobs.resume(id, options)), config, watching=watching, json=json)


def merge(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Folders of whole models, or jobs' ids.")],
    method: Annotated[
        Literal["linear", "task_arithmetic", "slerp", "ties"],
        typer.Option("--method", help="How they are combined; the last two by mergekit."),
    ] = "linear",
    weight: Annotated[
        list[float] | None, typer.Option("--weight", "-w", help="Of each model, in their order.", show_default="1")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="FOLDER", help="What they were tuned from.", show_default="the jobs' own"),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where it is written.", show_default="the job's folder"),
    ] = None,
    density: Annotated[
        float, typer.Option("--density", min=0, max=1, help="The share of its changes that ties keeps of a model.")
    ] = 0.5,
    json: Json = False,
    config: Config = None,
) -> None:
    """Combine tuned models of one base into a new one. Nothing is written unless all of their weights match."""
    from persona.tuning.merging import MergeOrder

    order = MergeOrder(models, method, weight or (), base, to, density, me())
    with progress("merging") as advance:
        job = _done(config, lambda jobs: jobs.merge(order, advance=advance))
    if json:
        show_json(job_json(job))
    else:
        show(f"{job.id}: {job.progress.tuned_model if job.progress else ''}")


def listing(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most jobs that are listed.")] = 20,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the jobs, the newest first, as they were when somebody last looked."""
    found = _done(config, lambda jobs: jobs.list(limit))
    if json:
        show_json([job_json(one) for one in found])
    elif not found:
        aside("there are no jobs yet: persona tune start")
    else:
        headers = ("job", "backend", "base model", "method", "state", "step", "result", "started")
        show_table(headers, [row(one) for one in found], {"failed": "red", "succeeded": "green", "running": "cyan"})


def watch(
    id: JobId,
    every: Every = None,
    page: Picture = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Follow a job until it has ended: its progress, its loss, and an alarm when it learns by heart.

    Any number may watch, and go on after being killed. Exit code 0 when it succeeded, 1 when not.
    """
    _leave(_done(config, lambda jobs: _follow(jobs, id, every, page, json=json)))


def cancel(id: JobId, json: Json = False, config: Config = None) -> None:
    """End a job. A deployment that it made goes on billing until it is cleaned."""
    job = _done(config, lambda jobs: jobs.cancel(id))
    if json:
        show_json(job_json(job))
    else:
        told = job.state if job.finished else f"{job.state}, and asked to end: persona tune watch {job.id}"
        show(f"{job.id}: {told}")


def clean(
    id: Annotated[str | None, typer.Argument(metavar="JOB", help="The job's id.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Every job whose time is over.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Remove what a finished job left at its backend: deployments and endpoints that bill, uploaded files."""
    if (id is None) is not expired:
        raise MisuseError("clean what?", hint="name a job, or pass --expired")
    done = [_done(config, lambda jobs: jobs.clean(id))] if id else _done(config, lambda jobs: jobs.clean_expired())
    if json:
        show_json([asdict(one) for one in done])
    elif not done:
        aside("no job's time is over")
    else:
        for one in done:
            show(f"{one.job_id}: {one.problem or ', '.join(one.removed) or 'nothing was left'}")
    if any(one.problem for one in done):
        raise typer.Exit(FAILED)


def idle(json: Json = False, config: Config = None) -> None:
    """List what bills while nobody asks it anything: since when, at what price, and how much by now."""
    found = _done(config, lambda jobs: jobs.idle())
    if json:
        show_json([{**asdict(one), "job": one.job.id} for one in found])
    elif not found:
        aside("no job left anything that bills while idle")
    else:
        headers = ("job", "backend", "what", "hours", "USD an hour", "USD by now", "cleaned by itself")
        show_table(headers, [idle_row(one) for one in found])
        for source in dict.fromkeys(one.source for one in found if one.source):
            aside(f"prices: {source}")


def keep(
    id: JobId,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0, help="How long from now.", show_default="for ever")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Keep what a job left, such as a deployment that is to serve, for some hours or for ever."""
    job = _done(config, lambda jobs: jobs.keep(id, hours))
    if json:
        show_json(job_json(job))
    else:
        show(
            f"{id}: {f'kept until {moment(job.expires_us)}' if job.expires_us else 'kept until it is cleaned by hand'}"
        )


def _done(config: str | None, work: "Callable[[AsyncJobs], Coroutine[Any, Any, T]]") -> T:
    """What comes of work on the jobs of an installation."""
    from persona.assistant.jobs import AsyncJobs

    async def run() -> T:
        async with AsyncJobs.open(read_settings(config)) as jobs:
            return await work(jobs)

    return asyncio.run(run())


def _go_on(job: "Job", config: str | None, *, watching: bool, json: bool) -> None:
    """What is said of a job that was just started."""
    if watching:
        _leave(_done(config, lambda jobs: _follow(jobs, job.id, None, None, json=json)))
        return
    if json:
        show_json(job_json(job))
    elif job.state == "starting":
        show(f"{job.id} could not be started yet: {job.problem}")
    else:
        show(job.id)
    aside(f"persona tune watch {job.id} follows it")
    if job.state == "starting":
        raise typer.Exit(FAILED)


async def _follow(jobs: "AsyncJobs", id: str, every: float | None, page: Path | None, *, json: bool) -> "Job":
    seen = None
    async for seen in jobs.watch(id, every_s=every):
        if json:
            show_json({**job_json(seen.job), "alarm": asdict(seen.alarm) if seen.alarm else None})
        else:
            show_seen(seen)
        if page:
            _write(page, page_of(seen))
    assert seen is not None, "a watched job is seen at least once"  # noqa: S101 - narrows the type
    if not json:
        show_end(seen)
    return seen.job


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MisuseError(f"cannot write {str(path)!r}: {error.strerror}", hint="name another --picture") from error


def _leave(job: "Job") -> None:
    if job.state != "succeeded":
        raise typer.Exit(FAILED)


def _options(written: Sequence[str]) -> dict[str, str]:
    parts = [one.partition("=") for one in written]
    if bad := next((name for name, sign, _ in parts if not sign or not name), None):
        raise MisuseError(f"--option {bad!r} has no value", hint="write --option KEY=VALUE")
    return {name: value for name, _, value in parts}
