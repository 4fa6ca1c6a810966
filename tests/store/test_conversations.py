"""Conversations: listed newest first, read from the root to the head, and nobody else's."""

import pytest
from stored import ADA, BOB, NOW, answer, opening, say, start

from persona.errors import InvalidInput
from persona.store import conversations
from persona.store.conversations import ConversationState
from persona.store.engine import Database
from persona.values.message import Message
from persona.values.owner import Owner
from persona.values.turn import Page


def state(database: Database, owner: Owner = ADA, id: str = "c-1") -> ConversationState | None:
    return database.run_now(lambda tx: conversations.find(tx, owner, id), write=False)[1]


def page(database: Database, limit: int = 3, cursor: str = "", archived: bool = False, owner: Owner = ADA) -> Page:
    return database.run_now(lambda tx: conversations.listing(tx, owner, limit, cursor, archived), write=False)


def path(database: Database, first_depth: int = 0, head: Message | None = None) -> list[Message]:
    found = state(database)
    assert found
    head_id = head.id if head else found.head_id
    read = database.run_now(lambda tx: conversations.path(tx, found.key, head_id, first_depth), write=False)
    return [one.message for one in read]


def pages(database: Database, limit: int) -> list[str]:
    ids, cursor = [], ""
    while True:
        found = page(database, limit, cursor)
        ids += [entry.id for entry in found]
        cursor = found.cursor
        if not cursor:
            return ids


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 20])
def test_pages_show_every_conversation_once_also_when_they_moved_at_the_same_time(
    database: Database, limit: int
) -> None:
    times = [5, 5, 5, 9, 9, 1, 5]
    for number, time in enumerate(times):
        say(database, now=NOW + time, id=f"c-{number}")
    newest_first = sorted(range(len(times)), key=lambda number: (-times[number], -number))
    assert pages(database, limit) == [f"c-{number}" for number in newest_first]


def test_conversation_that_goes_on_meanwhile_does_not_disturb_the_next_page(database: Database) -> None:
    for number in range(6):
        say(database, now=NOW + number, id=f"c-{number}")
    first = page(database, 3)
    say(database, now=NOW + 100, id="c-0")
    second = page(database, 3, first.cursor)
    assert [entry.id for entry in (*first, *second)] == ["c-5", "c-4", "c-3", "c-2", "c-1"]


def test_archived_conversations_are_listed_when_asked_for(database: Database) -> None:
    say(database, id="old")
    say(database, id="new", now=NOW + 1)
    old = state(database, id="old")
    assert old
    database.run_now(lambda tx: conversations.archive(tx, old.key, NOW))
    assert [entry.id for entry in page(database)] == ["new"]
    assert [(entry.id, entry.archived) for entry in page(database, archived=True)] == [("new", False), ("old", True)]
    database.run_now(lambda tx: conversations.archive(tx, old.key, 0))
    assert len(page(database).conversations) == 2


def test_entry_tells_what_the_conversation_is(database: Database) -> None:
    say(database, "  La poste\n ouvre   quand ? " + "x" * 100)
    (entry,) = page(database)
    assert entry.title == "La poste ouvre quand ? " + "x" * 37
    assert (entry.route, entry.messages, entry.created_us) == ("support", 2, NOW)
    found = state(database)
    assert found
    database.run_now(lambda tx: conversations.rename(tx, found.key, "La poste"))
    assert page(database).conversations[0].title == "La poste"


@pytest.mark.parametrize("cursor", ["x", "1", "1-2-3", "[1, 2]", "-1-2", "1" * 40 + "-1", "٣-٣", "1-2 "])
def test_cursor_that_no_page_gave_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        page(database, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1])
def test_page_of_nothing_is_refused(database: Database, limit: int) -> None:
    with pytest.raises(InvalidInput):
        page(database, limit)


def test_nobody_elses_conversations_are_listed_or_found(database: Database) -> None:
    say(database)
    start(database, opening(owner=BOB, id="c-2"))
    assert [entry.id for entry in page(database, owner=BOB)] == ["c-2"]
    assert page(database, owner=Owner("other", "ada")).conversations == ()
    assert state(database, BOB, "c-1") is None


def test_same_id_is_another_conversation_for_another_user(database: Database) -> None:
    say(database)
    start(database, opening("à moi", owner=BOB))
    mine, theirs = state(database), state(database, BOB)
    assert mine
    assert theirs
    assert mine.key != theirs.key


def test_message_of_somebody_else_is_not_found(database: Database) -> None:
    asked, _ = say(database)
    start(database, opening(owner=BOB))
    assert database.run_now(lambda tx: conversations.message(tx, BOB, asked.id)) is None
    found = database.run_now(lambda tx: conversations.message(tx, ADA, asked.id))
    assert found
    assert found[0] == asked


def test_path_leads_from_the_root_to_the_head_in_order(database: Database) -> None:
    said = [message for number in range(5) for message in say(database, f"message {number}", now=NOW + number)]
    assert path(database) == said
    assert [message.depth for message in path(database)] == list(range(10))


def test_path_may_start_at_a_depth(database: Database) -> None:
    said = [message for number in range(3) for message in say(database, now=NOW + number)]
    assert path(database, 4) == said[4:]
    assert path(database, 6) == []


def test_path_follows_the_branch_of_its_head_and_none_of_its_siblings(database: Database) -> None:
    first = say(database, "un")
    asked, replied = say(database, "deux", now=NOW + 1)
    edited = start(database, opening("deux bis", replaces=asked.id, now=NOW + 2))
    other = answer(database, edited, now=NOW + 2)
    assert path(database) == [*first, edited.message, other]
    assert path(database, head=replied) == [*first, asked, replied]
    again = start(database, opening("deux bis", again=edited.message.id, now=NOW + 3))
    third = answer(database, again, "encore", NOW + 3)
    assert path(database) == [*first, edited.message, third]


def test_path_through_many_branches_is_as_long_as_the_tree_is_deep(database: Database) -> None:
    expected = []
    for number in range(60):
        asked, _ = say(database, f"message {number}", now=NOW + number)
        edited = start(database, opening(f"autre {number}", replaces=asked.id, now=NOW + number))
        expected += [edited.message, answer(database, edited, now=NOW + number)]
    assert path(database) == expected
    assert path(database, 100) == expected[100:]


def test_path_never_leaves_its_conversation(database: Database) -> None:
    say(database)
    asked, _ = say(database, id="c-2")
    assert path(database, head=asked) == []
    found = state(database)
    assert found
    assert database.run_now(lambda tx: conversations.path(tx, found.key, "")) == []
