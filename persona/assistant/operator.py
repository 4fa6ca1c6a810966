"""What an operator asks of an installation: the plan of any reply, the database's version, its outbox, what is old."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from persona.assistant.asynchronous import AsyncAssistant
from persona.conversation.afterwards import Explained, explain
from persona.conversation.services import utc_now_us
from persona.errors import NotFound, StoreError
from persona.settings import Settings
from persona.store import retention, schema, tasks
from persona.store.engine import Database
from persona.store.sqlite import existing
from persona.store.tasks import TaskEntry, TaskState
from persona.tasks.retention import Pruned, prune_all
from persona.values.owner import Owner


async def plan_of_reply(
    settings: Settings, reply_id: str, owner: Owner | None = None, environment: Mapping[str, str] | None = None
) -> Explained:
    """The plan behind any reply, whoever it was for; with an owner, only theirs. Raises NotFound."""
    async with AsyncAssistant(settings, environment=environment) as assistant:
        return await explain(await assistant.services(), reply_id, owner)


def upgrade(settings: Settings) -> tuple[str, str]:
    """Brings the database to this persona's tables; the versions before (empty when there were none) and after."""
    with _database(settings, settings.database_url) as database:
        before = schema.version(database) or ""
        schema.upgrade(database)
        return before, schema.HEAD


def version(settings: Settings) -> tuple[str, str]:
    """The version of the tables in the database (empty when there are none), and the one that this persona needs.

    Makes nothing. Raises StoreUnavailable when there is no database.
    """
    with _database(settings, existing(settings.database_url)) as database:
        return schema.version(database) or "", schema.HEAD


def outbox(settings: Settings, state: TaskState | None = None, most: int = 100) -> list[TaskEntry]:
    """The background work that waits, runs or was given up, the oldest first."""
    with _prepared(settings) as database:
        return database.run_now(lambda tx: tasks.listing(tx, state, most), write=False)


def retry(settings: Settings, task_id: str | None = None) -> int:
    """Lets a task that was given up be tried again, or all of them; returns how many. Raises NotFound."""
    with _prepared(settings) as database:
        if task_id is None:
            return database.run_now(tasks.retry_all)
        if not database.run_now(lambda tx: tasks.retry(tx, task_id)):
            raise NotFound(f"no task {task_id!r} was given up", hint="see `persona tasks --state dead`")
        return 1


async def prune(settings: Settings, *, dry: bool = False, vacuum: bool = False) -> tuple[Pruned, ...]:
    """Deletes the conversations that the rules of `retention` say are old enough; `dry` only counts them.

    A small SQLite file is rewritten, so that no trace of them is left; with `vacuum` a large one too.
    """
    with _prepared(settings) as database:
        pruned = await prune_all(database, settings.retention, utc_now_us(), dry=dry)
        if vacuum:
            await database.thread(lambda: retention.rewrite(database, whatever_size=True))
        elif pruned and not dry:
            with suppress(StoreError):  # it is rewritten after a later pass
                await database.thread(lambda: retention.rewrite(database))
        return pruned


@contextmanager
def _prepared(settings: Settings) -> Iterator[Database]:
    """A database that is there, with this version's tables."""
    with _database(settings, existing(settings.database_url)) as database:
        schema.prepare(database)
        yield database


@contextmanager
def _database(settings: Settings, url: str) -> Iterator[Database]:
    database = Database(url, durability=settings.store.durability, busy_timeout_s=settings.store.busy_timeout_s)
    try:
        yield database
    finally:
        database.close()
