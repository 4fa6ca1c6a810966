"""The documents of a knowledge base in the store: what is one memory, whose name it bears, and what becomes of it."""

from dataclasses import replace

import pytest
from stored import ADA, BOB, NOW

from persona.store import documents, memories, owners
from persona.store.documents import Piece
from persona.store.engine import Database
from persona.values.document import DocumentEntry
from persona.values.memory import MemoryRow


@pytest.fixture
def ada(database: Database) -> int:
    return database.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW)).key


@pytest.fixture
def bob(database: Database) -> int:
    return database.run_now(lambda tx: owners.find_or_make(tx, BOB, NOW)).key


def row(id: str) -> MemoryRow:
    return MemoryRow(id, "chunk", "une page", 0, "embedder-1", bytes(64))


def since(database: Database, owner: int, revision: int = -1) -> list[MemoryRow]:
    return list(database.run_now(lambda tx: memories.since(tx, owner, revision), write=False))


def keep(database: Database, owner: int, path: str, *digests: str, page: int = 0) -> None:
    """Keeps a document of these pieces, whose memories have their digests as ids."""
    entry = DocumentEntry(path, path, chunks=len(digests), indexed_us=NOW)
    pieces = [Piece(digest, page) for digest in digests]
    rows = {digest: replace(row(digest), title=path, page=page) for digest in digests}
    assert database.run_now(lambda tx: documents.keep(tx, owner, entry, pieces, rows))


def listing(database: Database, owner: int) -> list[DocumentEntry]:
    return database.run_now(lambda tx: documents.listing(tx, owner))


def titles(database: Database, owner: int) -> dict[str, str]:
    return {one.id: one.title for one in since(database, owner) if not one.deleted}


def newest(database: Database, owner: int) -> int:
    return max((one.revision for one in since(database, owner)), default=0)


def test_document_replaces_what_was_known_of_it(database: Database, ada: int) -> None:
    keep(database, ada, "a.md", "c1", "c2")
    keep(database, ada, "b.md", "c3")
    keep(database, ada, "a.md", "c4")
    assert [(one.path, one.chunks) for one in listing(database, ada)] == [("a.md", 1), ("b.md", 1)]
    assert {one.id for one in since(database, ada) if not one.deleted} == {"c3", "c4"}
    assert database.run_now(lambda tx: documents.drop(tx, ada, "b.md"))
    assert not database.run_now(lambda tx: documents.drop(tx, ada, "never.md"))
    assert {one.id for one in since(database, ada) if not one.deleted} == {"c4"}


def test_the_same_piece_of_two_documents_is_one_memory(database: Database, ada: int) -> None:
    keep(database, ada, "a.md", "c1", "c2", "c1")
    before = newest(database, ada)
    keep(database, ada, "b.md", "c1")
    assert newest(database, ada) == before  # nothing that an index would have to follow
    assert database.run_now(lambda tx: documents.holders(tx, "c1")) == ("a.md", "b.md")
    assert database.run_now(lambda tx: documents.held(tx, ada, ["c1", "c9"])) == {"c1"}
    assert titles(database, ada) == {"c1": "a.md", "c2": "a.md"}


def test_a_memory_outlives_its_first_document_under_the_name_of_another(database: Database, ada: int) -> None:
    keep(database, ada, "a.md", "c1", "c2")
    keep(database, ada, "b.md", "c1")
    revision = newest(database, ada)
    database.run_now(lambda tx: documents.drop(tx, ada, "a.md"))
    assert titles(database, ada) == {"c1": "b.md"}
    changed = since(database, ada, revision)
    assert {(one.id, one.deleted) for one in changed} == {("c1", False), ("c2", True)}
    keep(database, ada, "b.md", "c3")
    assert titles(database, ada) == {"c3": "b.md"}


def test_a_piece_that_moved_to_another_page_says_so(database: Database, ada: int) -> None:
    keep(database, ada, "a.md", "c1", page=3)
    keep(database, ada, "a.md", "c1", page=4)
    assert [(one.id, one.page) for one in since(database, ada)] == [("c1", 4)]


def test_nothing_is_kept_of_a_document_when_a_text_that_was_held_is_gone(database: Database, ada: int) -> None:
    entry = DocumentEntry("a.md", "a.md", chunks=1)
    assert not database.run_now(lambda tx: documents.keep(tx, ada, entry, [Piece("c1")], {}))
    assert listing(database, ada) == []
    assert since(database, ada) == []


def test_a_problem_is_kept_beside_what_an_earlier_time_read(database: Database, ada: int) -> None:
    keep(database, ada, "a.md", "c1")
    for path in ("a.md", "b.md", "b.md"):
        refused = DocumentEntry(path, path, problem="is locked")
        database.run_now(lambda tx, refused=refused: documents.refuse(tx, ada, refused))
    found = [(one.path, one.chunks, one.problem) for one in listing(database, ada)]
    assert found == [("a.md", 1, "is locked"), ("b.md", 0, "is locked")]
    assert titles(database, ada) == {"c1": "a.md"}


def test_document_of_another_knowledge_base_is_left_alone(database: Database, ada: int, bob: int) -> None:
    for key, chunk in ((ada, "c1"), (bob, "c2")):
        keep(database, key, "a.md", chunk)
    database.run_now(lambda tx: documents.drop(tx, ada, "a.md"))
    assert [one.path for one in listing(database, bob)] == ["a.md"]
    assert [one.deleted for one in since(database, bob)] == [False]
