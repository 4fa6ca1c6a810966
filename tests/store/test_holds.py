"""Holds in the store: one a route, read with every conversation of it."""

from stored import ADA, NOW, say

from persona.store import changes, conversations, holds
from persona.store.engine import Database
from persona.store.holds import Hold

HOLD = Hold("support", "base", "grace", "it invents prices", NOW)


def held(database: Database) -> str:
    _, found = database.run_now(lambda tx: conversations.find(tx, ADA, "c-1"), write=False)
    assert found
    assert database.run_now(lambda tx: conversations.by_key(tx, found.key), write=False) == found
    return found.held


def test_a_conversation_is_read_with_the_hold_of_its_route_alone(database: Database) -> None:
    say(database)
    database.run_now(lambda tx: holds.put(tx, Hold("another", "tuned", "grace", "", NOW)))
    assert held(database) == ""
    database.run_now(lambda tx: holds.put(tx, HOLD))
    assert held(database) == "base"
    assert database.run_now(lambda tx: holds.release(tx, "support", "bob", "", NOW + 1))
    assert held(database) == ""


def test_a_second_hold_takes_the_place_of_the_first(database: Database) -> None:
    second = Hold("support", "tuned", "bob", "base is down", NOW + 1)
    for hold in (HOLD, second):
        database.run_now(lambda tx, hold=hold: holds.put(tx, hold))
    assert database.run_now(holds.all_of_them, write=False) == [second]
    found = database.run_now(lambda tx: changes.newest(tx, 9), write=False)
    assert [(one.before, one.after, one.why) for one in found] == [
        ("base", "tuned", "base is down"),
        ("", "base", "it invents prices"),
    ]


def test_releasing_what_is_not_held_records_nothing(database: Database) -> None:
    assert database.run_now(lambda tx: holds.release(tx, "support", "bob", "", NOW)) is None
    assert database.run_now(lambda tx: changes.newest(tx, 9), write=False) == []
