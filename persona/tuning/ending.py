"""Ends jobs, and removes what they left: on request, when their time is over, and what bills while idle."""

from dataclasses import dataclass, replace

from persona.errors import BusyError, MisuseError, ModelNotFound, PersonaError
from persona.store import jobs, tasks
from persona.store.transaction import Transaction
from persona.tasks.clean import clean_job
from persona.tuning.bench import Bench, card_of
from persona.tuning.following import keep as keep_progress
from persona.tuning.following import step
from persona.tuning.starting import tell_to_end
from persona.values.request import Target
from persona.values.tuning import Job, Progress

_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Idle:
    """What of a job bills while nobody asks it anything: for how many hours, and for how much in US dollars.

    `price` is per hour; it and `usd` are None where nobody has told.
    """

    job: Job
    names: tuple[str, ...]
    hours: float
    price: float | None
    usd: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed of a job, or why it was not."""

    job_id: str
    removed: tuple[str, ...]
    problem: str = ""


async def cancel(bench: Bench, id: str) -> Job:
    """Ends a job. The wish is written down first: where the backend cannot be told now, a watcher tells it later.

    No error when it has ended. Raises NotFound and ProviderError.
    """
    job = await bench.job(id)
    if job.finished:
        return job
    await bench.database.run(lambda tx: jobs.ask_to_end(tx, id))
    job = await bench.job(id)
    if job.state == "starting":
        try:
            return await step(bench, id)
        except BusyError:
            return job  # whoever starts it sees the wish
    try:
        if job.ending == "asked":
            await tell_to_end(bench, job)
        return await step(bench, id)
    except ModelNotFound as error:
        said = f"the backend has no such run any more: {error}"
        await keep_progress(bench, job, replace(job.progress or Progress("failed"), state="failed", problem=said))
        return await bench.job(id)


async def clean(bench: Bench, id: str) -> Cleaned:
    """Removes what a finished job left at its backend. Raises MisuseError while it runs, NotFound and ProviderError."""
    job = await bench.job(id)
    if not job.finished:
        raise MisuseError(f"{id} is still {job.state}", hint=f"wait for it, or run `persona tune cancel {id}` first")
    if job.cleaned_us:
        return Cleaned(id, ())
    return Cleaned(id, tuple(await clean_job(bench.database, bench.providers, job, bench.now_us())))


async def clean_expired(bench: Bench) -> list[Cleaned]:
    """Cleans every job whose time is over; one that cannot be cleaned keeps none of the others."""
    now_us = bench.now_us()
    left = await bench.database.run(jobs.left, write=False)
    done = []
    for job in left:
        if not 0 < job.expires_us <= now_us:
            continue
        try:
            done.append(await clean(bench, job.id))
        except PersonaError as error:
            done.append(Cleaned(job.id, (), str(error)))
    return done


async def idle(bench: Bench) -> list[Idle]:
    """What bills while idle, the dearest so far first."""
    left = await bench.database.run(jobs.left, write=False)
    found = [_idle(bench, job) for job in left if job.bills]
    return sorted(found, key=lambda one: (-(one.usd or 0.0), -one.hours))


async def keep(bench: Bench, id: str, hours: float | None) -> Job:
    """Keeps what a job leaves for so many hours from its end (from now on, when it has ended); None for ever.

    Raises NotFound, and MisuseError when it was cleaned.
    """
    job, now_us = await bench.job(id), bench.now_us()

    def write(tx: Transaction) -> bool:
        kept = jobs.keep(tx, job, hours, now_us)
        if kept and job.finished and hours is not None:
            until_us = jobs.expiry(hours, now_us)
            tasks.put(tx, "clean", 0, id, now_us, run_after_us=until_us)
        return kept

    if not await bench.database.run(write):
        raise MisuseError(f"nothing is left of {id}", hint="it was cleaned: `persona tune again` starts it anew")
    return await bench.job(id)


def _idle(bench: Bench, job: Job) -> Idle:
    hours = (bench.now_us() - job.ended_us) / _HOUR_US
    try:
        card = card_of(bench.providers, Target(job.backend, job.training.base_model))
    except MisuseError:  # the backend left the settings, or its adapter this machine
        return Idle(job, job.bills, hours, None, None, "")
    price = card.idle_price
    return Idle(job, job.bills, hours, price, None if price is None else price * hours * len(job.bills), card.source)
