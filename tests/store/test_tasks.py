"""The outbox: every task is done, by one worker at a time."""

import threading

import pytest
from stored import NOW, SECOND

from persona.store import tasks
from persona.store.engine import Database
from persona.store.tasks import Task
from persona.store.transaction import Transaction

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
    database.run_now(lambda tx: tasks.done(tx, task))
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


def test_attempts_are_told_apart_by_whether_anything_was_heard_of_them(database: Database) -> None:
    def counted(task: Task) -> tuple[int, int]:
        return task.attempts, task.silences

    put(database, "msg_1")
    (failed,) = claim(database)
    database.run_now(lambda tx: tasks.again(tx, failed, NOW, "ConnectionFailed"))
    (silent,) = claim(database)
    assert counted(silent) == (1, 0)
    (given_back,) = claim(database, NOW + LEASE)
    assert counted(given_back) == (2, 1)
    database.run_now(lambda tx: tasks.release(tx, [given_back]))
    (dead,) = claim(database, NOW + LEASE)
    assert counted(dead) == (2, 1)
    database.run_now(lambda tx: tasks.again(tx, dead, NOW, "Refused", dead=True))
    assert database.run_now(tasks.retry_all) == 1
    assert [counted(one) for one in claim(database, NOW + LEASE)] == [(0, 0)]


def test_task_that_failed_waits_for_its_time(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    database.run_now(lambda tx: tasks.again(tx, task, NOW + 5 * SECOND, "ConnectionFailed"))
    assert counts(database) == {"waiting": 1}
    assert claim(database, NOW + 4 * SECOND) == []
    assert [task.attempts for task in claim(database, NOW + 5 * SECOND)] == [1]


def test_dead_task_stays_for_a_person_to_see(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    database.run_now(lambda tx: tasks.again(tx, task, NOW, "BadRequest", dead=True))
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
    database.run_now(lambda tx: tasks.again(tx, waiting, NOW, "x", dead=True))
    assert not pending(7)


def test_worker_that_lost_its_lease_can_neither_end_nor_put_off_nor_keep_what_another_holds(database: Database) -> None:
    put(database, "msg_1")
    (slow,) = claim(database)
    (quick,) = claim(database, NOW + LEASE)
    assert not database.run_now(lambda tx: tasks.done(tx, slow))
    assert not database.run_now(lambda tx: tasks.again(tx, slow, NOW, "ConnectionFailed", dead=True))
    assert database.run_now(lambda tx: tasks.renew(tx, slow, NOW + 9 * LEASE)) is None
    database.run_now(lambda tx: tasks.release(tx, [slow]))
    assert counts(database) == {"running": 1}
    assert claim(database, NOW + 2 * LEASE - 1) == []
    assert database.run_now(lambda tx: tasks.done(tx, quick))
    assert counts(database) == {}


def test_worker_whose_task_was_put_off_by_another_cannot_end_it(database: Database) -> None:
    put(database, "msg_1")
    (slow,) = claim(database)
    (quick,) = claim(database, NOW + LEASE)
    assert database.run_now(lambda tx: tasks.again(tx, quick, NOW, "ConnectionFailed"))
    assert not database.run_now(lambda tx: tasks.done(tx, slow))
    assert counts(database) == {"waiting": 1}


def test_lease_can_be_made_longer_by_its_holder(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    longer = database.run_now(lambda tx: tasks.renew(tx, task, NOW + 3 * LEASE))
    assert longer
    assert claim(database, NOW + 2 * LEASE) == []
    assert not database.run_now(lambda tx: tasks.done(tx, task))
    assert database.run_now(lambda tx: tasks.done(tx, longer))


def test_task_that_is_given_back_can_be_had_at_once_and_counts_no_attempt(database: Database) -> None:
    put(database, "msg_1")
    (task,) = claim(database)
    database.run_now(lambda tx: tasks.release(tx, [task]))
    assert [(one.id, one.attempts) for one in claim(database)] == [(task.id, 0)]


def test_tasks_are_listed_with_their_next_try_and_without_what_they_are_about(database: Database) -> None:
    put(database, "msg_1", "msg_2", "msg_3")
    later, dead, running = claim(database)
    database.run_now(lambda tx: tasks.again(tx, later, NOW + SECOND, "RateLimited"))
    database.run_now(lambda tx: tasks.again(tx, dead, NOW, "Refused", dead=True))
    found = database.run_now(lambda tx: tasks.listing(tx, None, 10), write=False)
    assert [(one.id, one.state, one.next_try_us, one.error) for one in found] == [
        (later.id, "waiting", NOW + SECOND, "RateLimited"),
        (dead.id, "dead", 0, "Refused"),
        (running.id, "running", NOW + LEASE, ""),
    ]
    assert "msg_" not in str(found)
    (only,) = database.run_now(lambda tx: tasks.listing(tx, "dead", 10), write=False)
    assert (only.id, only.attempts, only.created_us) == (dead.id, 1, NOW)
    assert len(database.run_now(lambda tx: tasks.listing(tx, None, 2), write=False)) == 2


def test_dead_task_is_tried_again_from_the_start_when_a_person_says_so(database: Database) -> None:
    put(database, "msg_1", "msg_2", "msg_3")
    first, second, running = claim(database)
    for task in (first, second):
        database.run_now(lambda tx, task=task: tasks.again(tx, task, NOW, "Refused", dead=True))
    assert not database.run_now(lambda tx: tasks.retry(tx, running.id))
    assert database.run_now(lambda tx: tasks.retry(tx, first.id))
    assert [(one.id, one.attempts) for one in claim(database)] == [(first.id, 0)]
    assert database.run_now(tasks.retry_all) == 1
    assert database.run_now(tasks.retry_all) == 0
    assert [one.id for one in claim(database)] == [second.id]


def test_task_of_which_there_is_one_is_there_once(database: Database) -> None:
    for after in (NOW, 0):
        database.run_now(lambda tx, after=after: tasks.arm(tx, "prune", NOW, run_after_us=after, subject="7"))
    assert claim(database, NOW - 1) == []
    (task,) = claim(database)
    assert (task.kind, task.subject) == ("prune", "7")

    def end(tx: Transaction) -> None:
        assert tasks.done(tx, task)
        tasks.arm(tx, "prune", NOW, run_after_us=NOW + SECOND)

    database.run_now(end)
    assert counts(database) == {"waiting": 1}
    assert [one.subject for one in claim(database, NOW + SECOND)] == [""]


def test_task_is_rolled_back_with_what_caused_it(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        tasks.put(tx, "index", 1, "msg_1", NOW)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.run_now(fail)
    assert counts(database) == {}
