"""Reads everything that belongs to one owner, some rows at a time, whatever tables there are."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Boolean, ColumnElement, LargeBinary, Table, and_, or_, select

from persona.store import owners
from persona.store.belongings import BELONGING, CONVERSATIONS, by_conversation, is_owners
from persona.store.codec import decode_plan
from persona.store.engine import Database
from persona.store.statements import param, table
from persona.store.tables import OwnerRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.owner import Owner

_PAGE = 200  # rows in memory at once; the largest have a plan of some kilobytes
_DECODED: Mapping[str, Callable[[str], object]] = {
    "parts": json.loads,
    "tokens": json.loads,
    "anchor": json.loads,
    "tags": json.loads,
    "said": json.loads,
    "value": json.loads,
    "plan": lambda raw: decode_plan(raw).to_dict(),
}
"""How the columns are read that hold JSON; an empty one stays empty."""


def _columns(one: Table) -> list[Any]:
    """What is handed over: all but vectors, which a text and its embedder make again."""
    return [column for column in one.c if not isinstance(column.type, LargeBinary)]


def _after(one: Table) -> ColumnElement[bool]:
    """Rows past the last one that was read, by the columns of the key."""
    keys, ways = list(one.primary_key), []
    for place, column in enumerate(keys):
        same = [before == param(f"after_{before.name}") for before in keys[:place]]
        ways.append(and_(*same, column > param(f"after_{column.name}")))
    return or_(*ways)


def _statements(one: Table) -> tuple[Statement, Statement]:
    """The first page of a table, and the one after a row: of an owner, or of one of their conversations."""
    whose = one.c.conversation_key == param("conversation") if by_conversation(one) else is_owners(one)
    page = select(*_columns(one)).where(whose).order_by(*one.primary_key).limit(_PAGE)
    return Statement(page), Statement(page.where(_after(one)))


_owner = table(OwnerRow)
_OWNER = Statement(select(*_columns(_owner)).where(_owner.c.key == param("owner")))
_CONVERSATIONS = Statement(
    select(CONVERSATIONS.c.key).where(CONVERSATIONS.c.owner_key == param("owner")).order_by(CONVERSATIONS.c.key)
)
_PAGES = {one.name: _statements(one) for one in BELONGING}
_TABLES = {one.name: one for one in BELONGING}


def owner_of(tx: Transaction, owner: Owner) -> tuple[int, dict[str, object]] | None:
    """The owner's key and row; None when nothing is kept for them."""
    state = owners.find(tx, owner)
    row = tx.one(_OWNER, {"owner": state.key}) if state else None
    return (state.key, _told(_owner, row)) if state and row else None


def rows(database: Database, owner_key: int, name: str) -> Iterator[dict[str, object]]:
    """The owner's rows of one of the tables in `BELONGING`; each page in a transaction of its own.

    They come by their keys, or conversation by conversation where no index leads to them from the owner.
    """
    if not by_conversation(_TABLES[name]):
        yield from _pages(database, name, {"owner": owner_key})
        return
    for (key,) in database.run_now(lambda tx: tx.all(_CONVERSATIONS, {"owner": owner_key}), write=False):
        yield from _pages(database, name, {"conversation": key})


def _pages(database: Database, name: str, whose: dict[str, object]) -> Iterator[dict[str, object]]:
    one, (first, next_) = _TABLES[name], _PAGES[name]
    page = database.run_now(lambda tx: tx.all(first, whose), write=False)
    while page:
        told = [_told(one, row) for row in page]
        yield from told
        if len(page) < _PAGE:
            return
        after = {f"after_{column.name}": told[-1][column.name] for column in one.primary_key}
        page = database.run_now(
            lambda tx, after=after: tx.all(next_, {**whose, **after}),  # type: ignore[misc]
            write=False,
        )


def _told(one: Table, row: Row) -> dict[str, object]:
    return {column.name: _value(column, value) for column, value in zip(_columns(one), row, strict=True)}


def _value(column: Any, value: object) -> object:
    decode = _DECODED.get(column.name)
    if decode and isinstance(value, str) and value:
        return decode(value)
    if isinstance(column.type, Boolean) and value is not None:
        return bool(value)  # SQLite keeps numbers
    return value
