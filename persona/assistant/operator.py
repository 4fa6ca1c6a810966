"""What an operator asks of an installation: the plan of any reply, the database's version, its outbox, what is old."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import cast

from persona.adapter import RemoteEmbedder, is_local
from persona.assistant.asynchronous import AsyncAssistant
from persona.assistant.database import opened, prepared
from persona.assistant.knowledge import AsyncKnowledge
from persona.calling.providers import Providers
from persona.conversation.afterwards import Explained, explain
from persona.conversation.services import Services, utc_now_us
from persona.errors import NotFound, StoreError
from persona.privacy.erase import scrub
from persona.settings import Settings
from persona.store import documents, reembedding, retention, schema, tasks
from persona.store.sqlite import check_there, existing
from persona.store.tasks import TaskEntry, TaskState
from persona.tasks.reembed import Reembedding
from persona.tasks.reembed import reembed as tasks_reembed
from persona.tasks.retention import Pruned, prune_all
from persona.values.owner import Owner
from persona.wiring import open_rooms


async def plan_of_reply(
    settings: Settings, reply_id: str, owner: Owner | None = None, environment: Mapping[str, str] | None = None
) -> Explained:
    """The plan behind any reply, whoever it was for; with an owner, only theirs. Raises NotFound and StoreError."""
    check_there(settings.database_url)
    async with AsyncAssistant(settings, environment=environment) as assistant:
        return await explain(await assistant.services(), reply_id, owner)


def upgrade(settings: Settings) -> tuple[str, str]:
    """Brings the database to this persona's tables; the versions before (empty when there were none) and after."""
    with opened(settings, settings.database_url) as database:
        before = schema.version(database) or ""
        schema.upgrade(database)
        return before, schema.HEAD


def version(settings: Settings) -> tuple[str, str]:
    """The version of the tables in the database (empty when there are none), and the one that this persona needs.

    Makes nothing. Raises StoreUnavailable when there is no database.
    """
    with opened(settings, existing(settings.database_url)) as database:
        return schema.version(database) or "", schema.HEAD


def outbox(settings: Settings, state: TaskState | None = None, most: int = 100) -> list[TaskEntry]:
    """The background work that waits, runs or was given up, the oldest first."""
    with prepared(settings) as database:
        return database.run_now(lambda tx: tasks.listing(tx, state, most), write=False)


def retry(settings: Settings, task_id: str | None = None) -> int:
    """Lets a task that was given up be tried again, or all of them; returns how many. Raises NotFound."""
    with prepared(settings) as database:
        if task_id is None:
            return database.run_now(tasks.retry_all)
        if not database.run_now(lambda tx: tasks.retry(tx, task_id)):
            raise NotFound(f"no task {task_id!r} was given up", hint="see `persona tasks --state dead`")
        return 1


async def prune(settings: Settings, *, dry: bool = False, vacuum: bool = False) -> tuple[Pruned, ...]:
    """Deletes the conversations that the rules of `retention` say are old enough; `dry` only counts them.

    A small SQLite file is rewritten, so that no trace of them is left; with `vacuum` a large one too.
    """
    with prepared(settings) as database:
        pruned = await prune_all(database, settings.retention, utc_now_us(), dry=dry)
        if vacuum:
            await scrub(database, utc_now_us())
        elif pruned and not dry:
            with suppress(StoreError):  # it is rewritten after a later pass
                await database.thread(lambda: retention.rewrite(database))
        return pruned


def embedders(settings: Settings, environment: Mapping[str, str] | None = None) -> tuple[str, dict[str, int]]:
    """The name of the embedder in use, and how many memories have a vector of which embedder."""
    used = Providers(settings, os.environ if environment is None else environment).embedder(settings.memory.embedder)
    with prepared(settings) as database:
        return used.name, database.run_now(reembedding.counts, write=False)


async def reembed(
    settings: Settings, say: Callable[[Reembedding], None], environment: Mapping[str, str] | None = None
) -> Reembedding:
    """Gives every memory a vector of the embedder in use, while it is served; goes on where an earlier run was.

    Raises StoreError, AdapterMissing, and what a remote embedder raises.
    """
    used = Providers(settings, os.environ if environment is None else environment).embedder(settings.memory.embedder)
    try:
        with prepared(settings) as database:
            return await tasks_reembed(database, used, say)
    finally:
        if not is_local(used):
            await cast(RemoteEmbedder, used).close()


def knowledge_bases(settings: Settings) -> list[str]:
    """The names of the knowledge in the settings, and of what was kept under another one, sorted."""
    with prepared(settings) as database:
        return sorted({*settings.knowledge, *database.run_now(documents.bases, write=False)})


@asynccontextmanager
async def knowledge(
    settings: Settings, name: str, *, make: bool = False, environment: Mapping[str, str] | None = None
) -> AsyncIterator[AsyncKnowledge]:
    """One knowledge base, opened without looking at its files; with `make` the database is made when there is none."""
    if not make:
        check_there(settings.database_url)
    apart = settings.model_copy(update={"tasks": settings.tasks.model_copy(update={"run": False})})
    rooms = await open_rooms(apart, os.environ if environment is None else environment, follow=False)

    async def services() -> Services:
        return rooms.services

    try:
        yield AsyncKnowledge(services, name)
    finally:
        await rooms.close()
