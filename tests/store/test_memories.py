"""What is kept about an owner: facts superseded, memories buried, revisions counted, nobody else's rows."""

import pytest
from stored import ADA, BOB, NOW

from persona.store import facts, memories, messages, owners, summaries
from persona.store.engine import Database
from persona.values.memory import Fact, MemoryRow
from persona.values.owner import Owner

VECTOR = bytes(range(256)) * 3


@pytest.fixture
def ada(database: Database) -> int:
    return owner(database, ADA)


@pytest.fixture
def bob(database: Database) -> int:
    return owner(database, BOB)


def owner(database: Database, who: Owner) -> int:
    return database.run_now(lambda tx: owners.find_or_make(tx, who, NOW)).key


def revision(database: Database, who: Owner = ADA) -> int:
    found = database.run_now(lambda tx: owners.find(tx, who), write=False)
    assert found
    return found.revision


def fact(id: str, text: str = "végétarienne", kind: str = "preference", at: int = NOW) -> Fact:
    return Fact(id, text, kind, "user", at, at)


def remember(database: Database, key: int, *told: Fact) -> list[str]:
    return database.run_now(lambda tx: [kept.id for one in told if (kept := facts.add(tx, key, one))])


def holding(database: Database, key: int) -> list[Fact]:
    return database.run_now(lambda tx: facts.holding(tx, key), write=False)


def row(id: str, text: str = "un souvenir", **more: str) -> MemoryRow:
    return MemoryRow(id, "turn", text, 0, "embedder-1", VECTOR, at_us=NOW, message_id="msg_1", **more)


def since(database: Database, key: int, revision: int = -1) -> list[MemoryRow]:
    return list(database.run_now(lambda tx: memories.since(tx, key, revision), write=False))


# facts


def test_facts_hold_in_the_order_they_were_stored(database: Database, ada: int) -> None:
    wanted = [fact("f3", "un"), fact("f1", "deux", at=NOW + 1), fact("f2", "trois", at=NOW + 1)]
    remember(database, ada, *reversed(wanted))
    assert holding(database, ada) == wanted


def test_same_fact_again_is_the_one_that_is_there(database: Database, ada: int) -> None:
    assert remember(database, ada, fact("f1")) == ["f1"]
    before = revision(database)
    assert remember(database, ada, fact("f2", at=NOW + 1)) == ["f1"]
    assert [one.id for one in holding(database, ada)] == ["f1"]
    assert revision(database) == before


def test_same_words_of_another_kind_or_owner_are_another_fact(database: Database, ada: int, bob: int) -> None:
    assert remember(database, ada, fact("f1"), fact("f2", kind="fact")) == ["f1", "f2"]
    assert remember(database, bob, fact("f3")) == ["f3"]


def test_superseded_fact_is_kept_with_the_time_it_ended(database: Database, ada: int) -> None:
    remember(database, ada, fact("f1"))
    assert database.run_now(lambda tx: facts.end(tx, ada, "f1", NOW + 5))
    remember(database, ada, fact("f2", "mange de tout", at=NOW + 5))
    assert [one.id for one in holding(database, ada)] == ["f2"]
    with database.connection(write=False) as connection:
        ended = connection.exec_driver_sql("SELECT text, valid_to_us FROM persona_facts WHERE id = 'f1'").one()
    assert tuple(ended) == ("végétarienne", NOW + 5)


def test_fact_that_ended_may_hold_again(database: Database, ada: int) -> None:
    remember(database, ada, fact("f1"))
    database.run_now(lambda tx: facts.end(tx, ada, "f1", NOW + 1))
    assert remember(database, ada, fact("f2", at=NOW + 2)) == ["f2"]


def test_ended_fact_leaves_recall_too(database: Database, ada: int) -> None:
    remember(database, ada, fact("f1"))
    database.run_now(lambda tx: memories.add(tx, ada, [row("f1")]))
    database.run_now(lambda tx: facts.end(tx, ada, "f1", NOW + 1))
    assert [(one.id, one.deleted) for one in since(database, ada)] == [("f1", True)]


def test_fact_ends_once_and_only_for_its_owner(database: Database, ada: int, bob: int) -> None:
    remember(database, ada, fact("f1"))
    before = revision(database)
    assert not database.run_now(lambda tx: facts.end(tx, bob, "f1", NOW + 1))
    assert not database.run_now(lambda tx: facts.end(tx, ada, "none", NOW + 1))
    assert revision(database) == before
    assert database.run_now(lambda tx: facts.end(tx, ada, "f1", NOW + 1))
    assert not database.run_now(lambda tx: facts.end(tx, ada, "f1", NOW + 2))


# memories


def test_memory_is_read_back_as_written(database: Database, ada: int) -> None:
    written = row("m1", title="a.md", heading="# Un", fact_kind="preference")
    now = database.run_now(lambda tx: memories.add(tx, ada, [written]))
    (read,) = since(database, ada)
    assert read.vector == VECTOR
    assert (read.text, read.title, read.heading, read.fact_kind) == ("un souvenir", "a.md", "# Un", "preference")
    assert (read.revision, read.at_us, read.message_id, read.deleted) == (now, NOW, "msg_1", False)


def test_every_change_counts_the_revision_up_once(database: Database, ada: int, bob: int) -> None:
    steps = [
        lambda tx: memories.add(tx, ada, [row("m1"), row("m2")]),
        lambda tx: memories.bury(tx, ada, ["m1"]),
        lambda tx: facts.add(tx, ada, fact("f1")),
        lambda tx: facts.end(tx, ada, "f1", NOW),
    ]
    seen = [revision(database)]
    for step in steps:
        database.run_now(step)
        seen.append(revision(database))
    assert seen == [0, 1, 2, 3, 4]
    assert revision(database, BOB) == 0


def test_caches_read_only_what_changed_since(database: Database, ada: int) -> None:
    first = database.run_now(lambda tx: memories.add(tx, ada, [row("m1"), row("m2")]))
    second = database.run_now(lambda tx: memories.add(tx, ada, [row("m3")]))
    database.run_now(lambda tx: memories.bury(tx, ada, ["m1"]))
    assert {one.id for one in since(database, ada)} == {"m1", "m2", "m3"}
    assert [(one.id, one.deleted) for one in since(database, ada, first)] == [("m3", False), ("m1", True)]
    assert [one.id for one in since(database, ada, second)] == ["m1"]
    assert since(database, ada, revision(database)) == []


def test_tombstone_holds_nothing_of_what_it_was(database: Database, ada: int) -> None:
    database.run_now(lambda tx: memories.add(tx, ada, [row("m1", "un secret", title="titre", heading="section")]))
    database.run_now(lambda tx: memories.bury(tx, ada, ["m1"]))
    (grave,) = since(database, ada)
    assert (grave.deleted, grave.text, grave.vector, grave.title, grave.heading) == (True, "", b"", "", "")


def test_memory_of_a_repeated_task_is_kept_once(database: Database, ada: int) -> None:
    for _ in range(2):
        database.run_now(lambda tx: memories.add_once(tx, ada, row("m1")))
    assert revision(database) == 1


def test_how_many_memories_an_owner_has_counts_graves_and_nobody_else(database: Database, ada: int, bob: int) -> None:
    database.run_now(lambda tx: memories.add(tx, ada, [row("m1"), row("m2")]))
    database.run_now(lambda tx: memories.add(tx, bob, [row("m3")]))
    database.run_now(lambda tx: memories.bury(tx, ada, ["m1"]))

    def more_than(many: int) -> bool:
        return database.run_now(lambda tx: memories.more_than(tx, ada, many), write=False)

    assert [more_than(many) for many in range(4)] == [True, True, False, False]


def test_other_owners_memories_are_never_returned_or_buried(database: Database, ada: int, bob: int) -> None:
    database.run_now(lambda tx: memories.add(tx, ada, [row("m1")]))
    remember(database, ada, fact("f1"))
    database.run_now(lambda tx: memories.bury(tx, bob, ["m1"]))
    assert since(database, bob) == []
    assert holding(database, bob) == []
    assert [one.deleted for one in since(database, ada)] == [False]


def test_only_the_owners_own_words_become_memories(database: Database, ada: int, bob: int) -> None:
    remember(database, ada, fact("f1"))
    found = database.run_now(lambda tx: messages.to_remember(tx, ada, "f1"))
    assert found
    assert (found.kind, found.text, found.at_us) == ("fact", "végétarienne", NOW)
    assert database.run_now(lambda tx: messages.to_remember(tx, bob, "f1")) is None
    database.run_now(lambda tx: facts.end(tx, ada, "f1", NOW + 1))
    assert database.run_now(lambda tx: messages.to_remember(tx, ada, "f1")) is None


# summaries


def test_summaries_come_the_furthest_first(database: Database, ada: int) -> None:
    for depth in (4, 10, 7):
        database.run_now(lambda tx, depth=depth: summaries.add(tx, ada, 1, ("m", depth), f"à {depth}", NOW))
    database.run_now(lambda tx: summaries.add(tx, ada, 2, ("m", 99), "ailleurs", NOW))
    found = database.run_now(lambda tx: summaries.of_conversation(tx, 1), write=False)
    assert [(text, depth, upto) for _, text, depth, upto in found] == [
        *(("à 10", 10, "m"), ("à 7", 7, "m"), ("à 4", 4, "m")),
    ]
