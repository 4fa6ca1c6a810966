import gc
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_rows import TinyEmbedder, memory, tombstone, vector_of

from persona.memory.cache import IndexCache
from persona.values.memory import MemoryColumns, MemoryRow

ADA, BOB = 1, 2  # the keys of owners


class Shelf:
    """What a store does for one owner, in a dict: rows by id, a revision, and a record of who asked."""

    def __init__(self) -> None:
        self.rows: dict[str, MemoryRow] = {}
        self.revision = 0
        self.asked: list[int] = []

    def put(self, row_id: str, text: str) -> None:
        self.revision += 1
        self.rows[row_id] = memory(row_id, text, self.revision)

    def remove(self, row_id: str) -> None:
        self.revision += 1
        self.rows[row_id] = tombstone(row_id, self.revision)

    def load(self, since: int) -> Sequence[MemoryRow]:
        self.asked.append(since)
        return [row for row in self.rows.values() if row.revision > since]


def shelf_with(*texts: str) -> Shelf:
    shelf = Shelf()
    for at, text in enumerate(texts):
        shelf.put(f"m{at}", text)
    return shelf


def ids(cache: IndexCache, owner: int, shelf: Shelf, term: str) -> list[str]:
    index = cache.get(owner, shelf.revision, shelf.load)
    return sorted(hit.id for hit in index.search(None, [term], 100))


def test_a_cached_index_is_not_loaded_again() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain", "snow")
    assert ids(cache, ADA, shelf, "rain") == ["m0"]
    assert ids(cache, ADA, shelf, "snow") == ["m1"]
    assert shelf.asked == [-1]


def test_an_index_that_is_behind_catches_up_with_what_changed() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain", "snow")
    ids(cache, ADA, shelf, "rain")
    shelf.put("m2", "rain again")
    shelf.remove("m0")
    assert ids(cache, ADA, shelf, "rain") == ["m2"]
    assert shelf.asked == [-1, 2]


def test_a_revision_that_changed_no_memory_is_asked_about_once() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain")
    shelf.revision = 7
    assert ids(cache, ADA, shelf, "rain") == ids(cache, ADA, shelf, "rain") == ["m0"]
    assert shelf.asked == [-1]


def test_an_index_ahead_of_the_store_is_loaded_anew() -> None:
    cache = IndexCache(1 << 20, TinyEmbedder.name)
    ids(cache, ADA, shelf_with("rain", "rain", "rain"), "rain")
    after_erasure = shelf_with("rain")
    assert ids(cache, ADA, after_erasure, "rain") == ["m0"]
    assert after_erasure.asked == [-1]


def test_the_coldest_owners_leave_when_there_is_no_room() -> None:
    shelves = {100 + at: shelf_with(*["rain"] * 20) for at in range(4)}
    one = IndexCache(1 << 30, TinyEmbedder.name)
    ids(one, ADA, shelf_with(*["rain"] * 20), "rain")
    cache = IndexCache(int(one.nbytes * 2.5), TinyEmbedder.name)
    first, second, third, fourth = shelves
    for owner in (first, second, first, third, fourth):
        ids(cache, owner, shelves[owner], "rain")
    assert [owner for owner in shelves if owner in cache] == [third, fourth]
    assert cache.nbytes <= one.nbytes * 2.5
    assert len(ids(cache, first, shelves[first], "rain")) == 20
    assert shelves[first].asked == [-1, -1]


def test_the_index_in_use_stays_even_when_it_is_larger_than_the_cache() -> None:
    cache, shelf = IndexCache(1, TinyEmbedder.name), shelf_with("rain")
    for _ in range(3):
        assert ids(cache, ADA, shelf, "rain") == ["m0"]
    assert shelf.asked == [-1]


def test_a_forgotten_owner_leaves_nothing_behind() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain")
    ids(cache, ADA, shelf, "rain")
    cache.forget(ADA)
    cache.forget(BOB)
    assert (len(cache), cache.nbytes) == (0, 0)


@pytest.mark.parametrize("rows", [0, 100, 520])
def test_an_index_counts_what_it_weighs(rows: int) -> None:
    texts = [f"number {at}, said in a text of the usual length, about {at * at} things and more" for at in range(rows)]
    stored, question = MemoryColumns.of([*shelf_with(*texts).rows.values()]), vector_of("things")
    cache = IndexCache(1 << 30, TinyEmbedder.name)

    def ask(owner: int) -> None:
        cache.get(owner, rows, lambda since: stored).search(question, ["thing"], 24, "which things?")
        cache.get(owner, rows, lambda since: stored)

    ask(-1)  # what is loaded and kept once is nobody's
    counted = cache.nbytes
    gc.collect()
    tracemalloc.start()
    try:
        for owner in range(3):
            ask(owner)
        gc.collect()
        weighed = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert weighed == pytest.approx(cache.nbytes - counted, rel=0.1)


def test_what_is_not_loaded_is_soon_made_when_there_are_few_rows_and_libraries_are_loaded() -> None:
    cache, shelf, asked = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain", "snow"), list[int]()

    def more_than(many: int, rows: int) -> bool:
        asked.append(many)
        return rows > many

    assert not cache.is_quick(ADA, shelf.revision, lambda many: more_than(many, 2))
    ids(cache, ADA, shelf, "rain")
    assert asked == []
    assert cache.is_quick(ADA, shelf.revision, lambda many: more_than(many, 2))
    assert asked == []
    assert cache.is_quick(BOB, 7, lambda many: more_than(many, 2))
    assert not cache.is_quick(BOB, 7, lambda many: more_than(many, 10_000))
    assert cache.is_quick(ADA, shelf.revision + 100, lambda many: more_than(many, 2))


def test_a_load_that_fails_is_tried_again() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain")

    def fail(since: int) -> Sequence[MemoryRow]:
        raise TimeoutError

    for load, expected in ((fail, None), (shelf.load, 1)):
        assert found(cache, load) == expected


def found(cache: IndexCache, load: Callable[[int], Sequence[MemoryRow]]) -> int | None:
    try:
        return len(cache.get(ADA, 1, load))
    except TimeoutError:
        return None


owners = st.sampled_from([ADA, BOB, 3, 4])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(owners, st.sampled_from(["put", "remove", "ask", "forget"]), st.integers(0, 4))))
def test_owners_never_see_each_other_and_always_see_their_own(steps: list[tuple[int, str, int]]) -> None:
    cache = IndexCache(20_000, TinyEmbedder.name)
    shelves: dict[int, Shelf] = {}
    for owner, step, number in steps:
        shelf = shelves.setdefault(owner, Shelf())
        row_id = f"{owner}/{number}"
        if step == "put":
            shelf.put(row_id, "rain")
        elif step == "remove":
            shelf.remove(row_id)
        elif step == "forget":
            cache.forget(owner)
        living = sorted(row.id for row in shelf.rows.values() if not row.deleted)
        assert ids(cache, owner, shelf, "rain") == living


def test_threads_that_ask_for_one_owner_load_once() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with(*["rain"] * 50)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: len(ids(cache, ADA, shelf, "rain")), range(40)))
    assert counts == [50] * 40
    assert shelf.asked == [-1]


async def test_an_index_that_is_being_loaded_is_not_waited_for_on_a_loop() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain", "snow")
    found: list[object] = []

    def load(since: int) -> Sequence[MemoryRow]:
        """Others come while the store answers: one in a hurry, a stored row, and one who would wait for ever."""
        found.append(cache.at_once(ADA, shelf.revision, shelf.load))
        cache.follow(ADA, shelf.rows["m1"])
        with pytest.raises(RuntimeError, match="bug in persona"):
            cache.get(ADA, shelf.revision, shelf.load)
        return shelf.load(since)

    index = cache.at_once(ADA, shelf.revision, load)
    assert (index is None, found, shelf.asked) == (False, [None], [-1])
    assert cache.at_once(ADA, shelf.revision, load) is index
    assert ids(cache, ADA, shelf, "snow") == ["m1"]


def test_a_row_that_was_just_stored_is_followed_without_loading() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain")
    assert ids(cache, ADA, shelf, "snow") == []
    shelf.put("m1", "snow")
    cache.follow(ADA, shelf.rows["m1"])
    assert ids(cache, ADA, shelf, "snow") == ["m1"]
    assert shelf.asked == [-1]


def test_a_row_after_one_that_was_missed_is_left_to_the_next_load() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain")
    ids(cache, ADA, shelf, "rain")
    shelf.put("m1", "snow")
    shelf.put("m2", "hail")
    cache.follow(ADA, shelf.rows["m2"])
    assert ids(cache, ADA, shelf, "snow") == ["m1"]
    assert ids(cache, ADA, shelf, "hail") == ["m2"]
    assert shelf.asked == [-1, 1]


def test_a_row_of_an_owner_who_is_not_cached_is_left_to_the_first_load() -> None:
    cache, shelf = IndexCache(1 << 20, TinyEmbedder.name), shelf_with("rain")
    cache.follow(BOB, shelf.rows["m0"])
    assert BOB not in cache
