"""From settings to a working set of rooms: everything is opened here, and closed here."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import cast

from persona.adapter import Adapter, RemoteEmbedder, cosine_floor, is_local
from persona.calling.providers import Providers
from persona.conversation.services import Services, utc_now_us
from persona.conversation.tails import Tails
from persona.errors import StoreError
from persona.memory.cache import IndexCache
from persona.memory.slots import Slots, slots_of
from persona.render.prompts import Prompts
from persona.routing.routes import Routes
from persona.settings.schema import Settings
from persona.store import calibrations
from persona.store.engine import Database
from persona.store.schema import prepare
from persona.store.transaction import Transaction
from persona.tasks.documents import follow_files
from persona.tasks.worker import Worker
from persona.tasks.workshop import Workshop
from persona.telemetry.watching import telemetry_of
from persona.window.calibration import Calibration

log = logging.getLogger("persona")

_MEGABYTE = 1_000_000
_AT_START = ("store", "tasks", "knowledge", "profile", "telemetry")
_MEMORY_AT_START = ("embedder", "index_cache_mb", "history_cache_mb")


@dataclass(frozen=True, slots=True)
class Rooms:
    """An open set: what turns work with, and the worker for what they leave to be done."""

    services: Services
    worker: Worker

    def change(self, settings: Settings) -> None:
        """Serves with changed settings from the next turn on; turns that run end as they began.

        What is only read when an assistant is opened stays as it is, and is named in the log. Raises SettingsError and
        AdapterMissing, with nothing changed.
        """
        services = self.services
        chosen, later = _changeable(services.settings, settings)
        providers = services.providers.following(chosen)
        routes = checked_routes(chosen, providers)
        self.worker.change(replace(self.worker.workshop, settings=chosen, routes=routes, providers=providers))
        services.settings, services.routes, services.providers = chosen, routes, providers
        services.prompts = Prompts(services.embedder)
        log.info("the settings changed%s", f"; at the next start: {', '.join(later)}" if later else "")

    async def close(self) -> None:
        """Finishes background work within its time, keeps what was learnt of counters, and closes everything."""
        services = self.services
        async with AsyncExitStack() as stack:  # each step is taken whatever another one raises
            stack.push_async_callback(services.database.aclose)
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


def _changeable(now: Settings, wished: Settings) -> tuple[Settings, list[str]]:
    """The wished settings, but for those that count when an assistant is opened; and the names of these that differ."""
    memory = {name: getattr(now.memory, name) for name in _MEMORY_AT_START}
    kept = {name: getattr(now, name) for name in _AT_START}
    later = [name for name in _AT_START if kept[name] != getattr(wished, name)]
    later += [f"memory.{name}" for name in _MEMORY_AT_START if memory[name] != getattr(wished.memory, name)]
    return wished.model_copy(update={**kept, "memory": wished.memory.model_copy(update=memory)}), later


def check(settings: Settings, environment: Mapping[str, str], adapters: Sequence[Adapter] = ()) -> Routes:
    """The settings' routes, with everything checked that could fail later without a network.

    Raises SettingsError for a template, AdapterMissing for a provider that no installed adapter serves.
    """
    return checked_routes(settings, Providers(settings, environment, adapters))


def checked_routes(settings: Settings, providers: Providers) -> Routes:
    """The settings' routes, all of whose targets an adapter serves. Raises as `check` does."""
    routes = Routes(settings)
    for target in {target for arm in routes.all() for target in arm.targets}:
        providers.adapter(target.provider)
    return routes


async def open_rooms(
    settings: Settings,
    environment: Mapping[str, str],
    adapters: Sequence[Adapter] = (),
    now_us: Callable[[], int] = utc_now_us,
    slots: Slots | None = None,
    *,
    follow: bool = True,
) -> Rooms:
    """Opens the database (SQLite migrates itself), reads knowledge files that changed, and starts background work.

    Without `follow` no knowledge file is looked at. Belongs to the running event loop. Raises StoreError,
    SettingsError, AdapterMissing and InvalidInput.
    """
    routes = check(settings, environment, adapters)
    providers = Providers(settings, environment, adapters, telemetry_of(settings.telemetry))
    slots = slots_of(settings.profile) if slots is None else slots
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
        indexes = IndexCache(settings.memory.index_cache_mb * _MEGABYTE, embedder.name, cosine_floor(embedder))
        workshop = Workshop(settings, database, providers, routes, embedder, indexes, now_us, slots)
        for name in settings.knowledge if follow else ():
            await follow_files(workshop, name)
    except BaseException:
        database.close()
        raise
    worker = Worker(workshop)
    prompts = Prompts(embedder)
    tails = Tails(settings.memory.history_cache_mb * _MEGABYTE)
    services = Services(settings, database, providers, routes, embedder, indexes, prompts, slots, tails, now_us=now_us)
    indexes.on_erased = services.tails.clear
    if settings.tasks.run:
        services.on_task = worker.wake
        worker.start()
    return Rooms(services, worker)


def _save(tx: Transaction, services: Services) -> None:
    for (target, counter), seen in sorted(services.providers.learnt.items()):
        calibrations.save(tx, target, counter, seen.ratio, seen.error, seen.samples, services.now_us())
