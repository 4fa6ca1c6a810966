"""Small builders for Core statements whose parameters carry the names of their columns."""

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, insert

from persona.store.engine import Statement
from persona.store.tables import Table as Base


def table(row: type[Base]) -> Table:
    """The Core table behind a SQLModel class."""
    found: Table = row.metadata.tables[str(row.__tablename__)]
    return found


def insert_into(row: type[Base]) -> Statement:
    """An INSERT of every column but an automatic key; parameters are named like the columns."""
    columns = [c.name for c in table(row).columns if not (c.primary_key and c.autoincrement is True)]
    return Statement(insert(table(row)).values({name: bindparam(name) for name in columns}).inline())


def param(name: str) -> ColumnElement[Any]:
    """A parameter that the caller gives by name."""
    return bindparam(name)
