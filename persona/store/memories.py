"""Texts with a vector and an owner. Every change counts up the owner's revision, which caches follow."""

from collections.abc import Sequence
from dataclasses import fields, replace

from sqlalchemy import literal_column, select, update

from persona.store import owners
from persona.store.statements import insert_into, param, table
from persona.store.tables import MemoryRecord
from persona.store.transaction import Statement, Transaction
from persona.values.memory import MemoryColumns, MemoryRow, Source
from persona.values.time import iso_day

_memories = table(MemoryRecord)
_r = _memories.c

BURIED = {"deleted": True, "text": "", "vector": b"", "terms": b"", "title": "", "heading": ""}
"""What a tombstone keeps of a memory: nothing that was said."""

_INSERT_MEMORY = insert_into(MemoryRecord)
_SINCE = Statement(
    select(
        *(getattr(_r, field.name) for field in fields(MemoryRow)),
    )
    .where(_r.owner_key == param("owner"), _r.revision > param("since"))
    .order_by(_r.revision)
)
_ONE_MORE = Statement(
    select(literal_column("1"))
    .where(_r.owner_key == param("owner"))
    .order_by(_r.revision)
    .limit(1)
    .offset(param("many"))
)
_BURY = Statement(
    update(_memories)
    .where(_r.owner_key == param("owner"), _r.id == param("which"))
    .values(**BURIED, revision=param("at_revision"))
)
_ONE = Statement(select(_r.id).where(_r.owner_key == param("owner"), _r.id == param("id")))
_SOURCE = Statement(
    select(_r.kind, _r.title, _r.heading, _r.at_us, _r.page).where(_r.id == param("id"), _r.deleted.is_(False))
)


def add(tx: Transaction, owner_key: int, rows: Sequence[MemoryRow], document_id: str = "") -> int:
    """Keeps memories under one new revision of their owner, and returns it."""
    revision = owners.touch(tx, owner_key)
    for row in rows:
        tx.put(
            _INSERT_MEMORY,
            {
                "id": row.id,
                "owner_key": owner_key,
                "revision": revision,
                "kind": row.kind,
                "text": row.text,
                "embedder": row.embedder,
                "vector": row.vector,
                "terms": row.terms,
                "title": row.title,
                "heading": row.heading,
                "fact_kind": row.fact_kind,
                "message_id": row.message_id,
                "conversation_key": row.conversation_key,
                "depth": row.depth,
                "document_id": document_id,
                "page": row.page,
                "at_us": row.at_us,
                "deleted": False,
            },
        )
    return revision


def ahead(tx: Transaction, owner_key: int, id: str) -> None:
    """Says that `add_once` will be called."""
    tx.ahead(_ONE, {"owner": owner_key, "id": id})


def add_once(tx: Transaction, owner_key: int, row: MemoryRow) -> int | None:
    """Keeps a memory and returns its revision, unless there is one of this id: a repeated task does nothing."""
    if tx.one(_ONE, {"owner": owner_key, "id": row.id}) is None:
        return add(tx, owner_key, [row])
    return None


def since(tx: Transaction, owner_key: int, revision: int) -> MemoryColumns:
    """What changed in the owner's memories after `revision`, tombstones included; all of them after -1."""
    found = MemoryColumns.read(tx.all(_SINCE, {"owner": owner_key, "since": revision}))
    vector, terms = tuple(map(bytes, found.vector)), tuple(map(bytes, found.terms))
    return replace(found, vector=vector, terms=terms, deleted=tuple(map(bool, found.deleted)))


def more_than(tx: Transaction, owner_key: int, many: int) -> bool:
    """Whether the owner has more than so many memories, tombstones included; looks at the index alone."""
    return tx.one(_ONE_MORE, {"owner": owner_key, "many": many}) is not None


def source(tx: Transaction, id: str) -> Source | None:
    """Where a memory comes from, by the id that a plan of its owner names; None when it is gone."""
    row = tx.one(_SOURCE, {"id": id})
    if row is None:
        return None
    kind, title, heading, at_us, page = row
    return Source(kind, id, title, heading, iso_day(at_us), page)


def bury(tx: Transaction, owner_key: int, ids: Sequence[str]) -> None:
    """Turns memories into tombstones, so that every index drops them."""
    revision = owners.touch(tx, owner_key)
    for id in ids:
        tx.put(_BURY, {"owner": owner_key, "which": id, "at_revision": revision})
