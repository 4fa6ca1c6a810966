"""A memory is found by what was said around it, too."""

import numpy as np
from memory_rows import TinyEmbedder, memory, tombstone, vector_of

from persona.memory.index import OwnerIndex
from persona.memory.recall import query_of
from persona.values.memory import MemoryRow, Recalled


def said(conversation: int, *texts: str) -> list[MemoryRow]:
    return [
        memory(f"{conversation}/{at}", text, at + 1, conversation_key=conversation, depth=2 * at)
        for at, text in enumerate(texts)
    ]


def ask(rows: list[MemoryRow], question: str, *later: MemoryRow) -> dict[str, Recalled]:
    index = OwnerIndex(TinyEmbedder.name)
    index.apply(rows)
    index.apply(later)
    return {hit.id: hit for hit in index.search(vector_of(question), query_of(question).terms, 50)}


TALK = said(1, "crete next summer", "ten days", "ferry tickets", "wet shoes", "blue paint", "old piano")


def test_two_messages_before_and_two_after_are_neighbours() -> None:
    hits = ask(TALK, "crete")
    assert set(hits) >= {"1/0", "1/1", "1/2"}
    assert {name for name, hit in hits.items() if hit.near_lexical > 0} == {"1/0", "1/1", "1/2"}
    assert [name for name, hit in hits.items() if hit.holds] == ["1/0"]


def test_a_conversation_ends_where_another_begins() -> None:
    other = said(2, "loud drums", "green tea")
    assert not {"2/0", "2/1"} & {name for name, hit in ask(TALK + other, "crete").items() if hit.near_lexical > 0}


def test_what_is_no_message_has_no_neighbours() -> None:
    facts = [memory("a", "crete in summer", depth=0), memory("b", "green tea", depth=2)]
    hits = ask(facts, "crete")
    assert "b" not in hits or hits["b"].near_lexical < 0


def test_a_removed_message_brings_its_neighbours_together() -> None:
    gone = [tombstone("1/1", 90), tombstone("1/2", 91)]
    closer = {name for name, hit in ask(TALK, "crete", *gone).items() if hit.near_lexical > 0}
    assert closer == {"1/0", "1/3", "1/4"}


def test_neighbours_do_not_depend_on_the_order_in_which_messages_were_indexed() -> None:
    for order in np.random.default_rng(3).permuted(np.tile(np.arange(len(TALK)), (8, 1)), axis=1).tolist():
        assert ask([], "crete days", *(TALK[at] for at in order)) == ask(TALK, "crete days")


def test_the_parts_of_a_score_add_up() -> None:
    for hit in ask(TALK, "ten days in crete").values():
        lifted = hit.standing + hit.dated + hit.newer
        assert abs(hit.score - (hit.dense + hit.coverage * hit.lexical + lifted)) < 1e-6
