"""Jobs in the store, on SQLite and on PostgreSQL."""

from dataclasses import replace
from pathlib import Path

from stored import NOW, SECOND

from persona.store import jobs
from persona.store.engine import Database
from persona.values.tuning import Checkpoint, Estimate, Job, LossPoint, Progress, Training

TRAINING = Training("job_1", "small", "sft", Path("/d/train.jsonl"), None, Path("/jobs/job_1"), "é", 7, 2.5, {"a": "b"})
JOB = Job(
    *("job_1", "azure", TRAINING, "/d", "", "abc", "trl"),
    Estimate(900, "exact", 2.5, 3.0, 0.00675, "a list", "2026-11-21"),
    "ada",
    NOW,
    keep_hours=1.0,
    dataset_id="dst_1",
)
SAID = Progress(
    "succeeded",
    30,
    30,
    (LossPoint(10, 2.0), LossPoint(20, None, 1.5)),
    (Checkpoint(20, "m:20", 1.5),),
    900,
    "m",
    ("d",),
    notes=("n",),
)


def test_a_job_is_read_back_as_it_was_written(database: Database) -> None:
    database.run_now(lambda tx: jobs.add(tx, JOB, NOW + SECOND))
    assert database.run_now(lambda tx: jobs.find(tx, "job_1"), write=False) == JOB
    assert database.run_now(lambda tx: jobs.find(tx, "job_2"), write=False) is None
    database.run_now(lambda tx: jobs.add(tx, replace(JOB, id="job_2", keep_hours=None), 0))
    assert [one.id for one in database.run_now(lambda tx: jobs.newest(tx, 5), write=False)] == ["job_2", "job_1"]


def test_the_lease_is_ones_until_it_is_over_and_moves_with_its_token(database: Database) -> None:
    database.run_now(lambda tx: jobs.add(tx, JOB, NOW + SECOND))
    assert not database.run_now(lambda tx: jobs.claim(tx, "job_1", NOW, NOW + 9 * SECOND))
    assert database.run_now(lambda tx: jobs.renew(tx, "job_1", NOW + SECOND, NOW + 2 * SECOND))
    assert not database.run_now(lambda tx: jobs.renew(tx, "job_1", NOW + SECOND, NOW + 3 * SECOND))
    assert database.run_now(lambda tx: jobs.claim(tx, "job_1", NOW + 2 * SECOND, NOW + 9 * SECOND))
    assert not database.run_now(lambda tx: jobs.end_unstarted(tx, "job_1", NOW + 2 * SECOND, NOW, "lost the lease"))
    database.run_now(lambda tx: jobs.wait(tx, "job_1", NOW + 9 * SECOND, "no\0 network"))
    found = database.run_now(lambda tx: jobs.find(tx, "job_1"))
    assert found == replace(JOB, problem="no\ufffd network")
    assert database.run_now(lambda tx: jobs.claim(tx, "job_1", NOW, NOW + SECOND))
    assert database.run_now(lambda tx: jobs.end_unstarted(tx, "job_1", NOW + SECOND, NOW))
    assert not database.run_now(lambda tx: jobs.start(tx, "job_1", "too late"))


def test_what_was_said_last_counts_until_a_job_has_ended(database: Database) -> None:
    database.run_now(lambda tx: jobs.add(tx, JOB, 0))
    assert database.run_now(lambda tx: jobs.start(tx, "job_1", "run"))
    running = Progress("running", 10)
    assert database.run_now(lambda tx: jobs.follow(tx, JOB, running, NOW + 2))
    assert not database.run_now(lambda tx: jobs.follow(tx, JOB, running, NOW + 1))
    assert database.run_now(lambda tx: jobs.ask_to_end(tx, "job_1"))
    assert not database.run_now(lambda tx: jobs.ask_to_end(tx, "job_1"))
    database.run_now(lambda tx: jobs.told_to_end(tx, "job_1"))
    assert database.run_now(lambda tx: jobs.follow(tx, JOB, SAID, NOW + 3))
    assert not database.run_now(lambda tx: jobs.follow(tx, JOB, running, NOW + 4))
    (found,) = database.run_now(jobs.left)
    told = {"state": "succeeded", "handle": "run", "progress": SAID, "ending": "told", "checked_us": NOW + 3}
    ended = {"ended_us": NOW + 3, "expires_us": NOW + 3 + 3600 * SECOND}
    assert found == replace(JOB, **told, **ended)  # type: ignore[arg-type]
    assert found.bills == ("d",)
    assert database.run_now(lambda tx: jobs.keep(tx, found, None, NOW + 5))
    database.run_now(lambda tx: jobs.cleaned(tx, "job_1", NOW + 6))
    assert not database.run_now(lambda tx: jobs.keep(tx, found, 2.0, NOW + 7))
    assert database.run_now(jobs.left) == []
