"""What an operator asks of an installation: the plan of any reply, and the version of the database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from persona.assistant.asynchronous import AsyncAssistant
from persona.conversation.afterwards import Explained, explain
from persona.settings import Settings
from persona.store import schema
from persona.store.engine import Database
from persona.store.sqlite import existing
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


@contextmanager
def _database(settings: Settings, url: str) -> Iterator[Database]:
    database = Database(url, durability=settings.store.durability, busy_timeout_s=settings.store.busy_timeout_s)
    try:
        yield database
    finally:
        database.close()
