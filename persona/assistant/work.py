"""Background work in a process of its own, until it is told to stop."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping

from persona.errors import StoreError, StoreReadOnly
from persona.settings import Settings
from persona.store import tasks
from persona.store.backend import shown
from persona.store.engine import Database
from persona.tasks.batch import Batch
from persona.wiring import open_rooms

log = logging.getLogger("persona.tasks")


async def work(
    settings: Settings,
    say: Callable[[Batch], None],
    stopping: asyncio.Event,
    *,
    once: bool = False,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Does the work in the outbox, whatever `tasks.run` says; with `once`, only what is due now.

    After `stopping` is set it takes nothing new, and ends what it has begun within `tasks.drain_s` seconds; the rest
    goes back. Several may work on one database. Raises StoreError, SettingsError, AdapterMissing and InvalidInput.
    """
    apart = settings.model_copy(update={"tasks": settings.tasks.model_copy(update={"run": False})})
    rooms = await open_rooms(apart, os.environ if environment is None else environment)
    try:
        await _check_writable(rooms.services.database)
        rooms.worker.on_batch = say
        running = rooms.worker.start(once=once)
        if not once:
            log.info("at work on %s", shown(rooms.services.database.engine.url))
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        by_itself = running.done() and not once
        await rooms.worker.stop(settings.tasks.drain_s, takes_more=False)
        if by_itself:
            raise StoreReadOnly("the database cannot be written, so no work can be done", hint="let this process write")
    finally:
        await rooms.close()


async def _check_writable(database: Database) -> None:
    """Raises StoreReadOnly where nothing can be written from the start.

    A server that can only be read later may be one that is being replaced, and a busy one takes writes again: for these
    the worker waits.
    """
    try:
        await database.run(lambda tx: tasks.claim(tx, 0, 0, most=0))
    except StoreReadOnly:
        raise
    except StoreError as error:
        log.warning("background work waits: %s", type(error).__name__)
