"""From settings to a working set of rooms: everything is opened here, and closed here."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import cast

from persona.adapter import Adapter, RemoteEmbedder, is_local
from persona.calling.providers import Providers
from persona.conversation.prompts import Prompts
from persona.conversation.services import Services, utc_now_us
from persona.errors import StoreError
from persona.memory.cache import IndexCache
from persona.routing.routes import Routes
from persona.settings.schema import Settings
from persona.store import calibrations
from persona.store.engine import Database, Transaction
from persona.store.schema import prepare
from persona.tasks.documents import follow_files
from persona.tasks.worker import Worker
from persona.tasks.workshop import Workshop
from persona.window.calibration import Calibration

log = logging.getLogger("persona")

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Rooms:
    """An open set: what turns work with, and the worker for what they leave to be done."""

    services: Services
    worker: Worker

    async def close(self) -> None:
        """Finishes background work within its time, keeps what was learnt of counters, and closes everything."""
        services = self.services
        async with AsyncExitStack() as stack:  # each step is taken whatever another one raises
            stack.callback(services.database.close)
            if not is_local(services.embedder):
                stack.push_async_callback(cast(RemoteEmbedder, services.embedder).close)
            stack.push_async_callback(services.providers.close)
            stack.push_async_callback(self._save)
            if services.settings.tasks.run:
                stack.push_async_callback(self.worker.stop, services.settings.tasks.drain_s)

    async def _save(self) -> None:
        services = self.services
        if not services.providers.learnt:
            return
        try:
            await services.database.run(lambda tx: _save(tx, services))
        except StoreError as error:  # it will be learnt again
            log.warning("what was learnt of token counts could not be kept: %s", type(error).__name__)


def check(settings: Settings, environment: Mapping[str, str], adapters: Sequence[Adapter] = ()) -> Routes:
    """The settings' routes, with everything checked that could fail later without a network.

    Raises SettingsError for a template, AdapterMissing for a provider that no installed adapter serves.
    """
    routes = Routes(settings)
    providers = Providers(settings, environment, adapters)
    for target in {target for arm in routes.all() for target in arm.targets}:
        providers.adapter(target.provider)
    return routes


async def open_rooms(
    settings: Settings,
    environment: Mapping[str, str],
    adapters: Sequence[Adapter] = (),
    now_us: Callable[[], int] = utc_now_us,
) -> Rooms:
    """Opens the database (SQLite migrates itself), reads knowledge files that changed, and starts background work.

    Belongs to the running event loop. Raises StoreError, SettingsError, AdapterMissing and InvalidInput.
    """
    routes = check(settings, environment, adapters)
    providers = Providers(settings, environment, adapters)
    embedder = providers.embedder(settings.memory.embedder)
    store = settings.store
    database = Database(
        settings.database_url,
        durability=store.durability,
        busy_timeout_s=store.busy_timeout_s,
        statement_timeout_s=store.statement_timeout_s,
        connections=store.connections,
    )
    try:
        await database.thread(lambda: prepare(database))
        known = await database.run(calibrations.load, write=False)
        providers.calibrations.update({key: Calibration(*seen) for key, seen in known.items()})
        indexes = IndexCache(settings.memory.index_cache_mb * _MEGABYTE, embedder.name)
        place = Workshop(settings, database, providers, routes, embedder, indexes, now_us)
        for name in settings.knowledge:
            await follow_files(place, name)
    except BaseException:
        database.close()
        raise
    worker = Worker(place)
    services = Services(settings, database, providers, routes, embedder, indexes, Prompts(embedder), now_us=now_us)
    if settings.tasks.run:
        services.on_task = worker.wake
        worker.start()
    return Rooms(services, worker)


def _save(tx: Transaction, services: Services) -> None:
    for (target, counter), seen in sorted(services.providers.learnt.items()):
        calibrations.save(tx, target, counter, seen.ratio, seen.error, seen.samples, services.now_us())
