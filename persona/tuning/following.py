"""Follows a job to its end, by asking its backend again and again. All that is known is in the store.

So a watcher that was killed is replaced by the next, and several agree: the first to hear writes it down, the others
read it, and a job that has ended is never changed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from persona.errors import BusyError, PersonaError
from persona.store import jobs, tasks
from persona.store.jobs import expiry
from persona.store.transaction import Transaction
from persona.tuning.alarm import Alarm, overfitting
from persona.tuning.bench import Bench
from persona.tuning.starting import go_on, tell_to_end
from persona.values.tuning import FINISHED, Job, Progress

FIRST_S, LONGEST_S = 2.0, 60.0
"""Seconds between two questions: from the first, doubled while nothing happens, to the longest."""

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as it is now, its alarm if there is one, and why its backend cannot be asked at the moment."""

    job: Job
    alarm: Alarm | None = None
    trouble: str = ""


async def step(bench: Bench, id: str, fresh_us: int = 0) -> Job:
    """The job after asking its backend, unless somebody did within the last `fresh_us` microseconds.

    One that was not confirmed yet is started. Raises NotFound, ProviderError and BusyError.
    """
    job = await bench.job(id)
    if job.finished:
        return job
    if job.state == "starting":
        return await go_on(bench, job)
    if job.ending == "asked":
        job = await tell_to_end(bench, job)
    if job.checked_us and bench.now_us() - job.checked_us < fresh_us:
        return job
    progress = await bench.tuning(job).follow(job.handle)
    await keep(bench, job, progress)
    return await bench.job(id)


async def keep(bench: Bench, job: Job, progress: Progress) -> None:
    """Writes down what a backend said, and with the end of a job when what it left is to be cleaned."""
    now_us = bench.now_us()
    expires_us = expiry(job.keep_hours, now_us) if progress.state in FINISHED else 0

    def write(tx: Transaction) -> None:
        if jobs.follow(tx, job, progress, now_us) and expires_us:
            tasks.put(tx, "clean", 0, job.id, now_us, run_after_us=expires_us)

    await bench.database.run(write)


async def watch(
    bench: Bench, id: str, *, every_s: float | None = None, pause: Pause = asyncio.sleep
) -> AsyncIterator[Seen]:
    """The job now, then whenever something about it has changed, until it has ended.

    `every_s` asks at a steady pace. While the backend cannot be reached it is asked less and less often, and what came
    last is yielded with the trouble. Raises what asking again will not mend.
    """
    last: Seen | None = None
    quiet, wait_s = 0, 0.0
    while last is None or not last.job.finished:
        if last is not None:
            await pause(wait_s)
        seen = await _look(bench, id, round(wait_s * 500_000))
        quiet = 0 if last is None or seen.job.progress != last.job.progress else min(quiet + 1, 10)
        wait_s = every_s or min(LONGEST_S, FIRST_S * 2**quiet)
        if last is None or _differs(seen, last):
            yield seen
        last = seen


async def _look(bench: Bench, id: str, fresh_us: int) -> Seen:
    trouble = ""
    try:
        job = await step(bench, id, fresh_us)
    except BusyError as error:
        job, trouble = await bench.job(id), error.hint
    except PersonaError as error:
        job = await bench.job(id)
        if not error.retryable and not job.finished:
            raise
        trouble = "" if job.finished else str(error)
    points = job.progress.points if job.progress else ()
    waits = job.problem if job.state == "starting" else ""
    return Seen(job, overfitting(points), trouble or waits)


def _differs(one: Seen, other: Seen) -> bool:
    """Whether more than the time of the last question is another one."""
    told = [
        (seen.job.state, seen.job.progress, seen.job.ending, seen.job.problem, seen.trouble) for seen in (one, other)
    ]
    return told[0] != told[1]
