"""The database of an installation, open for one thing that is asked of it.

Apart from what needs an assistant, whose imports take an eighth of a second: in each process of a harvest too.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from persona.settings import Settings
from persona.store import schema
from persona.store.engine import Database
from persona.store.sqlite import existing


@contextmanager
def prepared(settings: Settings, *, make: bool = False) -> Iterator[Database]:
    """A database with this version's tables: one that is there, or with `make` a new one when there is none."""
    with opened(settings, settings.database_url if make else existing(settings.database_url)) as database:
        schema.prepare(database)
        yield database


@contextmanager
def opened(settings: Settings, url: str) -> Iterator[Database]:
    """The database at this place, whatever is in it."""
    database = Database(url, durability=settings.store.durability, busy_timeout_s=settings.store.busy_timeout_s)
    try:
        yield database
    finally:
        database.close()
