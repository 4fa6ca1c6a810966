"""The outbox: every task is done, by one worker at a time."""

import threading

import pytest
from stored import NOW, SECOND

from persona.store import tasks
from persona.store.engine import Database, Transaction
from persona.store.tasks import Task

LEASE = 60 * SECOND


def put(database: Database, *subjects: str) -> None:
    def write(tx: Transaction) -> None:
        for subject in subjects:
            tasks.put(tx, "index", 1, subject, NOW)

    database.run_now(write)


def claim(database: Database, now: int = NOW, most: int = 10) -> list[Task]:
    return database.run_now(lambda tx: tasks.claim(tx, now, LEASE, most))


def counts(database: Database) -> dict[str, int]:
    return database.run_now(tasks.counts, write=False)


def test_task_is_claimed_and_gone_when_done(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    assert (task.kind, task.owner_key, task.subject, task.attempts) == ("index", 1, "msg_1", 0)
    assert counts(database) == {"running": 1}
    database.run_now(lambda tx: tasks.done(tx, task.id))
    assert counts(database) == {}


def test_claim_takes_no_more_than_was_asked_for(database: Database) -> None:
    put(database, *map(str, range(5)))
    assert len(claim(database, most=2)) == 2
    assert len(claim(database, most=10)) == 3
    assert claim(database) == []


def test_two_workers_get_every_task_once(url: str, database: Database) -> None:
    put(database, *map(str, range(120)))
    got: list[str] = []
    start = threading.Barrier(2)

    def work() -> None:
        own = Database(url, busy_timeout_s=10)
        start.wait(timeout=10)
        while found := claim(own, most=7):
            got.extend(task.subject for task in found)
        own.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert sorted(got, key=int) == list(map(str, range(120)))


def test_task_of_a_worker_that_died_is_claimed_again_when_its_lease_ends(database: Database) -> None:
    put(database, "msg_1")
    claim(database)
    assert claim(database, NOW + LEASE - 1) == []
    (task,) = claim(database, NOW + LEASE)
    assert (task.subject, task.attempts) == ("msg_1", 1)


def test_task_that_failed_waits_for_its_time(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    database.run_now(lambda tx: tasks.again(tx, task.id, NOW + 5 * SECOND, "ConnectionFailed"))
    assert counts(database) == {"waiting": 1}
    assert claim(database, NOW + 4 * SECOND) == []
    assert [task.attempts for task in claim(database, NOW + 5 * SECOND)] == [1]


def test_dead_task_stays_for_a_person_to_see(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    database.run_now(lambda tx: tasks.again(tx, task.id, NOW, "BadRequest", dead=True))
    assert counts(database) == {"dead": 1}
    assert claim(database, NOW + 10**6 * LEASE) == []


def test_pending_task_of_a_conversation_is_seen_until_it_is_done_or_dead(database: Database) -> None:
    def pending(conversation: int) -> bool:
        return database.run_now(lambda tx: tasks.pending(tx, "summarise", conversation), write=False)

    put(database, "msg_1")
    assert not pending(7)
    database.run_now(lambda tx: tasks.put(tx, "summarise", 1, "msg_2", NOW, 7))
    assert pending(7)
    assert not pending(8)
    waiting = next(task for task in claim(database) if task.kind == "summarise")
    assert pending(7)
    database.run_now(lambda tx: tasks.again(tx, waiting.id, NOW, "x", dead=True))
    assert not pending(7)


def test_task_is_rolled_back_with_what_caused_it(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        tasks.put(tx, "index", 1, "msg_1", NOW)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.run_now(fail)
    assert counts(database) == {}
