"""Memories move to another embedder: all of them, once, while they are served, and never one that was erased."""

from collections.abc import Sequence

import numpy as np
import pytest
from memory_rows import TinyEmbedder, memory, vector_of
from numpy.typing import NDArray
from stored import ADA, BOB, NOW

from persona.memory.cache import IndexCache
from persona.store import erasure, memories, owners, reembedding
from persona.store.engine import Database
from persona.tasks.reembed import Reembedding, reembed
from persona.values.memory import MemoryRow

TEXTS = [f"number {number} likes fish" for number in range(10)]


class Another(TinyEmbedder):
    """The embedder that the memories are to move to; it may break off, or do something before its nth batch."""

    name = "tiny-2"

    def __init__(self, breaks_at: int = 0, before: dict[int, object] | None = None) -> None:
        super().__init__()
        self.breaks_at = breaks_at
        self.before = before or {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        number = len(self.batches) + 1
        if number in self.before:
            self.before[number]()  # type: ignore[operator]
        if number == self.breaks_at:
            raise ConnectionError("gone")
        return -super().embed(texts)


@pytest.fixture
def keys(database: Database) -> list[int]:
    """Two owners with ten memories each, by the first embedder; one is a tombstone."""

    def write(tx) -> list[int]:  # type: ignore[no-untyped-def]
        found = []
        for owner in (ADA, BOB):
            key = owners.find_or_make(tx, owner, NOW).key
            rows = [memory(f"{owner.name}-{number}", text) for number, text in enumerate(TEXTS)]
            memories.add(tx, key, rows)
            found.append(key)
        memories.bury(tx, found[0], ["ada-0"])
        return found

    return database.run_now(write)


def rows(database: Database, key: int) -> list[MemoryRow]:
    return list(database.run_now(lambda tx: memories.since(tx, key, -1), write=False))


async def test_every_memory_gets_the_new_vector_and_its_owner_a_new_revision(
    database: Database, keys: list[int]
) -> None:
    told: list[Reembedding] = []
    assert await reembed(database, Another(), told.append) == Reembedding("tiny-2", 19, 19)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert (told[0].done, told[-1].done) == (0, 19)
    for key in keys:
        live = [row for row in rows(database, key) if not row.deleted]
        assert {row.embedder for row in live} == {"tiny-2"}
        assert all(np.allclose(np.frombuffer(row.vector, "<f2"), -vector_of(row.text), atol=1e-3) for row in live)
    assert database.run_now(reembedding.counts, write=False) == {"tiny-2": 19}
    buried = next(row for row in rows(database, keys[0]) if row.deleted)
    assert (buried.vector, buried.text) == (b"", "")


async def test_an_interrupted_run_goes_on_where_it_was(database: Database, keys: list[int]) -> None:
    with pytest.raises(ConnectionError):
        await reembed(database, Another(breaks_at=4), lambda state: None)
    assert database.run_now(reembedding.counts, write=False) == {"tiny-1": 10, "tiny-2": 9}
    again = Another()
    told: list[Reembedding] = []
    await reembed(database, again, told.append)
    assert told[0] == Reembedding("tiny-2", 9, 19)
    assert sum(again.batches) == 10


async def test_an_index_that_serves_follows_and_finds_by_words_what_is_still_to_come(
    database: Database, keys: list[int]
) -> None:
    indexes = IndexCache(1 << 20, "tiny-2")
    query = -vector_of("number 7 likes fish")

    def found() -> tuple[float, float]:
        state = database.run_now(lambda tx: owners.find(tx, BOB), write=False)
        assert state
        index = indexes.get(state.key, state.revision, lambda since: rows_since(database, state.key, since))
        best = index.search(query, ("7",), 1)[0]
        assert best.text == "number 7 likes fish"
        return best.dense, best.lexical

    assert found()[0] == 0
    await reembed(database, Another(), lambda state: None)
    assert found()[0] > 0


def rows_since(database: Database, key: int, since: int) -> list[MemoryRow]:
    return list(database.run_now(lambda tx: memories.since(tx, key, since), write=False))


async def test_what_is_erased_meanwhile_stays_erased_and_what_is_added_meanwhile_moves_too(
    database: Database, keys: list[int]
) -> None:
    def meanwhile() -> None:
        database.run_now(lambda tx: memories.bury(tx, keys[0], ["ada-1", "ada-2", "ada-3"]))
        database.run_now(lambda tx: memories.add(tx, keys[1], [memory("aaa", "late and sorted first")]))

    await reembed(database, Another(before={1: meanwhile}), lambda state: None)
    assert database.run_now(reembedding.counts, write=False) == {"tiny-2": 17}
    gone = [row for row in rows(database, keys[0]) if row.id in ("ada-1", "ada-2", "ada-3")]
    assert [(row.deleted, row.vector, row.text) for row in gone] == [(True, b"", "")] * 3


async def test_a_user_who_is_erased_meanwhile_stops_nobody_elses(database: Database, keys: list[int]) -> None:
    def meanwhile() -> None:
        database.run_now(lambda tx: erasure.erase_owner(tx, ADA))

    assert await reembed(database, Another(before={1: meanwhile}), lambda state: None) == Reembedding("tiny-2", 10, 10)


async def test_nothing_to_do_is_done_at_once(database: Database, keys: list[int]) -> None:
    idle = TinyEmbedder()
    assert await reembed(database, idle, lambda state: None) == Reembedding("tiny-1", 19, 19)
    assert idle.batches == []
