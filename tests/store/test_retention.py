"""Retention on both databases: what is old goes with all that hangs on it, and nothing else changes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from stored import ADA, NOW, SECOND, answer, exchange, opening, sql, start

from persona.errors import Erased, NotFound
from persona.settings.retention import RetentionRule
from persona.store import conversations, exchanges, facts, feedback, memories, owners, retention, summaries, tasks
from persona.store.engine import Database
from persona.store.tables import Table
from persona.store.transaction import Transaction
from persona.tasks.retention import Pruned, expired, prune_all, prune_some
from persona.values.memory import Fact, MemoryRow
from persona.values.message import Message
from persona.values.owner import Owner

DAY = 86_400 * SECOND
LATER = NOW + 10 * DAY
MONTH = [RetentionRule(days=5)]
EVE = Owner("zenith", "eve")


def fill(database: Database, mark: str, owner: Owner = ADA, id: str = "c-1", now: int = NOW) -> Message:
    """A conversation in which every table has a row that names the mark, and the memory that was made of it."""
    opened = start(database, opening(f"said {mark}", owner=owner, id=id, now=now, key=f"key {mark} {id}"))
    reply = answer(database, opened, f"replied {mark}", now)
    owner_key, key = opened.owner.key, opened.before.key

    def write(tx: Transaction) -> None:
        exchanges.log(tx, exchange(opened, ""))
        feedback.give(tx, owner_key, key, reply.id, "correction", now, f"corrected {mark}")
        summaries.add(tx, owner_key, key, (reply.id, 1), f"summarised {mark}", now)
        row = MemoryRow(opened.message.id, "turn", f"said {mark}", 0, "e", b"\1" * 64, message_id=opened.message.id)
        memories.add_once(tx, owner_key, row)
        tasks.put(tx, "index", owner_key, opened.message.id, now)
        tasks.put(tx, "summarise", owner_key, reply.id, now, key)

    database.run_now(write)
    return opened.message


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    names = [name for name in Table.metadata.tables if name != "persona_owners"]
    return {name: database.run_now(lambda tx, name=name: tx.all(sql(f"SELECT * FROM {name}"), {})) for name in names}


def naming(database: Database, *marks: str) -> dict[str, int]:
    """How many rows of each table hold one of these texts."""
    found = {
        name: sum(any(m in str(row) for m in marks) for row in rows) for name, rows in everything(database).items()
    }
    return {name: number for name, number in found.items() if number}


def old(database: Database, now: int = LATER) -> list[retention.Idle]:
    return database.run_now(lambda tx: retention.idle(tx, *retention.keys(tx), now - 5 * DAY, now), write=False)


def delete(database: Database, found: retention.Idle, now: int = LATER) -> int | None:
    return database.run_now(lambda tx: retention.delete_conversation(tx, found, now))


async def prune(database: Database, rules: Sequence[RetentionRule] = MONTH, now: int = LATER) -> tuple[Pruned, ...]:
    return await prune_all(database, rules, now)


async def test_everything_that_hangs_on_a_conversation_goes_with_it(database: Database) -> None:
    message = fill(database, "MARK")
    marks = ("MARK", message.id, message.turn_id)
    assert len(naming(database, *marks)) == 8
    assert await prune(database) == (Pruned("acme", "support", 1, 2),)
    assert naming(database, "MARK", message.turn_id) == {}
    rows = {name: len(rows) for name, rows in everything(database).items() if rows}
    assert rows == {"persona_memories": 1}


async def test_memories_of_its_messages_become_tombstones_that_an_index_follows(database: Database) -> None:
    message = fill(database, "MARK")
    (owner,) = [database.run_now(lambda tx: owners.find(tx, ADA))]
    assert owner
    await prune(database)
    (row,) = database.run_now(lambda tx: memories.since(tx, owner.key, owner.revision), write=False)
    assert (row.id, row.deleted, row.text, row.vector) == (message.id, True, "", b"")


async def test_facts_and_prompts_stay(database: Database) -> None:
    message = fill(database, "MARK")

    def write(tx: Transaction) -> None:
        owner = owners.find_or_make(tx, ADA, NOW)
        facts.add(tx, owner.key, Fact("fct_1", "vegetarian", message_id=message.id))
        memories.add(tx, owner.key, [MemoryRow("fct_1", "fact", "vegetarian", 0, "e", b"\1", message_id=message.id)])
        exchanges.keep_prompt(tx, "digest", "You are helpful.")

    database.run_now(write)
    await prune(database)
    kept = naming(database, "vegetarian", "You are helpful.")
    assert kept == {"persona_facts": 1, "persona_memories": 1, "persona_prompts": 1}


async def test_conversations_of_others_and_younger_ones_stay_as_they_were(database: Database) -> None:
    for owner, id, now in ((EVE, "c-1", NOW), (ADA, "c-2", LATER - DAY)):
        fill(database, "STAYS", owner, id, now)
    before = everything(database)
    fill(database, "GOES", id="c-3")
    assert await prune(database, [RetentionRule(tenant="acme", days=5)]) == (Pruned("acme", "support", 1, 2),)
    after = everything(database)
    after["persona_memories"] = [row for row in after["persona_memories"] if row[3] != "turn" or "STAYS" in str(row)]
    assert after == before


async def test_without_rules_nothing_is_deleted(database: Database) -> None:
    fill(database, "MARK")
    before = everything(database)
    assert await prune(database, [], NOW + 10_000 * DAY) == ()
    assert everything(database) == before


async def test_a_running_turn_keeps_its_conversation_and_ends_well(database: Database) -> None:
    fill(database, "MARK")
    opened = start(database, replace(opening("still here"), lease_us=11 * DAY))
    assert await prune(database) == ()
    answer(database, opened, now=LATER)
    assert await prune(database) == ()


async def test_a_turn_that_died_keeps_nothing(database: Database) -> None:
    start(database, opening("MARK"))
    assert await prune(database) == (Pruned("acme", "support", 1, 1),)
    assert naming(database, "MARK") == {}


def test_a_turn_that_begins_after_the_conversation_was_found_keeps_it(database: Database) -> None:
    fill(database, "MARK")
    (found,) = old(database)
    answer(database, start(database, opening("again", now=LATER)), now=LATER)
    before = everything(database)
    assert delete(database, found) is None
    assert everything(database) == before


def test_a_turn_whose_conversation_was_deleted_writes_nothing(database: Database) -> None:
    opened = start(database, opening("MARK"))
    (found,) = old(database)
    assert delete(database, found) == 1
    with pytest.raises(Erased):
        answer(database, opened, "MARK", LATER)
    assert naming(database, "MARK") == {}


def test_feedback_on_what_was_just_deleted_is_refused(database: Database) -> None:
    message = fill(database, "MARK")
    (found,) = old(database)
    delete(database, found)
    with pytest.raises(NotFound):
        database.run_now(lambda tx: feedback.give(tx, 1, found.key, message.id, "comment", LATER, "MARK"))
    assert naming(database, "MARK") == {}


def test_a_worker_that_was_making_a_memory_finds_its_task_gone(database: Database) -> None:
    fill(database, "MARK")
    claimed = database.run_now(lambda tx: tasks.claim(tx, LATER, 60 * SECOND, 9))
    assert len(claimed) == 2
    (found,) = old(database)
    delete(database, found)
    assert [database.run_now(lambda tx, task=task: tasks.done(tx, task)) for task in claimed] == [False, False]


async def test_an_id_that_is_used_again_begins_from_nothing(database: Database) -> None:
    fill(database, "MARK")
    _, before = database.run_now(lambda tx: conversations.find(tx, ADA, "c-1"))
    await prune(database)
    opened = start(database, opening("hello again", key="key MARK c-1", now=LATER))
    assert before
    assert opened.before.key > before.key
    assert (opened.before.head_id, opened.message.depth) == ("", 0)


def archive(database: Database, id: str, now: int) -> None:
    def write(tx: Transaction) -> None:
        _, found = conversations.find(tx, ADA, id)
        assert found
        conversations.archive(tx, found.key, now)

    database.run_now(write)


async def test_archived_conversations_have_days_of_their_own(database: Database) -> None:
    for id in ("kept", "archived", "just archived"):
        fill(database, id, id=id)
    archive(database, "archived", NOW + DAY)
    archive(database, "just archived", LATER - DAY)
    assert await prune(database, [RetentionRule(days=300, archived_days=3)]) == (Pruned("acme", "support", 1, 2),)
    assert set(naming(database, "kept", "just archived")) > {"persona_messages"}
    _, gone = database.run_now(lambda tx: conversations.find(tx, ADA, "archived"))
    assert gone is None


@pytest.mark.parametrize(
    ("tenant", "route", "days", "goes"),
    [
        ("acme", "support", 5, False),
        ("acme", "support", 7, True),
        ("acme", "sales", 2, False),
        ("acme", "sales", 3, True),
        ("zenith", "support", 3, False),
        ("zenith", "support", 9, True),
        ("zenith", "sales", 9, True),
    ],
)
def test_the_first_rule_that_fits_counts(tenant: str, route: str, days: int, goes: bool) -> None:
    rules = [
        RetentionRule(tenant="acme", route="support", days=7),
        RetentionRule(tenant="acme", days=3),
        RetentionRule(days=9),
        RetentionRule(tenant="zenith", days=1),
    ]
    assert expired(rules, retention.Idle(1, 1, tenant, route, 2, 1, LATER - days * DAY, 0), LATER) is goes


def test_what_no_rule_fits_is_kept() -> None:
    rules = [RetentionRule(tenant="acme", days=1)]
    assert not expired(rules, retention.Idle(1, 1, "", "support", 2, 1, 0, 0), LATER)


async def test_a_dry_run_counts_and_changes_nothing(database: Database) -> None:
    for id in ("c-1", "c-2"):
        fill(database, "MARK", id=id)
    fill(database, "MARK", EVE)
    before = everything(database)
    counted = await prune_all(database, MONTH, LATER, dry=True)
    assert counted == (Pruned("acme", "support", 2, 4), Pruned("zenith", "support", 1, 2))
    assert everything(database) == before
    assert await prune(database) == counted


async def test_a_pass_goes_on_where_it_stopped(database: Database) -> None:
    for number in range(7):
        fill(database, "MARK", id=f"c-{number}", now=LATER if number == 3 else NOW)
    database.run_now(lambda tx: tx.run(sql("UPDATE persona_conversations SET key = key * 5000"), {}))  # few are left
    after: int | None = 0
    gone = []
    while after is not None:
        stretch = await prune_some(database, MONTH, LATER, after, most_steps=8)
        gone.append(sum(one.conversations for one in stretch.pruned))
        after = stretch.after
    assert len(gone) > 2
    assert max(gone) < 4
    assert (sum(gone), len(everything(database)["persona_conversations"])) == (6, 1)


async def test_a_pass_that_was_killed_leaves_whole_conversations_and_is_repeated(database: Database) -> None:
    for number in range(4):
        fill(database, f"MARK-{number}", id=f"c-{number}")
    first, second, *_ = old(database)
    delete(database, first)

    def killed(tx: Transaction) -> None:
        retention.delete_conversation(tx, second, LATER)
        raise KeyboardInterrupt

    before = everything(database)
    with pytest.raises(KeyboardInterrupt):
        database.run_now(killed)
    assert everything(database) == before
    assert await prune(database) == (Pruned("acme", "support", 3, 6),)
    assert await prune(database) == ()


def test_of_two_that_prune_at_once_one_deletes(url: str, database: Database, opened: Callable[..., Database]) -> None:
    for number in range(20):
        fill(database, "MARK", id=f"c-{number}")
    both = [opened(url, busy_timeout_s=20) for _ in range(2)]
    found, together = old(database), threading.Barrier(2)
    deleted: list[int] = []

    def work(mine: Database) -> None:
        together.wait(timeout=10)
        deleted.extend(one.key for one in found if delete(mine, one) is not None)

    threads = [threading.Thread(target=work, args=[mine]) for mine in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(deleted) == [one.key for one in found]
    assert naming(database, "MARK") == {}
