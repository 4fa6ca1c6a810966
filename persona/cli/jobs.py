"""Tuning jobs as the command line says them: lines, curves and facts for people, JSON types for machines."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona.cli.output import aside, picture, show
from persona.cli.words import moment

if TYPE_CHECKING:
    from persona.tuning.ending import Idle
    from persona.tuning.following import Seen
    from persona.tuning.prepare import Prepared
    from persona.values.tuning import Estimate, Job


def show_prepared(made: "Prepared") -> None:
    """What a person should know before a job begins."""
    for file in made.report.files:
        show(f"{file.name}: {file.rows:,} rows of {made.report.format}")
    for warning in made.warnings:
        show(f"note: {warning}")
    show(cost(made.job.estimate))


def cost(one: "Estimate") -> str:
    """An estimate in words, with its source."""
    source = f" ({one.source}{f', read {one.checked}' if one.checked else ''})" if one.source else ""
    if one.usd is None:
        price = "" if one.price is None else f", ${one.price:g} a million{source}"
        return f"cost: unknown, {one.why}; {one.tokens:,} tokens a pass{price}"
    if one.price == 0:
        return f"cost: nothing{source}; {one.tokens:,} tokens a pass"
    about = "" if not one.why else "about "
    price = f"${one.price:g} a million{source}"
    return f"cost: {about}${one.usd:.2f} = {one.tokens:,} tokens × {one.epochs:g} epochs × {price}"


def show_seen(seen: "Seen") -> None:
    """A line for what is new."""
    job, progress = seen.job, seen.job.progress
    said: list[str] = [job.state]
    if progress and progress.step:
        said.append(f"step {progress.step:,}{f' of {progress.total_steps:,}' if progress.total_steps else ''}")
    if progress:
        for name in ("training", "validation"):
            values = [value for one in progress.points if (value := getattr(one, name)) is not None]
            said += [f"{name} loss {values[-1]:.4g}"] if values else []
    if progress and not job.finished:
        said += progress.notes
    if job.ending and not job.finished:
        said.append("asked to end")
    if seen.trouble:
        said.append(f"waiting: {seen.trouble}")
    show("  ".join(said))


def show_end(seen: "Seen") -> None:
    """The curves of a job that has ended, and what came of it."""
    from persona.reports import curves
    from persona.tuning.alarm import best_checkpoint

    job, progress = seen.job, seen.job.progress
    best = best_checkpoint(progress) if progress else None
    if progress and progress.points:
        marked = best.step if best else None
        picture(
            lambda width: curves.picture(progress.points, width, marked),
            lambda width: curves.plain_picture(progress.points, width, marked),
        )
    for name, value in _facts(seen):
        show(f"{name}: {value}")
    if job.bills:
        aside("it bills while idle: persona tune idle, persona tune clean")


def _facts(seen: "Seen") -> list[tuple[str, str]]:
    """What a person should know of a job, by name; what there is nothing to say of is left out."""
    from persona.tuning.alarm import best_checkpoint

    job, progress, alarm = seen.job, seen.job.progress, seen.alarm
    best = best_checkpoint(progress) if progress else None
    facts = [
        ("job", job.id),
        ("state", job.state),
        ("trained", f"{job.backend}:{job.training.base_model} by {job.training.method} on {job.dataset}"),
        ("problem", job.problem),
        ("tuned model", progress.tuned_model if progress else ""),
        ("best checkpoint", f"step {best.step}, {best.model}" if best else ""),
        ("trained tokens", f"{progress.trained_tokens:,}" if progress and progress.trained_tokens else ""),
        ("bills while idle", ", ".join(job.bills)),
        *(("note", note) for note in (progress.notes if progress else ())),
    ]
    if alarm:
        said = f"validation loss has risen since step {alarm.since_step} while training loss fell; it was lowest, "
        facts.append(("overfitting", f"{said}{alarm.best_validation:.4g}, at step {alarm.best_step}"))
    return [(name, value) for name, value in facts if value]


def page_of(seen: "Seen") -> str:
    """The same as a page of HTML."""
    from persona.reports import curves
    from persona.tuning.alarm import best_checkpoint

    progress = seen.job.progress
    best = best_checkpoint(progress) if progress else None
    points = progress.points if progress else ()
    return curves.page(f"Job {seen.job.id}", points, _facts(seen), best.step if best else None)


def row(job: "Job") -> tuple[str, ...]:
    """A line of the listing."""
    training, progress = job.training, job.progress
    step = f"{progress.step:,}" if progress and progress.step else "-"
    result = job.problem or (progress.tuned_model if progress else "") or "-"
    state = "cleaned" if job.cleaned_us else job.state
    return job.id, job.backend, training.base_model, training.method, state, step, result, moment(job.created_us)


def idle_row(one: "Idle") -> tuple[str, ...]:
    """A line of what bills while idle."""
    price = "unknown" if one.price is None else f"{one.price:g}"
    by_now = "unknown" if one.usd is None else f"{one.usd:.2f}"
    ends = moment(one.job.expires_us) if one.job.expires_us else "never"
    return one.job.id, one.job.backend, ", ".join(one.names), f"{one.hours:.1f}", price, by_now, ends


def job_json(job: "Job") -> dict[str, Any]:
    """A job in JSON types."""
    training = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(job.training).items()
        if name != "adopt"
    }
    return {**asdict(job), "training": training}


def prepared_json(made: "Prepared") -> dict[str, Any]:
    """What would be started, in JSON types."""
    files = [{"name": one.name, "rows": one.rows} for one in made.report.files]
    told = {"format": made.report.format, "files": files, "warnings": made.warnings, "card": asdict(made.card)}
    return {"estimate": asdict(made.job.estimate), **told}
