"""The version of the tables: made, recognised, brought up to date.

An up-to-date database is recognised by one query and a new SQLite file is made in one step, both without alembic,
which costs half a second to import. A change to the tables is a file in `migrations/versions/`, named at the end of
`REVISIONS`; tests keep the tables, the migrations and that list the same.
"""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, insert, inspect, select
from sqlalchemy import Table as CoreTable

from persona.errors import SchemaOutOfDate
from persona.store.engine import Database
from persona.store.tables import Table

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "persona_alembic_version"
"""Alembic's own name for it may be taken by the backend's migrations."""

REVISIONS = ("0001",)
"""Every version there was, the oldest first."""

HEAD = REVISIONS[-1]

_version = CoreTable(  # as alembic would make it
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


def prepare(database: Database, *, migrate: bool | None = None) -> None:
    """Brings the database to this version's tables before its first use, which costs one query when it is there.

    `migrate` None lets SQLite migrate itself and leaves other databases to `persona db upgrade`. Raises
    SchemaOutOfDate when the database is older and may not be migrated, or newer than this persona.
    """
    found = version(database)
    if found == HEAD:
        return
    _refuse_newer(found)
    if not (database.sqlite if migrate is None else migrate):
        has = f"version {found}" if found else "none"
        raise SchemaOutOfDate(
            f"persona needs version {HEAD} of its tables, and the database has {has}",
            hint="run `persona db upgrade`",
        )
    upgrade(database)


def version(database: Database) -> str | None:
    """The version of persona's tables in the database, or None where there are none."""
    with database.connection(write=False) as connection:
        return _read(connection)


def upgrade(database: Database) -> None:
    """Makes the tables, or migrates them to this version, in one transaction: all of it happens or nothing."""
    with database.connection() as connection, _alone(database, connection):
        found = _read(connection)  # again, now that nobody else can write
        _refuse_newer(found)
        if found is None:
            _refuse_strangers(connection)
        if found is None and database.sqlite:
            _create(connection)
        elif found != HEAD:
            from alembic import command  # half a second, and only needed for an older database

            command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection) -> "Config":
    """What alembic's commands need to work on this connection, in the transaction of the caller."""
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))  # the option is interpolated
    config.attributes["connection"] = connection
    return config


def _alone(database: Database, connection: Connection) -> AbstractContextManager[None]:
    """Keeps other processes from migrating meanwhile; on SQLite the transaction itself does."""
    if database.sqlite:
        return nullcontext()
    from persona.store.postgresql import migrating  # its driver is an extra

    return migrating(connection)


def _read(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(select(_version.c.version_num))
    return found


def _refuse_strangers(connection: Connection) -> None:
    there = sorted(set(inspect(connection).get_table_names()) & set(Table.metadata.tables))
    if there:
        raise SchemaOutOfDate(
            f"the database has the table {there[0]} but no version of persona's tables",
            hint="restore it from a backup, or name another database in store.url",
        )


def _create(connection: Connection) -> None:
    Table.metadata.create_all(connection)
    _version.create(connection, checkfirst=True)  # a downgrade leaves it there, empty
    connection.execute(insert(_version).values(version_num=HEAD))


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in REVISIONS:
        raise SchemaOutOfDate(
            f"the database has version {found} of persona's tables, and this persona knows none after {HEAD}",
            hint="upgrade pypersona",
        )
