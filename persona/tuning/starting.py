"""Begins a job so that it survives a kill at any instant: written down, then asked of the backend, then confirmed.

What was begun and not confirmed is found in the store as `starting`. Whoever goes on with it takes its lease and asks
the backend again, which by the job's id finds what it began before.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from persona.errors import BusyError, MisuseError, NotFound, PersonaError, ProviderError, StoreError
from persona.harvest.formats import available, find
from persona.store import jobs
from persona.tuning.bench import Bench
from persona.tuning.files import Files, check_unchanged
from persona.values.tuning import Job

log = logging.getLogger("persona.tuning")

LEASE_US = 60_000_000
"""How long nobody else asks the backend after the last sign of life of whoever does."""


async def begin(bench: Bench, job: Job) -> Job:
    """Writes a prepared job down and asks its backend to start it.

    A backend that could not be reached leaves it `starting`, with the problem, for `go_on`. Raises what the backend
    refuses it for; the job has failed then.
    """
    until_us = bench.now_us() + LEASE_US
    await bench.database.run(lambda tx: jobs.add(tx, job, until_us))
    return await _ask(bench, job, until_us)


async def go_on(bench: Bench, job: Job) -> Job:
    """Goes on with a job that was begun and not confirmed. Raises BusyError while somebody else is at it."""
    now_us = bench.now_us()
    until_us = now_us + LEASE_US
    if not await bench.database.run(lambda tx: jobs.claim(tx, job.id, now_us, until_us)):
        now = await bench.job(job.id)
        if now.state == "starting":
            raise BusyError(f"{job.id} is being started by another process", hint="watch it a little later")
        return now
    return await _ask(bench, await bench.job(job.id), until_us)


async def resume(bench: Bench, id: str, options: Mapping[str, str]) -> Job:
    """Asks the backend to go on with a run that has ended without a result, with some options changed.

    Raises MisuseError for a job that runs, has succeeded or was cleaned, and what `begin` raises.
    """
    job = await bench.job(id)
    training = replace(job.training, options={**job.training.options, **options})
    until_us = bench.now_us() + LEASE_US
    if not await bench.database.run(lambda tx: jobs.reopen(tx, id, training, until_us)):
        told = "cleaned" if job.cleaned_us else job.state
        raise MisuseError(f"{id} is {told}", hint="only what has failed or was cancelled can be gone on with")
    return await _ask(bench, await bench.job(id), until_us)


async def _ask(bench: Bench, job: Job, token: int) -> Job:
    tuning, wanted = bench.tuning(job), not job.ending
    async with kept(bench, job.id, token) as lease:
        try:
            if wanted:
                await asyncio.to_thread(check_unchanged, _files_of(job), job.digest)
            handle = await tuning.start(replace(job.training, adopt=not wanted))
        except PersonaError as error:
            return await _not_started(bench, job, lease.token, error)
        except BaseException:  # whether it was begun is not known: the next one finds out
            with contextlib.suppress(StoreError):  # the lease ends by itself
                bench.database.run_now(lambda tx: jobs.wait(tx, job.id, lease.token, "interrupted"))
            raise
    if not await bench.database.run(lambda tx: jobs.start(tx, job.id, handle)):
        await _end_twin(bench, job, handle)
    now = await bench.job(job.id)
    return await tell_to_end(bench, now) if now.ending == "asked" and not now.finished else now


async def tell_to_end(bench: Bench, job: Job) -> Job:
    """Tells the backend that a job is to end, as was written down. Raises ProviderError, and it is told later."""
    await bench.tuning(job).cancel(job.handle)
    await bench.database.run(lambda tx: jobs.told_to_end(tx, job.id))
    return await bench.job(job.id)


async def _not_started(bench: Bench, job: Job, token: int, error: PersonaError) -> Job:
    """Keeps why; raises it again where the job has failed."""
    cancelled = job.ending != "" and isinstance(error, NotFound)
    if error.retryable:
        await bench.database.run(lambda tx: jobs.wait(tx, job.id, token, str(error)))
    else:
        problem = "" if cancelled else str(error)
        await bench.database.run(lambda tx: jobs.end_unstarted(tx, job.id, token, bench.now_us(), problem))
        if not cancelled:
            raise error
    return await bench.job(job.id)


async def _end_twin(bench: Bench, job: Job, handle: str) -> None:
    """Ends a run that was begun while another process, which had the lease by then, began one too."""
    now = await bench.job(job.id)
    if now.handle == handle:
        return
    log.warning("%s was started twice: the second run is ended", job.id)
    try:
        await bench.tuning(job).cancel(handle)
    except ProviderError as error:
        log.error("%s: the second run %s could not be ended: %s", job.id, handle, type(error).__name__)
        raise


def _files_of(job: Job) -> Files:
    return Files(job.training.train, job.training.validation, find(job.format, available()))


class Lease:
    """A lease that is kept; `token` is its end, which moves on."""

    def __init__(self, token: int) -> None:
        self.token = token


@asynccontextmanager
async def kept(bench: Bench, id: str, token: int, every_s: float = LEASE_US / 3e6) -> AsyncIterator[Lease]:
    """Shows signs of life while the block runs: an upload may take longer than a lease."""
    lease = Lease(token)

    async def live() -> None:
        while True:
            await asyncio.sleep(every_s)
            until_us, held = bench.now_us() + LEASE_US, lease.token
            try:
                if await bench.database.run(lambda tx: jobs.renew(tx, id, held, until_us)):  # noqa: B023
                    lease.token = until_us
            except StoreError as error:  # the lease is long enough for another sign
                log.warning("%s: a sign of life could not be given: %s", id, type(error).__name__)

    living = asyncio.create_task(live(), name=f"persona-{id}")
    try:
        yield lease
    finally:
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
