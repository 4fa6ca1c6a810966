"""Which rows belong to an owner: the one list that export, erasure and merging go by.

Every table with an `owner_key` is on it by itself, so nobody can forget a new one; the others are named here, with
the table that says whose their rows are.
"""

from sqlalchemy import ColumnElement, Table, UniqueConstraint, select

from persona.store.statements import param, table
from persona.store.tables import AttemptRow, ConversationRow, ExchangeRow
from persona.store.tables import Table as Base

CONVERSATIONS = table(ConversationRow)

OWNED = (
    *(one for one in Base.metadata.sorted_tables if "owner_key" in one.c and one is not CONVERSATIONS),
    CONVERSATIONS,
)
"""Every table whose rows name their owner. Conversations come last: they lead to rows of others."""

_attempts, _exchanges = table(AttemptRow), table(ExchangeRow)
LINKED = {_attempts.name: (_attempts.c.exchange_id, _exchanges)}
"""The tables whose rows belong to whoever owns a row of another table: the column that names it, and that table."""

BELONGING = (*(Base.metadata.tables[name] for name in LINKED), *OWNED)
"""All of them; those that are found through another table come before it."""


def by_conversation(one: Table) -> bool:
    """Whether an owner's rows are found through their conversations: no index leads to them from the owner."""
    indexed = [next(iter(index.columns)).name for index in one.indexes]
    indexed += [next(iter(rule.columns)).name for rule in one.constraints if isinstance(rule, UniqueConstraint)]
    return "owner_key" not in indexed and "conversation_key" in indexed


def is_owners(one: Table, owner: str = "owner") -> ColumnElement[bool]:
    """The condition that a row of this table belongs to the owner whose key is the parameter of this name."""
    if one.name in LINKED:
        column, through = LINKED[one.name]
        return column.in_(select(through.c.id).where(is_owners(through, owner)))
    if by_conversation(one):
        return one.c.conversation_key.in_(select(CONVERSATIONS.c.key).where(CONVERSATIONS.c.owner_key == param(owner)))
    return one.c.owner_key == param(owner)
