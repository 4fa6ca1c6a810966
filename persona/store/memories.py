"""Facts, memories, documents and summaries. Every change counts up the owner's revision, which caches follow."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, update

from persona.store import owners
from persona.store.engine import Row, Statement, Transaction
from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import DocumentRow, FactRow, MemoryRecord, SummaryRow
from persona.values.memory import Fact, MemoryRow, Source
from persona.values.time import iso_day

_facts, _memories, _documents = table(FactRow), table(MemoryRecord), table(DocumentRow)
_f, _r, _d, _s = _facts.c, _memories.c, _documents.c, table(SummaryRow).c

BURIED = {"deleted": True, "text": "", "vector": b"", "title": "", "heading": ""}
"""What a tombstone keeps of a memory: nothing that was said."""

_INSERT_FACT = insert_into(FactRow)
_INSERT_MEMORY = insert_into(MemoryRecord)
_INSERT_DOCUMENT = insert_into(DocumentRow)
_INSERT_SUMMARY = insert_into(SummaryRow)
_DROP_SUMMARIES = Statement(
    delete(table(SummaryRow)).where(_s.conversation_key == param("conversation"), _s.upto_depth >= param("depth"))
)
_HOLDING = Statement(
    select(*(_f.id, _f.text, _f.kind, _f.origin, _f.created_us, _f.valid_from_us, _f.valid_to_us))
    .where(_f.owner_key == param("owner"), _f.valid_to_us == 0)
    .order_by(_f.created_us, _f.id)
)
_SAME_FACT = Statement(
    select(_f.id).where(
        _f.owner_key == param("owner"),
        _f.valid_to_us == 0,
        _f.kind == param("kind"),
        _f.text == param("text"),
    )
)
_END_FACT = Statement(
    update(_facts)
    .where(_f.owner_key == param("owner"), _f.id == param("which"), _f.valid_to_us == 0)
    .values(valid_to_us=param("valid_to_us"))
)
_SINCE = Statement(
    select(
        *(_r.id, _r.kind, _r.text, _r.revision, _r.embedder, _r.vector, _r.title, _r.heading, _r.at_us),
        *(_r.message_id, _r.fact_kind, _r.deleted),
    )
    .where(_r.owner_key == param("owner"), _r.revision > param("since"))
    .order_by(_r.revision)
)
_BURY = Statement(
    update(_memories)
    .where(_r.owner_key == param("owner"), _r.id == param("which"))
    .values(**BURIED, revision=param("at_revision"))
)
_ONE = Statement(select(_r.id).where(_r.owner_key == param("owner"), _r.id == param("id")))
_SOURCE = Statement(select(_r.kind, _r.title, _r.heading, _r.at_us).where(_r.id == param("id"), _r.deleted.is_(False)))
_OF_DOCUMENT = Statement(
    select(_r.id).where(_r.owner_key == param("owner"), _r.document_id == param("document"), _r.deleted.is_(False))
)
_DOCUMENTS = Statement(select(_d.path, _d.sha256).where(_d.owner_key == param("owner")))
_DOCUMENT = Statement(select(_d.id).where(_d.owner_key == param("owner"), _d.path == param("path")))
_DROP_DOCUMENT = Statement(_documents.delete().where(_d.owner_key == param("owner"), _d.id == param("which")))
_SUMMARY = Statement(
    select(_s.id, _s.text, _s.upto_depth, _s.upto_id)
    .where(_s.conversation_key == param("conversation"))
    .order_by(_s.upto_depth.desc(), _s.id.desc())
)


def add_fact(tx: Transaction, owner_key: int, fact: Fact, message_id: str = "") -> str:
    """Keeps a fact and returns its id; the same fact again is the one that is there."""
    owners.lock(tx, owner_key)  # or two of them at once would both find none
    same = tx.one(_SAME_FACT, {"owner": owner_key, "kind": fact.kind, "text": fact.text})
    if same:
        return str(same[0])
    owners.touch(tx, owner_key)
    tx.run(
        _INSERT_FACT,
        {
            "id": fact.id,
            "owner_key": owner_key,
            "kind": fact.kind,
            "text": fact.text,
            "origin": fact.origin,
            "message_id": message_id,
            "valid_from_us": fact.valid_from_us,
            "valid_to_us": 0,
            "created_us": fact.created_us,
        },
    )
    return fact.id


def end_fact(tx: Transaction, owner_key: int, fact_id: str, now_us: int) -> bool:
    """Says that a fact no longer holds, and takes it out of recall. False when it did not hold."""
    ended = tx.run(_END_FACT, {"owner": owner_key, "which": fact_id, "valid_to_us": now_us})
    if ended:
        bury(tx, owner_key, [fact_id])
    return bool(ended)


def facts(tx: Transaction, owner_key: int) -> list[Fact]:
    """The facts that hold now, the oldest first."""
    rows = tx.all(_HOLDING, {"owner": owner_key})
    return [
        Fact(id, text, kind, origin, created, since, until) for id, text, kind, origin, created, since, until in rows
    ]


def add(tx: Transaction, owner_key: int, rows: Sequence[MemoryRow], document_id: str = "") -> int:
    """Keeps memories under one new revision of their owner, and returns it."""
    revision = owners.touch(tx, owner_key)
    for row in rows:
        tx.run(
            _INSERT_MEMORY,
            {
                "id": row.id,
                "owner_key": owner_key,
                "revision": revision,
                "kind": row.kind,
                "text": row.text,
                "embedder": row.embedder,
                "vector": row.vector,
                "title": row.title,
                "heading": row.heading,
                "fact_kind": row.fact_kind,
                "message_id": row.message_id,
                "document_id": document_id,
                "at_us": row.at_us,
                "deleted": False,
            },
        )
    return revision


def add_once(tx: Transaction, owner_key: int, row: MemoryRow) -> int | None:
    """Keeps a memory and returns its revision, unless there is one of this id: a repeated task does nothing."""
    if tx.one(_ONE, {"owner": owner_key, "id": row.id}) is None:
        return add(tx, owner_key, [row])
    return None


def since(tx: Transaction, owner_key: int, revision: int) -> list[MemoryRow]:
    """What changed in the owner's memories after `revision`, tombstones included; all of them after -1."""
    return [_memory(row) for row in tx.all(_SINCE, {"owner": owner_key, "since": revision})]


def source(tx: Transaction, id: str) -> Source | None:
    """Where a memory comes from, by the id that a plan of its owner names; None when it is gone."""
    row = tx.one(_SOURCE, {"id": id})
    if row is None:
        return None
    kind, title, heading, at_us = row
    return Source(kind, id, title, heading, iso_day(at_us))


def bury(tx: Transaction, owner_key: int, ids: Sequence[str]) -> None:
    """Turns memories into tombstones, so that every index drops them."""
    revision = owners.touch(tx, owner_key)
    for id in ids:
        tx.run(_BURY, {"owner": owner_key, "which": id, "at_revision": revision})


def documents(tx: Transaction, owner_key: int) -> Mapping[str, str]:
    """The indexed files of a knowledge base: path → SHA-256 of what they held."""
    return {path: sha256 for path, sha256 in tx.all(_DOCUMENTS, {"owner": owner_key})}


def add_document(
    tx: Transaction,
    owner_key: int,
    path: str,
    title: str,
    sha256: str,
    rows: Sequence[MemoryRow],
    now_us: int,
) -> None:
    """Keeps a file with its chunks, instead of what was known of it."""
    drop_document(tx, owner_key, path)
    id = new_id("doc")
    named = {"id": id, "owner_key": owner_key, "path": path, "title": title, "sha256": sha256}
    tx.run(_INSERT_DOCUMENT, {**named, "added_us": now_us})
    add(tx, owner_key, rows, id)


def drop_document(tx: Transaction, owner_key: int, path: str) -> None:
    """Forgets a file and its chunks."""
    found = tx.one(_DOCUMENT, {"owner": owner_key, "path": path})
    if found:
        chunks = tx.all(_OF_DOCUMENT, {"owner": owner_key, "document": found[0]})
        bury(tx, owner_key, [chunk for (chunk,) in chunks])
        tx.run(_DROP_DOCUMENT, {"owner": owner_key, "which": found[0]})


def add_summary(
    tx: Transaction, owner_key: int, conversation_key: int, upto: tuple[str, int], text: str, now_us: int
) -> str:
    """Keeps what was said up to the message `upto` (its id and depth)."""
    id = new_id("sum")
    named = {"id": id, "owner_key": owner_key, "conversation_key": conversation_key}
    said = {"upto_id": upto[0], "upto_depth": upto[1], "text": text}
    tx.run(_INSERT_SUMMARY, {**named, **said, "created_us": now_us})
    return id


def drop_summaries(tx: Transaction, conversation_key: int, depth: int) -> None:
    """Forgets the summaries that reach to this depth or past it."""
    tx.run(_DROP_SUMMARIES, {"conversation": conversation_key, "depth": depth})


def summaries(tx: Transaction, conversation_key: int) -> list[tuple[str, str, int, str]]:
    """The conversation's summaries as (id, text, depth, id of the last message covered), the furthest first."""
    return [tuple(row) for row in tx.all(_SUMMARY, {"conversation": conversation_key})]


def _memory(row: Row) -> MemoryRow:
    id, kind, text, revision, embedder, vector, title, heading, at_us, message_id, fact_kind, deleted = row
    return MemoryRow(
        *(id, kind, text, revision, embedder, bytes(vector), title, heading, at_us, message_id, fact_kind),
        deleted=bool(deleted),
    )
