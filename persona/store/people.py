"""The users of a tenant, and what is kept about each, in numbers."""

from dataclasses import dataclass

from sqlalchemy import func, select

from persona.store.statements import param, table
from persona.store.tables import ConversationRow, MemoryRecord, OwnerRow
from persona.store.transaction import Statement, Transaction
from persona.values.privacy import UserEntry

_o, _c, _r = table(OwnerRow).c, table(ConversationRow).c, table(MemoryRecord).c
_of_page = (
    select(_o.key, _o.tenant, _o.name, _o.created_us, _o.consent)
    .where(_o.tenant == param("tenant"), _o.kind == "user", _o.name > param("after"))
    .order_by(_o.name)
    .limit(param("most"))
    .subquery()
)
_LIST = Statement(
    select(
        *(_of_page.c.name, _of_page.c.tenant, func.count(_c.key), func.coalesce(func.sum(_c.messages), 0)),
        *(_of_page.c.created_us, func.coalesce(func.max(_c.updated_us), 0), _of_page.c.consent),
    )
    .select_from(_of_page.outerjoin(table(ConversationRow), _c.owner_key == _of_page.c.key))
    .group_by(*_of_page.c)
    .order_by(_of_page.c.name)
)
_ONE = Statement(
    select(
        *(func.count(_c.key), func.coalesce(func.sum(_c.messages), 0), func.coalesce(func.max(_c.updated_us), 0))
    ).where(_c.owner_key == param("owner"))
)
_MEMORIES = Statement(
    select(func.count()).select_from(table(MemoryRecord)).where(_r.owner_key == param("owner"), _r.deleted.is_(False))
)
_CREATED = Statement(select(_o.created_us).where(_o.key == param("owner")))


@dataclass(frozen=True, slots=True)
class Numbers:
    """How much is kept about an owner, since when, and when they last talked. Times are UTC microseconds, 0: never."""

    conversations: int
    messages: int
    memories: int
    created_us: int
    seen_us: int


def listing(tx: Transaction, tenant: str, most: int, after: str = "") -> list[UserEntry]:
    """The users of a tenant by name, those after a name."""
    rows = tx.all(_LIST, {"tenant": tenant, "after": after, "most": most})
    return [
        UserEntry(name, whose, int(n), int(messages), created, int(seen), None if consent is None else bool(consent))
        for name, whose, n, messages, created, seen, consent in rows
    ]


def numbers(tx: Transaction, owner_key: int) -> Numbers:
    """What is kept about one owner."""
    talked, held, made = (tx.one(one, {"owner": owner_key}) for one in (_ONE, _MEMORIES, _CREATED))
    talks, messages, seen_us = talked or (0, 0, 0)
    return Numbers(int(talks), int(messages), int(held[0]) if held else 0, int(made[0]) if made else 0, int(seen_us))
