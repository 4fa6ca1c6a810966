"""Removes what a tuning run left at its backend: endpoints and deployments that bill while idle, uploaded files."""

from collections.abc import Callable, Sequence

from persona.calling.providers import Providers
from persona.store import jobs, tasks
from persona.store.engine import Database
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.workshop import Workshop
from persona.values.tuning import Job


async def clean(workshop: Workshop, task: Task) -> Callable[[Transaction], None] | None:
    """Cleans the job that the task names, if its time is over; if it was prolonged, leaves a task for then."""
    job = await workshop.database.run(lambda tx: jobs.find(tx, task.subject), write=False)
    if job is None or job.cleaned_us or not job.expires_us:
        return None
    now_us, expires_us = workshop.now_us(), job.expires_us
    if expires_us > now_us:
        return lambda tx: tasks.put(tx, "clean", 0, task.subject, now_us, run_after_us=expires_us)
    await clean_job(workshop.database, workshop.providers, job, now_us)
    return None


async def clean_job(database: Database, providers: Providers, job: Job, now_us: int) -> Sequence[str]:
    """Removes what a finished job left, and returns its names. Safe to repeat: what is gone stays gone.

    Raises ProviderError, with the job still to be cleaned.
    """
    removed = await providers.tuning(job.backend).clean(job.handle) if job.handle else ()
    await database.run(lambda tx: jobs.cleaned(tx, job.id, now_us))
    return removed
