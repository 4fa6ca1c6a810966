"""Tuning jobs, for whoever runs an installation: start, follow, end, clean. The sync class is calls of the portal."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from persona.adapter import Adapter
from persona.assistant.database import prepared
from persona.assistant.portal import Portal
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.settings import Settings, load
from persona.store import jobs
from persona.tuning import ending, following, merging, starting
from persona.tuning.bench import Bench
from persona.tuning.ending import Cleaned, Idle
from persona.tuning.following import Seen
from persona.tuning.merge import Advance
from persona.tuning.merging import MergeOrder
from persona.tuning.prepare import Prepared, TuningOrder, prepare
from persona.values.time import to_us
from persona.values.tuning import Job


class AsyncJobs:
    """The tuning jobs of an installation. Use `open`, then `async with`, or call `close` at the end."""

    def __init__(
        self,
        settings: Settings,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.settings = settings
        self._providers = Providers(settings, os.environ if environment is None else environment, adapters)
        self._now_us = utc_now_us if clock is None else lambda: to_us(clock())
        self._stack = ExitStack()
        self._bench: Bench | None = None

    @classmethod
    def open(
        cls,
        source: str | Path | Settings | None = None,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Self:
        """The jobs of a settings file, or of settings made in code; the database is opened on first use.

        Where there is none yet, the first order makes it; what asks for a job then raises StoreUnavailable. `adapters`,
        `environment` and `clock` are as for an assistant. Raises SettingsError.
        """
        settings = source if isinstance(source, Settings) else load(source, environment)
        return cls(settings, adapters=adapters, environment=environment, clock=clock)

    def prepare(self, order: TuningOrder) -> Prepared:
        """Checks an order: the dataset, the cost and what ends soon. Nothing is stored or sent.

        `start` or `discard` it: files that had to be written anew wait for that. Raises what `start` raises before it
        asks the backend.
        """
        return prepare(self._open(make=True), order)

    async def start(self, order: TuningOrder | Prepared) -> Job:
        """Starts a job at its backend. It is written down before, so that none is ever billed and forgotten.

        Where the backend cannot be reached the job stays `starting`, and `watch` goes on with it. Raises TuningClosed,
        TooExpensive, InvalidInput, NotFound and AdapterMissing with nothing done; and what the backend refuses it for.
        """
        bench = self._open(make=True)
        made = order if isinstance(order, Prepared) else await asyncio.to_thread(prepare, bench, order)
        return await starting.begin(bench, made.job)

    async def again(
        self,
        id: str,
        *,
        backend: str = "",
        base_model: str = "",
        limit_usd: float | None = None,
        usd_per_million: float | None = None,
        who: str = "",
    ) -> Job:
        """Starts a job's dataset anew, on another backend or the same. Raises as `start` does.

        What only the old backend understood, its options, stays behind when the backend is another one.
        """
        bench = self._open()
        old = await bench.job(id)
        known = old.training
        same = backend in ("", old.backend)
        order = TuningOrder(
            old.dataset,
            backend or old.backend,
            base_model or known.base_model,
            known.method,
            old.beside or None,
            known.epochs,
            known.suffix,
            known.seed,
            known.options if same else {},
            limit_usd,
            usd_per_million,
            old.keep_hours,
            who,
            id,
        )
        return await self.start(order)

    async def resume(self, id: str, options: Mapping[str, str] | None = None) -> Job:
        """Lets the backend go on with a run that has failed or was cancelled, with some of its options changed.

        On this machine it goes on from its last checkpoint; what a vendor has ended stays ended, and `again` starts it
        anew. Raises MisuseError for any other job, NotFound, and what `start` raises.
        """
        return await starting.resume(self._open(), id, options or {})

    async def merge(self, order: MergeOrder, *, advance: Advance | None = None) -> Job:
        """Merges tuned models of one base into a new one, and writes down what it was made of.

        `advance` is told how many tensors are done, and of how many. Raises InvalidInput, NotFound, WeightsDiffer with
        the tensor that does not match, NoRoom, and AdapterMissing without mergekit: nothing is written or stored then.
        """
        return await merging.merge(self._open(make=True), order, advance or (lambda done, total: None))

    async def list(self, limit: int = 20) -> tuple[Job, ...]:
        """The last jobs, the newest first, as they are stored."""
        return tuple(await self._open().database.run(lambda tx: jobs.newest(tx, limit), write=False))

    async def job(self, id: str) -> Job:
        """One job as it is stored. Raises NotFound."""
        return await self._open().job(id)

    async def watch(self, id: str, *, every_s: float | None = None) -> AsyncIterator[Seen]:
        """The job now, then whenever something about it has changed, until it has ended.

        Any number may watch, and any of them be killed. Raises NotFound, and ProviderError that will not mend itself.
        """
        async for seen in following.watch(self._open(), id, every_s=every_s):
            yield seen

    async def cancel(self, id: str) -> Job:
        """Ends a job, if it has not ended. Raises NotFound and ProviderError."""
        return await ending.cancel(self._open(), id)

    async def clean(self, id: str) -> Cleaned:
        """Removes what a finished job left that bills or takes room. Raises MisuseError, NotFound, ProviderError."""
        return await ending.clean(self._open(), id)

    async def clean_expired(self) -> tuple[Cleaned, ...]:
        """The same for every job whose time is over."""
        return tuple(await ending.clean_expired(self._open()))

    async def idle(self) -> tuple[Idle, ...]:
        """What bills while nobody asks it anything, the dearest so far first."""
        return tuple(await ending.idle(self._open()))

    async def keep(self, id: str, hours: float | None) -> Job:
        """Keeps what a job leaves for so many hours from now, or from its end; None for ever. Raises NotFound."""
        return await ending.keep(self._open(), id, hours)

    async def close(self) -> None:
        """Closes the database. Safe to repeat."""
        self._bench = None
        self._stack.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self, *, make: bool = False) -> Bench:
        if self._bench is None:
            database = self._stack.enter_context(prepared(self.settings, make=make))
            self._bench = Bench(self.settings, database, self._providers, self._now_us)
        return self._bench


class Jobs:
    """The tuning jobs of an installation. Use `open`, then `with`, or call `close` at the end."""

    def __init__(self, portal: Portal, jobs: AsyncJobs) -> None:
        self._portal = portal
        self._jobs = jobs

    @classmethod
    def open(
        cls,
        source: str | Path | Settings | None = None,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Self:
        """The jobs of a settings file, or of settings made in code; the database is opened on first use.

        Where there is none yet, the first order makes it; what asks for a job then raises StoreUnavailable. `adapters`,
        `environment` and `clock` are as for an assistant. Raises SettingsError.
        """
        made = AsyncJobs.open(source, adapters=adapters, environment=environment, clock=clock)
        return cls(Portal(), made)

    @property
    def settings(self) -> Settings:
        """What they were opened with."""
        return self._jobs.settings

    def prepare(self, order: TuningOrder) -> Prepared:
        """Checks an order: the dataset, the cost and what ends soon. Nothing is stored or sent.

        `start` or `discard` it: files that had to be written anew wait for that. Raises what `start` raises before it
        asks the backend.
        """
        return self._jobs.prepare(order)

    def start(self, order: TuningOrder | Prepared) -> Job:
        """Starts a job at its backend. It is written down before, so that none is ever billed and forgotten.

        Where the backend cannot be reached the job stays `starting`, and `watch` goes on with it. Raises TuningClosed,
        TooExpensive, InvalidInput, NotFound and AdapterMissing with nothing done; and what the backend refuses it for.
        """
        return self._portal.call(self._jobs.start(order))

    def again(
        self,
        id: str,
        *,
        backend: str = "",
        base_model: str = "",
        limit_usd: float | None = None,
        usd_per_million: float | None = None,
        who: str = "",
    ) -> Job:
        """Starts a job's dataset anew, on another backend or the same. Raises as `start` does.

        What only the old backend understood, its options, stays behind when the backend is another one.
        """
        changes = {"limit_usd": limit_usd, "usd_per_million": usd_per_million}
        return self._portal.call(self._jobs.again(id, backend=backend, base_model=base_model, who=who, **changes))

    def resume(self, id: str, options: Mapping[str, str] | None = None) -> Job:
        """Lets the backend go on with a run that has failed or was cancelled, with some of its options changed.

        On this machine it goes on from its last checkpoint; what a vendor has ended stays ended, and `again` starts it
        anew. Raises MisuseError for any other job, NotFound, and what `start` raises.
        """
        return self._portal.call(self._jobs.resume(id, options))

    def merge(self, order: MergeOrder, *, advance: Advance | None = None) -> Job:
        """Merges tuned models of one base into a new one, and writes down what it was made of.

        `advance` is told how many tensors are done, and of how many. Raises InvalidInput, NotFound, WeightsDiffer with
        the tensor that does not match, NoRoom, and AdapterMissing without mergekit: nothing is written or stored then.
        """
        return self._portal.call(self._jobs.merge(order, advance=advance))

    def list(self, limit: int = 20) -> tuple[Job, ...]:
        """The last jobs, the newest first, as they are stored."""
        return self._portal.call(self._jobs.list(limit))

    def job(self, id: str) -> Job:
        """One job as it is stored. Raises NotFound."""
        return self._portal.call(self._jobs.job(id))

    def watch(self, id: str, *, every_s: float | None = None) -> Iterator[Seen]:
        """The job now, then whenever something about it has changed, until it has ended.

        Any number may watch, and any of them be killed. Raises NotFound, and ProviderError that will not mend itself.
        """
        return self._portal.iterate(self._jobs.watch(id, every_s=every_s))

    def cancel(self, id: str) -> Job:
        """Ends a job, if it has not ended. Raises NotFound and ProviderError."""
        return self._portal.call(self._jobs.cancel(id))

    def clean(self, id: str) -> Cleaned:
        """Removes what a finished job left that bills or takes room. Raises MisuseError, NotFound, ProviderError."""
        return self._portal.call(self._jobs.clean(id))

    def clean_expired(self) -> tuple[Cleaned, ...]:
        """The same for every job whose time is over."""
        return self._portal.call(self._jobs.clean_expired())

    def idle(self) -> tuple[Idle, ...]:
        """What bills while nobody asks it anything, the dearest so far first."""
        return self._portal.call(self._jobs.idle())

    def keep(self, id: str, hours: float | None) -> Job:
        """Keeps what a job leaves for so many hours from now, or from its end; None for ever. Raises NotFound."""
        return self._portal.call(self._jobs.keep(id, hours))

    def close(self) -> None:
        """Closes the database. Safe to repeat."""
        if self._portal.open:
            self._portal.call(self._jobs.close())
            self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
