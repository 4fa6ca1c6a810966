"""Several processes on one database, SQLite and PostgreSQL: every row is had by one of them, and nothing twice."""

import rivals
from stored import ADA, NOW

from persona.store import conversations, facts, memories, owners, tasks
from persona.store.engine import Database
from persona.store.transaction import Transaction


def test_conversation_goes_to_one_turn_at_a_time_and_no_message_is_lost_or_doubled(
    url: str, database: Database
) -> None:
    said = rivals.race(rivals.talk, url)
    heard = []
    for number in range(3):
        _, state = database.run_now(lambda tx, id=f"c-{number}": conversations.find(tx, ADA, id), write=False)
        assert state
        path = database.run_now(lambda tx, state=state: conversations.path(tx, state.key, state.head_id), write=False)
        assert [one.message.depth for one in path] == list(range(40))
        assert [one.message.role for one in path] == ["user", "assistant"] * 20
        assert len({one.message.turn_id for one in path}) == 20
        heard += [(number, one.message.text) for one in path if one.message.role == "user"]
    assert sorted(heard) == sorted(said)


def test_new_conversation_and_its_key_are_had_by_one_of_those_who_begin_it(url: str, database: Database) -> None:
    got = rivals.race(rivals.open_all, url, processes=3)
    assert got.count("Held") == 40
    assert len(set(got)) == 21
    assert "?" not in got


def test_every_task_is_claimed_by_one_worker(url: str, database: Database) -> None:
    def put(tx: Transaction) -> None:
        for number in range(300):
            tasks.put(tx, "index", 1, str(number), NOW)

    database.run_now(put)
    got = rivals.race(rivals.work_off, url)
    assert sorted(got, key=int) == list(map(str, range(300)))


def test_every_change_to_an_owner_has_a_revision_of_its_own(url: str, database: Database) -> None:
    revisions = rivals.race(rivals.remember, url)
    assert len(set(revisions)) == 100
    owner = database.run_now(lambda tx: owners.find(tx, ADA), write=False)
    assert owner
    assert owner.revision == 110
    assert len(database.run_now(lambda tx: facts.holding(tx, owner.key), write=False)) == 10
    found = database.run_now(lambda tx: memories.since(tx, owner.key, -1), write=False)
    assert sorted(row.revision for row in found) == sorted(revisions)


def test_slot_has_one_value_at_any_time_and_the_newest_now(url: str, database: Database) -> None:
    times = sorted(rivals.race(rivals.move, url))
    owner = database.run_now(lambda tx: owners.find(tx, ADA), write=False)
    assert owner
    entries = database.run_now(lambda tx: facts.history(tx, owner.key), write=False)
    assert [entry.valid_from_us for entry in entries] == times
    assert [entry.valid_to_us for entry in entries] == [*times[1:], 0]
