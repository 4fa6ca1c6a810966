"""The files of a knowledge base, by what they held when they were indexed."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select

from persona.store import memories
from persona.store.engine import Statement, Transaction
from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import DocumentRow, MemoryRecord
from persona.values.memory import MemoryRow

_d, _r = table(DocumentRow).c, table(MemoryRecord).c

_INSERT = insert_into(DocumentRow)
_CHUNKS = Statement(
    select(_r.id).where(_r.owner_key == param("owner"), _r.document_id == param("document"), _r.deleted.is_(False))
)
_ALL = Statement(select(_d.path, _d.sha256).where(_d.owner_key == param("owner")))
_ONE = Statement(select(_d.id).where(_d.owner_key == param("owner"), _d.path == param("path")))
_DROP = Statement(delete(table(DocumentRow)).where(_d.owner_key == param("owner"), _d.id == param("which")))


def hashes(tx: Transaction, owner_key: int) -> Mapping[str, str]:
    """The indexed files of a knowledge base: path → SHA-256 of what they held."""
    return {path: sha256 for path, sha256 in tx.all(_ALL, {"owner": owner_key})}


def add(
    tx: Transaction,
    owner_key: int,
    path: str,
    title: str,
    sha256: str,
    rows: Sequence[MemoryRow],
    now_us: int,
) -> None:
    """Keeps a file with its chunks, instead of what was known of it."""
    drop(tx, owner_key, path)
    id = new_id("doc")
    named = {"id": id, "owner_key": owner_key, "path": path, "title": title, "sha256": sha256}
    tx.run(_INSERT, {**named, "added_us": now_us})
    memories.add(tx, owner_key, rows, id)


def drop(tx: Transaction, owner_key: int, path: str) -> None:
    """Forgets a file and its chunks."""
    found = tx.one(_ONE, {"owner": owner_key, "path": path})
    if found:
        chunks = tx.all(_CHUNKS, {"owner": owner_key, "document": found[0]})
        memories.bury(tx, owner_key, [chunk for (chunk,) in chunks])
        tx.run(_DROP, {"owner": owner_key, "which": found[0]})
