"""Small builders for Core statements whose parameters carry the names of their columns."""

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam
from sqlalchemy.dialects.postgresql import Insert, insert

from persona.store.tables import Table as Base
from persona.store.transaction import Statement


def table(row: type[Base]) -> Table:
    """The Core table behind a SQLModel class."""
    found: Table = row.metadata.tables[str(row.__tablename__)]
    return found


def insert_into(row: type[Base]) -> Statement:
    """An INSERT of every column but an automatic key; parameters are named like the columns."""
    return Statement(_insert(row))


def insert_unless_there(row: type[Base], *returning: ColumnElement[Any]) -> Statement:
    """The same, which does nothing when a row of this key is there, or is just being stored by somebody else.

    Columns that are asked for are returned, of a row that was stored.
    """
    insert = _insert(row).on_conflict_do_nothing()  # SQLite's compiler knows this clause too
    return Statement(insert.returning(*returning) if returning else insert)


def insert_or_replace(row: type[Base]) -> Statement:
    """The same, which gives the row of this key these values when it is there."""
    statement, key = _insert(row), [column.name for column in table(row).primary_key]
    others = {name: statement.excluded[name] for name in table(row).columns.keys() if name not in key}  # noqa: SIM118
    return Statement(statement.on_conflict_do_update(index_elements=key, set_=others))


def _insert(row: type[Base]) -> Insert:
    columns = [c.name for c in table(row).columns if not (c.primary_key and c.autoincrement is True)]
    return insert(table(row)).values({name: bindparam(name) for name in columns}).inline()


def param(name: str) -> ColumnElement[Any]:
    """A parameter that the caller gives by name."""
    return bindparam(name)
