"""Keeps a knowledge base like the files that the settings name: new and changed ones are indexed, gone ones dropped."""

import logging

from persona.knowledge.chunks import chunks
from persona.knowledge.documents import Document, expand, read
from persona.knowledge.sync import Changes, diff
from persona.memory.embedding import embed, searched_text
from persona.memory.vectors import pack
from persona.store import documents, owners
from persona.store.engine import Transaction
from persona.store.ids import new_id
from persona.tasks.workshop import Workshop
from persona.values.memory import MemoryRow
from persona.values.owner import Owner

log = logging.getLogger("persona.knowledge")


async def follow_files(place: Workshop, name: str) -> Changes:
    """Indexes what changed among the files of the knowledge base `name`, one transaction a file.

    Raises SettingsError or InvalidInput, naming the file, for one that cannot be read.
    """
    folder = place.settings.folder
    found = [read(path, folder) for path in expand(place.settings.knowledge[name].files, folder)]
    base = Owner("", name, "knowledge")
    key, stored = await place.database.run(lambda tx: _stored(tx, place, base))
    changes = diff(stored, found)
    for document in (*changes.added, *changes.changed):
        rows = await _rows(place, document)
        await place.database.run(
            lambda tx, document=document, rows=rows: documents.add(  # type: ignore[misc]
                tx, key, document.path, document.title, document.sha256, rows, place.now_us()
            )
        )
    for path in changes.removed:
        await place.database.run(lambda tx, path=path: documents.drop(tx, key, path))  # type: ignore[misc]
    if changes:
        counts = len(changes.added), len(changes.changed), len(changes.removed)
        log.info("knowledge %s: %d files added, %d changed, %d removed", name, *counts)
    return changes


def _stored(tx: Transaction, place: Workshop, base: Owner) -> tuple[int, dict[str, str]]:
    state = owners.find_or_make(tx, base, place.now_us())
    return state.key, dict(documents.hashes(tx, state.key))


async def _rows(place: Workshop, document: Document) -> list[MemoryRow]:
    """The document's chunks as memories, with their vectors."""
    parts = chunks(document)
    vectors = pack(await embed(place.embedder, [searched_text(part.text, part.heading) for part in parts]))
    return [
        MemoryRow(
            id=new_id("mem"),
            kind="chunk",
            text=part.text,
            revision=0,
            embedder=place.embedder.name,
            vector=vector,
            title=document.title,
            heading=part.heading,
        )
        for part, vector in zip(parts, vectors, strict=True)
    ]
