"""Memories whose vectors were made by another embedder than the one in use."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from persona.store import owners
from persona.store.statements import param, table
from persona.store.tables import MemoryRecord
from persona.store.transaction import Statement, Transaction

_r = table(MemoryRecord).c
_COUNTS = Statement(
    select(_r.embedder, func.count()).where(_r.deleted.is_(False)).group_by(_r.embedder).order_by(_r.embedder)
)
_STALE = (_r.deleted.is_(False), _r.embedder != param("embedder"))
_NEXT = Statement(
    select(_r.id, _r.owner_key, _r.text, _r.heading)
    .where(*_STALE, _r.id > param("after"))
    .order_by(_r.id)
    .limit(param("most"))
)
_RENEW = Statement(
    update(table(MemoryRecord))
    .where(*_STALE, _r.owner_key == param("owner"), _r.id == param("which"))
    .values(vector=param("vector"), embedder=param("embedder"), revision=param("at_revision"))
)


@dataclass(frozen=True, slots=True)
class StaleMemory:
    """A memory that is to get a new vector."""

    id: str
    owner_key: int
    text: str
    heading: str


def counts(tx: Transaction) -> dict[str, int]:
    """How many memories each embedder's vectors stand for."""
    return {embedder: int(number) for embedder, number in tx.all(_COUNTS, {})}


def stale(tx: Transaction, embedder: str, after: str, most: int) -> list[StaleMemory]:
    """The next memories without a vector of this embedder, by id."""
    return [StaleMemory(*row) for row in tx.all(_NEXT, {"embedder": embedder, "after": after, "most": most})]


def renew(tx: Transaction, embedder: str, made: Sequence[tuple[StaleMemory, bytes]]) -> int:
    """Gives memories their new vectors, and every index the word that they changed; returns how many were there.

    One that was erased meanwhile stays erased, and one of a user who was merged waits for the next pass.
    """
    by_owner: Mapping[int, list[tuple[str, bytes]]] = defaultdict(list)
    for memory, vector in made:
        by_owner[memory.owner_key].append((memory.id, vector))
    renewed = 0
    for owner in sorted(by_owner):  # in one order, or two of these could wait for each other
        if not owners.lock(tx, owner):
            continue
        revision = owners.touch(tx, owner)
        for id, vector in by_owner[owner]:
            named = {"owner": owner, "which": id, "embedder": embedder}
            renewed += tx.run(_RENEW, {**named, "vector": vector, "at_revision": revision})
    return renewed
