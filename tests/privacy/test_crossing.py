"""Two transactions at the same moment on PostgreSQL: one erases or merges, the other read before and writes after."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import postgres
import pytest
from privacy.traces import everything, in_rows, mark
from stored import ADA, NOW, answer, attempt, opening, say, start

from persona.errors import NotFound
from persona.memory import profile
from persona.store import conversations, erasure, feedback, merging, owners
from persona.store.engine import Database
from persona.store.opening import Opened
from persona.store.transaction import Transaction
from persona.values.owner import Owner

T = TypeVar("T")
VISITOR = Owner("acme", "visitor-81")
SAID = mark(5)
_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def databases(_kept: str) -> Iterator[tuple[Database, Database]]:
    """The same database twice, as two processes have it."""
    postgres.emptied(_kept)
    both = (Database(_kept, busy_timeout_s=20), Database(_kept, busy_timeout_s=20))
    yield both
    for database in both:
        database.close()


@pytest.fixture
def crossed(databases: tuple[Database, Database], _kept: str) -> Iterator[Callable[..., T]]:
    """Does the first work, starts the second one, lets it run into the first one's locks, and only then commits."""
    first, _ = databases
    with ThreadPoolExecutor(1) as threads:

        def cross(work: Callable[[Transaction], object], then: Callable[[], T]) -> T:
            with first.transaction() as tx:
                work(tx)
                running: Future[T] = threads.submit(then)
                until = time.monotonic() + 10
                while not postgres.administer(_kept, _BLOCKED)[0][0]:
                    assert not running.done(), "it did not meet the other one, so this proves nothing"
                    assert time.monotonic() < until
            return running.result(timeout=20)

        yield cross


def test_a_turn_that_read_the_erased_head_goes_on_from_what_is_left(
    databases: tuple[Database, Database], crossed: Callable[..., Opened]
) -> None:
    first, second = databases
    kept, _ = say(first, "kept")
    gone, _ = say(first, SAID)
    opened = crossed(
        lambda tx: erasure.erase_message(tx, ADA, gone.id, NOW), lambda: start(second, opening("next", id="c-1"))
    )
    path = second.run_now(lambda tx: conversations.path(tx, opened.before.key, opened.message.id), write=False)
    assert [one.message.text for one in path] == ["kept", "À 9 h.", "next"]
    assert path[0].message.id == kept.id
    assert in_rows(second, SAID) == {}


def test_a_turn_in_a_conversation_that_was_just_merged_is_the_accounts_or_nobodys(
    databases: tuple[Database, Database], crossed: Callable[..., object]
) -> None:
    first, second = databases
    answer(first, start(first, opening(SAID, owner=VISITOR)))
    visitor = first.run_now(lambda tx: owners.find(tx, VISITOR))
    account = first.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW))
    assert visitor
    with pytest.raises(NotFound):
        crossed(
            lambda tx: merging.merge(tx, visitor, account, (), NOW),
            lambda: attempt(second, opening("next", owner=VISITOR, route="")),
        )
    assert {row[1] for row in everything(first)["persona_messages"]} == {account.key}


def test_feedback_on_what_was_just_merged_is_refused(
    databases: tuple[Database, Database], crossed: Callable[..., object]
) -> None:
    first, second = databases
    reply = answer(first, start(first, opening(SAID, owner=VISITOR)))
    visitor, conversation = first.run_now(lambda tx: conversations.find(tx, VISITOR, "c-1"))
    account = first.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW))
    assert visitor
    assert conversation
    place = (visitor.key, conversation.key)
    with pytest.raises(NotFound):
        crossed(
            lambda tx: merging.merge(tx, visitor, account, (), NOW),
            lambda: second.run_now(lambda tx: feedback.give(tx, *place, reply.id, "comment", NOW, "good")),
        )
    assert everything(first)["persona_feedback"] == []


def test_a_first_message_and_the_erasure_of_its_user_leave_no_orphans(
    databases: tuple[Database, Database], crossed: Callable[..., object]
) -> None:
    first, second = databases
    first.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW))
    crossed(lambda tx: erasure.erase_owner(tx, ADA), lambda: start(second, opening("hello")))
    (owner,) = everything(first)["persona_owners"]
    assert [row[1] for row in everything(first)["persona_conversations"]] == [owner[0]]
    assert [row[1] for row in everything(first)["persona_messages"]] == [owner[0]]


def test_an_erasure_waits_for_the_first_message_of_its_user_and_takes_it(
    databases: tuple[Database, Database], crossed: Callable[..., object]
) -> None:
    from persona.store.opening import open_turn

    first, second = databases
    first.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW))
    crossed(lambda tx: open_turn(tx, opening(SAID)), lambda: second.run_now(lambda tx: erasure.erase_owner(tx, ADA)))
    assert in_rows(first, SAID) == {}
    assert everything(first)["persona_conversations"] == []


def test_a_fact_told_at_the_moment_of_an_erasure_is_a_new_users(
    databases: tuple[Database, Database], crossed: Callable[..., object]
) -> None:
    import asyncio

    first, second = databases
    first.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW))
    crossed(
        lambda tx: erasure.erase_owner(tx, ADA),
        lambda: asyncio.run(profile.remember(second, ADA, "vegetarian", "fact", NOW)),
    )
    (owner,) = everything(first)["persona_owners"]
    assert [row[1] for row in everything(first)["persona_facts"]] == [owner[0]]
