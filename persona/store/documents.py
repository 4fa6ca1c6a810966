"""The files of a knowledge base. The same piece of text in several of them is one memory.

A memory bears the name of the document that brought it first; when that one goes, of another that holds it, and the
memory goes with the last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import delete, select, update

from persona.store import memories, owners
from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import ChunkRow, DocumentRow, MemoryRecord, OwnerRow
from persona.store.transaction import Statement, Transaction
from persona.values.document import DocumentEntry
from persona.values.memory import MemoryRow

_d, _c, _r, _o = table(DocumentRow).c, table(ChunkRow).c, table(MemoryRecord).c, table(OwnerRow).c
_COLUMNS = tuple(field.name for field in fields(DocumentEntry))
_IS_OURS = (_d.owner_key == param("owner"), _d.path == param("path"))

_INSERT, _LINK = insert_into(DocumentRow), insert_into(ChunkRow)
_BASES = Statement(select(_o.name).where(_o.kind == "knowledge", _o.tenant == "").order_by(_o.name))
_LISTING = Statement(select(*(_d[name] for name in _COLUMNS)).where(_d.owner_key == param("owner")).order_by(_d.path))
_ONE = Statement(select(_d.id).where(*_IS_OURS))
_DROP = Statement(delete(table(DocumentRow)).where(_d.id == param("document")))
_CONFIRM = Statement(
    update(table(DocumentRow))
    .where(*_IS_OURS)
    .values(origin=param("origin"), mtime_ns=param("mtime_ns"), size=param("size"), problem=param("problem"))
)
_LINKS = Statement(select(_c.memory_id).where(_c.document_id == param("document")))
_UNLINK = Statement(delete(table(ChunkRow)).where(_c.document_id == param("document")))
_HELD = Statement(
    select(_r.id, _r.document_id, _r.title, _r.page)
    .select_from(table(ChunkRow).join(table(MemoryRecord), _r.id == _c.memory_id))
    .where(_c.owner_key == param("owner"), _c.digest == param("digest"))
    .limit(1)
)
_NAMED = Statement(select(_r.document_id).where(_r.owner_key == param("owner"), _r.id == param("memory")))
_HOLDERS = Statement(
    select(_d.id, _d.title, _c.page, _d.path)
    .select_from(table(ChunkRow).join(table(DocumentRow), _d.id == _c.document_id))
    .where(_c.memory_id == param("memory"))
    .order_by(_d.indexed_us, _d.path, _c.ordinal)
)
_RENAME = Statement(
    update(table(MemoryRecord))
    .where(_r.owner_key == param("owner"), _r.id == param("memory"))
    .values(document_id=param("document"), title=param("title"), page=param("page"), revision=param("at_revision"))
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a document: the digest of its text under its heading, and its page."""

    digest: str
    page: int = 0


@dataclass(frozen=True, slots=True)
class _Name:
    """What a memory is called after: a document of this title, and the page in it."""

    document_id: str
    title: str
    page: int


def bases(tx: Transaction) -> list[str]:
    """The names of the knowledge bases that something was ever kept for."""
    return [name for (name,) in tx.all(_BASES, {})]


def listing(tx: Transaction, owner_key: int) -> list[DocumentEntry]:
    """The files of a knowledge base, by their paths."""
    return [DocumentEntry(*row) for row in tx.all(_LISTING, {"owner": owner_key})]


def held(tx: Transaction, owner_key: int, digests: Iterable[str]) -> set[str]:
    """Those of the digests whose text the knowledge base holds already."""
    return {digest for digest in set(digests) if tx.one(_HELD, {"owner": owner_key, "digest": digest})}


def holders(tx: Transaction, memory_id: str) -> tuple[str, ...]:
    """The paths of the documents that hold a memory, the first one first."""
    return tuple(dict.fromkeys(path for *_, path in tx.all(_HOLDERS, {"memory": memory_id})))


def keep(
    tx: Transaction, owner_key: int, entry: DocumentEntry, pieces: Sequence[Piece], rows: Mapping[str, MemoryRow]
) -> bool:
    """Keeps a file with its pieces, instead of what was known of it.

    `rows` are the memories of the digests that are not held yet. False, with nothing kept, when one is missing:
    it was held a moment ago.
    """
    owners.lock(tx, owner_key)
    known = tx.one(_ONE, {"owner": owner_key, "path": entry.path})
    id = known[0] if known else new_id("doc")
    names = {piece.digest: _Name(id, entry.title, piece.page) for piece in reversed(pieces)}
    there = {digest: tx.one(_HELD, {"owner": owner_key, "digest": digest}) for digest in names}
    if any(row is None and digest not in rows for digest, row in there.items()):
        return False
    before = _unlinked(tx, id)
    tx.run(_DROP, {"document": id})
    tx.run(_INSERT, {"id": id, "owner_key": owner_key, **{name: getattr(entry, name) for name in _COLUMNS}})
    fresh = [rows[digest] for digest, row in there.items() if row is None]
    if fresh:
        memories.add(tx, owner_key, fresh, id)
    called = {digest: row[0] if row else rows[digest].id for digest, row in there.items()}
    for ordinal, piece in enumerate(pieces):
        link = {"digest": piece.digest, "memory_id": called[piece.digest], "page": piece.page}
        tx.run(_LINK, {"document_id": id, "ordinal": ordinal, "owner_key": owner_key, **link})
    moved = [(row[0], names[digest]) for digest, row in there.items() if row and row[1] == id]
    changed = {(row[0], _Name(*row[1:])) for row in there.values() if row}
    _rename(tx, owner_key, [one for one in moved if one not in changed])
    _release(tx, owner_key, id, before - set(called.values()))
    return True


def refuse(tx: Transaction, owner_key: int, entry: DocumentEntry) -> None:
    """Keeps the problem of a file, beside what is known of it from an earlier time."""
    owners.lock(tx, owner_key)
    if not confirm(tx, owner_key, entry):
        values = {name: getattr(entry, name) for name in _COLUMNS}
        tx.run(_INSERT, {"id": new_id("doc"), "owner_key": owner_key, **values})


def confirm(tx: Transaction, owner_key: int, entry: DocumentEntry) -> bool:
    """Keeps how a file was found whose text is the same; False when nothing is known of it."""
    found = {name: getattr(entry, name) for name in ("origin", "mtime_ns", "size", "problem")}
    return bool(tx.run(_CONFIRM, {"owner": owner_key, "path": entry.path, **found}))


def drop(tx: Transaction, owner_key: int, path: str) -> bool:
    """Forgets a file, and the pieces that no other one holds; False when nothing was known of it."""
    owners.lock(tx, owner_key)
    found = tx.one(_ONE, {"owner": owner_key, "path": path})
    if found is None:
        return False
    before = _unlinked(tx, found[0])
    tx.run(_DROP, {"document": found[0]})
    _release(tx, owner_key, found[0], before)
    return True


def _unlinked(tx: Transaction, document_id: str) -> set[str]:
    """Takes a document's pieces off it, and returns the memories that held them."""
    ids = {memory_id for (memory_id,) in tx.all(_LINKS, {"document": document_id})}
    if ids:
        tx.run(_UNLINK, {"document": document_id})
    return ids


def _release(tx: Transaction, owner_key: int, document_id: str, ids: Iterable[str]) -> None:
    """Buries the memories that no document holds any more; those called after this one get another name."""
    lost: list[str] = []
    moved: list[tuple[str, _Name]] = []
    for id in sorted(ids):
        holder = tx.one(_HOLDERS, {"memory": id})
        if holder is None:
            lost.append(id)
        elif tx.one(_NAMED, {"owner": owner_key, "memory": id}) == (document_id,):
            moved.append((id, _Name(*holder[:3])))
    if lost:
        memories.bury(tx, owner_key, lost)
    _rename(tx, owner_key, moved)


def _rename(tx: Transaction, owner_key: int, moved: Sequence[tuple[str, _Name]]) -> None:
    if not moved:
        return
    at_revision = owners.touch(tx, owner_key)
    for id, name in moved:
        named = {"document": name.document_id, "title": name.title, "page": name.page}
        tx.run(_RENAME, {"owner": owner_key, "memory": id, **named, "at_revision": at_revision})
