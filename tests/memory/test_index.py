import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_rows import TinyEmbedder, memory, tombstone, vector_of

from persona.errors import EmbedderMismatch
from persona.memory.index import OwnerIndex
from persona.memory.recall import query_of
from persona.values.memory import MemoryRow, Recalled

WORDS = ["garden", "bicycle", "lyon", "vegan", "piano", "rain", "letter", "doctor", "cat", "train", "novel", "sea"]


def index_of(*rows: MemoryRow) -> OwnerIndex:
    index = OwnerIndex(TinyEmbedder.name)
    index.apply(rows)
    return index


def ask(index: OwnerIndex, text: str, k: int = 10) -> list[Recalled]:
    return index.search(vector_of(text), query_of(text).terms, k)


def ranking(index: OwnerIndex, question: str) -> list[tuple[str, float]]:
    return [(hit.id, round(hit.score, 6)) for hit in ask(index, question)]


def test_an_empty_index_finds_nothing() -> None:
    assert ask(OwnerIndex("tiny-1"), "anything") == []
    assert index_of().revision == -1


def test_the_memory_that_shares_the_words_of_the_question_comes_first() -> None:
    index = index_of(
        memory("a", "my cat sleeps all day"),
        memory("b", "the train to lyon leaves early"),
        memory("c", "piano lessons on monday"),
    )
    hits = ask(index, "when does the train leave for lyon")
    assert hits[0].id == "b"
    assert hits[0].score == pytest.approx(hits[0].dense + hits[0].coverage * hits[0].lexical)
    assert 0 < hits[0].coverage <= 1


def test_a_single_memory_scores_higher_the_better_it_matches() -> None:
    index = index_of(memory("a", "the train to lyon leaves early"))
    (exact,) = ask(index, "train lyon leaves early")
    (partly,) = ask(index, "a novel about lyon and rain")
    assert exact.score > partly.score > 0
    assert ask(index, "bicycle birthday") == []


def test_a_hit_says_which_share_of_the_terms_it_holds() -> None:
    index = index_of(memory("a", "the train to lyon leaves early, the early train"), memory("b", "lyon in the rain"))
    held = {hit.id: hit.holds for hit in ask(index, "early train train lyon leaves")}
    assert held == {"a": 1.0, "b": 0.25}


def test_a_hit_needs_a_shared_term_or_a_close_vector() -> None:
    query = np.zeros(32, np.float32)
    query[0] = 1
    near, far = np.zeros(32, np.float16), np.zeros(32, np.float16)
    near[:2] = 0.6, 0.8
    far[:2] = 0.05, 0.99
    index = index_of(
        memory("near", "one", vector=near.tobytes()),
        memory("far", "two", vector=far.tobytes()),
        memory("word", "three", vector=far.tobytes()),
    )
    assert {hit.id for hit in index.search(query, ["three"], 10)} == {"near", "word"}


def test_nothing_is_found_when_nothing_shares_a_term_and_no_vector_is_close_enough() -> None:
    query = np.zeros(32, np.float32)
    query[:2] = 0.2, 0.98
    vector = np.zeros(32, np.float16)
    vector[0] = 1
    index = index_of(memory("a", "one", vector=vector.tobytes()))
    assert index.search(query, ["three"], 10) == []
    assert [hit.id for hit in index.search(vector.astype(np.float32), ["three"], 10)] == ["a"]


def test_a_row_without_a_vector_is_found_by_its_words() -> None:
    index = index_of(memory("a", "a vegan dinner"), memory("b", "vegan shoes", vector=b"", embedder=""))
    hits = {hit.id: hit for hit in ask(index, "vegan shoes")}
    assert hits["b"].dense == 0
    assert hits["b"].lexical > hits["a"].lexical


def test_vectors_of_another_embedder_are_never_compared() -> None:
    stranger = memory("b", "rain", embedder="other-9", vector=np.ones(8, np.float16).tobytes())
    index = index_of(memory("a", "rain in lyon"), stranger)
    assert {hit.id for hit in ask(index, "rain")} == {"a", "b"}
    assert next(hit for hit in ask(index, "rain") if hit.id == "b").dense == 0


def test_a_query_without_a_vector_searches_by_words() -> None:
    index = index_of(memory("a", "rain in lyon"), memory("b", "my cat"))
    assert [hit.id for hit in index.search(None, ["cat"], 10)] == ["b"]
    assert [hit.id for hit in index.search(np.zeros(32, np.float32), ["cat"], 10)] == ["b"]


def test_equal_scores_go_by_newer_then_by_id() -> None:
    texts = {"a": 1, "c": 2, "b": 2}
    index = index_of(*(memory(name, "rain in lyon", at_us=at) for name, at in texts.items()))
    assert [hit.id for hit in ask(index, "rain")] == ["b", "c", "a"]
    assert [hit.id for hit in ask(index, "rain", k=1)] == ["b"]
    assert ask(index, "rain", k=0) == []


def test_a_replaced_memory_is_found_by_its_new_words_only() -> None:
    index = index_of(memory("a", "i live in lyon"), memory("b", "my cat"))
    index.apply([memory("a", "i live in paris", revision=2)])
    assert ask(index, "lyon") == []
    assert [hit.text for hit in ask(index, "paris")] == ["i live in paris"]
    assert (len(index), index.revision) == (2, 2)


def test_a_removed_memory_is_gone_and_leaves_no_trace_in_the_scores() -> None:
    index = index_of(memory("a", "i live in lyon"), memory("b", "my cat in lyon"))
    index.apply([tombstone("a", 5), tombstone("never-there", 6)])
    assert ask(index, "lyon") == ask(index_of(memory("b", "my cat in lyon")), "lyon")
    assert (len(index), index.revision) == (1, 6)


def test_the_newest_of_two_rows_with_one_id_wins() -> None:
    index = index_of(memory("a", "new words", revision=2), memory("a", "old words", revision=1))
    assert [hit.text for hit in ask(index, "words")] == ["new words"]


def test_a_chunk_is_found_by_its_heading() -> None:
    index = index_of(memory("a", "9 h – 12 h", kind="chunk", heading="Horaires > Samedi", title="h.md"))
    (hit,) = index.search(None, query_of("les horaires du samedi ?").terms, 3)
    assert (hit.source.heading, hit.source.title, hit.source.kind) == ("Horaires > Samedi", "h.md", "chunk")


def test_the_index_shrinks_when_most_of_it_was_removed() -> None:
    rows = [memory(f"m{at}", f"{WORDS[at % 12]} number {at}", revision=at) for at in range(400)]
    index = index_of(*rows)
    full = index.nbytes
    index.apply([tombstone(row.id, 1000) for row in rows[:300]])
    assert index.nbytes < full / 2
    assert ask(index, "vegan number 303") == ask(index_of(*rows[300:]), "vegan number 303")


def test_an_index_whose_terms_are_sorted_shrinks_to_the_one_that_was_never_larger() -> None:
    rows = [memory(f"m{at}", f"{WORDS[at % 12]} {' '.join(WORDS)} number {at}", revision=at) for at in range(500)]
    index = index_of(*rows)
    index.apply([memory("late", "vegan novel number 303", revision=900)])
    index.apply([tombstone(row.id, 1000) for row in rows[:400]])
    assert index.nbytes < index_of(*rows).nbytes / 3
    kept = (*rows[400:], memory("late", "vegan novel number 303", revision=900))
    assert ask(index, "vegan number 303") == ask(index_of(*kept), "vegan number 303")


def test_strings_come_back_as_they_were_whatever_is_in_them() -> None:
    strange = {"title": "\N{SNOWMAN}.md", "heading": "a\x00b\x1f", "message_id": "\udcff", "fact_kind": "ÿþ"}
    (hit,) = ask(index_of(memory("é\uffff", "rain \U0010ffff", **strange)), "rain")
    assert (hit.id, hit.text, hit.message_id, hit.fact_kind) == ("é\uffff", "rain \U0010ffff", "\udcff", "ÿþ")
    assert (hit.source.title, hit.source.heading) == ("\N{SNOWMAN}.md", "a\x00b\x1f")
    (same,) = ask(index_of(memory("m", "rain", message_id="m")), "rain")
    assert same.message_id == "m"


def test_a_vector_of_another_dimension_is_refused_and_nothing_is_taken_in() -> None:
    index = index_of(memory("a", "rain"))
    wider = memory("b", "snow", revision=9, vector=np.ones(8, np.float16).tobytes())
    with pytest.raises(EmbedderMismatch, match="32 and 8"):
        index.apply([tombstone("a", 9), wider])
    assert (len(index), index.revision) == (1, 1)
    with pytest.raises(EmbedderMismatch):
        index.search(np.ones(8, np.float32), ["rain"], 3)
    with pytest.raises(EmbedderMismatch, match="bytes"):
        index.apply([memory("c", "sun", revision=8), wider])


texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
states = st.sampled_from(["live", "live", "gone", "bare"])
rows = st.tuples(st.integers(0, 11), texts, st.integers(0, 3), states, st.integers(0, 2), st.integers(0, 5))


def row_of(revision: int, drawn: tuple[int, str, int, str, int, int]) -> MemoryRow:
    number, text, at_us, state, conversation, depth = drawn
    if state == "gone":
        return tombstone(f"m{number}", revision)
    bare = {"vector": b"", "embedder": ""} if state == "bare" else {}
    return memory(f"m{number}", text, revision, at_us=at_us, conversation_key=conversation, depth=depth, **bare)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(rows, max_size=8), max_size=8), texts)
def test_an_index_followed_change_by_change_is_the_one_built_at_once(
    batches: list[list[tuple[int, str, int, str, int, int]]], question: str
) -> None:
    index, truth = OwnerIndex(TinyEmbedder.name), dict[str, MemoryRow]()
    revision = 0
    for batch in batches:
        changes = [row_of(revision := revision + 1, drawn) for drawn in batch]
        index.apply(changes)
        truth.update((row.id, row) for row in changes)
        rebuilt = index_of(*truth.values())
        assert ranking(index, question) == ranking(rebuilt, question)
        assert (len(index), index.revision) == (len(rebuilt), rebuilt.revision)


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False), texts)
def test_a_long_history_of_changes_ends_as_the_index_built_at_once(rng: object, question: str) -> None:
    draw = np.random.default_rng(rng.getrandbits(32))  # type: ignore[attr-defined]
    index, truth = OwnerIndex(TinyEmbedder.name), dict[str, MemoryRow]()
    for revision in range(600):
        drawn = (
            int(draw.integers(150)),
            " ".join(draw.choice(WORDS, 5)),
            0,
            str(draw.choice(["live", "gone"])),
            int(draw.integers(4)),
            int(draw.integers(200)),
        )
        row = row_of(revision, drawn)
        index.apply([row])
        truth[row.id] = row
    assert ranking(index, question) == ranking(index_of(*truth.values()), question)


def test_rows_taken_in_one_by_one_score_to_the_last_bit_what_they_score_taken_in_at_once() -> None:
    draw = np.random.default_rng(7)
    texts = (" ".join(draw.choice(WORDS, 11)) for _ in range(700))
    rows = [memory(f"m{at}", text, at, conversation_key=at // 50, depth=at % 50) for at, text in enumerate(texts)]
    grown = OwnerIndex(TinyEmbedder.name)
    for row in rows:
        grown.apply([row])
    for question in ("garden bicycle lyon vegan", "piano rain letter doctor cat", "train novel sea garden piano lyon"):
        assert ask(grown, question, 700) == ask(index_of(*rows), question, 700)


def test_importing_the_room_loads_no_faiss() -> None:
    code = "import sys, persona.memory.cache, persona.memory.recall; assert 'faiss' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
