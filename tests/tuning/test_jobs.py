"""The life of a job: written down before it is asked for, followed by any number, ended, cleaned, started anew."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from talking import Log
from tuning_backend import SUCCEEDED, Backend, chats

from persona import (
    Alarm,
    Assistant,
    AsyncJobs,
    ConnectionFailed,
    Job,
    Jobs,
    MisuseError,
    NotFound,
    PermissionDenied,
    Settings,
    StoreUnavailable,
    TuningOrder,
)
from persona.assistant import operator
from persona.calling.providers import Providers
from persona.store import jobs as rows
from persona.store import tasks
from persona.store.engine import Database
from persona.tuning import following, starting
from persona.tuning.bench import Bench
from persona.values.tuning import LossPoint, Progress

RUNNING = Progress("running", 10, 30, (LossPoint(10, 2.0, 2.1),))
HOUR_US = 3_600_000_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def us(self) -> int:
        return round(self().timestamp() * 1_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path / 'persona.db'}"
    made = Settings.model_validate({"store": {"url": url}, "tasks": {"run": False}})
    made._folder = tmp_path
    return made


@pytest.fixture
def jobs(backend: Backend, settings: Settings, clock: Clock) -> Iterator[Jobs]:
    with Jobs.open(settings, adapters=[backend.adapter()], environment={}, clock=clock) as jobs:
        yield jobs


@pytest.fixture
def bench(backend: Backend, settings: Settings, clock: Clock) -> Iterator[Bench]:
    operator.upgrade(settings)
    database = Database(settings.database_url, busy_timeout_s=5)
    yield Bench(settings, database, Providers(settings, {}, [backend.adapter()]), clock.us)
    database.close()


@pytest.fixture
def order(tmp_path: Path) -> TuningOrder:
    return TuningOrder(chats(tmp_path / "train.jsonl"), "bench", "small", epochs=2, suffix="support")


def ended(jobs: Jobs, id: str) -> Job:
    *_, last = jobs.watch(id, every_s=0.001)
    return last.job


def test_a_job_is_written_down_before_the_backend_is_asked(
    backend: Backend, jobs: Jobs, order: TuningOrder, settings: Settings
) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> None:
        with Jobs.open(settings, adapters=[backend.adapter()]) as others:
            seen.extend((job.id, job.state) for job in others.list())

    backend.on_start = look
    job = jobs.start(order)
    assert seen == [(job.id, "starting")]
    assert (job.state, job.handle, job.training.suffix) == ("queued", f"run of {job.id}", "support")


def test_who_asks_for_a_job_makes_no_database_and_who_orders_one_does(
    jobs: Jobs, order: TuningOrder, tmp_path: Path
) -> None:
    for ask in (jobs.list, jobs.idle, lambda: jobs.job("job_1"), lambda: jobs.keep("job_1", None)):
        with pytest.raises(StoreUnavailable, match="there is no database"):
            ask()
    assert not (tmp_path / "persona.db").exists()
    id = jobs.start(order).id
    assert [job.id for job in jobs.list()] == [id]


def test_a_watched_job_is_seen_at_each_change_and_ends_with_its_model(jobs: Jobs, order: TuningOrder) -> None:
    id = jobs.start(order).id
    seen = [one.job for one in jobs.watch(id, every_s=0.001)]
    assert [one.state for one in seen] == ["running", "succeeded"]
    assert seen[-1].progress == SUCCEEDED
    assert jobs.job(id).ended_us > 0
    assert [one.job.state for one in jobs.watch(id)] == ["succeeded"]  # and nobody is asked again


def test_an_answer_that_was_lost_leaves_a_job_that_is_adopted_and_not_begun_twice(
    backend: Backend, jobs: Jobs, order: TuningOrder
) -> None:
    backend.loses = 1
    job = jobs.start(order)
    assert (job.state, job.problem) == ("starting", "the answer was lost")
    assert ended(jobs, job.id).state == "succeeded"
    assert (len(backend.runs), backend.asked[:2]) == (1, ["start", "start"])


def test_an_outage_before_anything_was_begun_is_waited_for(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    backend.fails = [ConnectionFailed("no network"), ConnectionFailed("no network")]
    job = jobs.start(order)
    seen = list(jobs.watch(job.id, every_s=0.001))
    assert (seen[0].job.state, seen[0].trouble, seen[-1].job.state) == ("starting", "no network", "succeeded")


def test_what_the_backend_refuses_has_failed_with_its_reason(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    backend.fails = [PermissionDenied("the account has no quota left")]
    with pytest.raises(PermissionDenied):
        jobs.start(order)
    (job,) = jobs.list()
    assert (job.state, job.problem) == ("failed", "the account has no quota left")
    assert [one.job for one in jobs.watch(job.id)] == [job]


def test_files_that_changed_before_a_start_was_repeated_are_not_trained_on(
    backend: Backend, jobs: Jobs, order: TuningOrder, tmp_path: Path
) -> None:
    backend.fails = [ConnectionFailed("no network")]
    job = jobs.start(order)
    chats(tmp_path / "train.jsonl", 13)
    assert ended(jobs, job.id).problem.startswith("the files were changed")
    assert backend.runs == {}


def test_only_one_process_starts_a_job_until_its_lease_is_over(
    bench: Bench, backend: Backend, jobs: Jobs, order: TuningOrder, clock: Clock
) -> None:
    job = jobs.prepare(order).job
    bench.database.run_now(lambda tx: rows.add(tx, job, clock.us() + starting.LEASE_US))  # as one that was killed did
    seen = next(iter(jobs.watch(job.id, every_s=0.001)))
    assert (seen.job.state, seen.trouble, backend.asked) == ("starting", "watch it a little later", [])
    clock.now += timedelta(seconds=61)
    assert ended(jobs, job.id).state == "succeeded"


@pytest.mark.parametrize("writable", [True, False])
async def test_a_start_that_is_interrupted_is_gone_on_with(
    backend: Backend, settings: Settings, order: TuningOrder, clock: Clock, tmp_path: Path, writable: bool
) -> None:
    def interrupt() -> None:
        if not writable:
            raises = "CREATE TRIGGER t BEFORE UPDATE ON persona_jobs BEGIN SELECT RAISE(FAIL, ''); END"
            Log(tmp_path / "persona.db").change(raises)
        raise asyncio.CancelledError

    backend.on_start = interrupt
    async with AsyncJobs.open(settings, adapters=[backend.adapter()], environment={}, clock=clock) as jobs:
        with pytest.raises(asyncio.CancelledError):
            await jobs.start(order)
        (job,) = await jobs.list()
        assert (job.state, job.problem) == ("starting", "interrupted" if writable else "")
        backend.on_start = lambda: None
        if not writable:
            Log(tmp_path / "persona.db").change("DROP TRIGGER t")
            clock.now += timedelta(seconds=61)  # nobody could give its lease back
        *_, last = [seen async for seen in jobs.watch(job.id, every_s=0.001)]
        assert (last.job.state, backend.asked[0]) == ("succeeded", "start")


async def test_a_sign_of_life_that_fails_once_does_not_end_the_lease(
    bench: Bench, jobs: Jobs, order: TuningOrder, clock: Clock, tmp_path: Path
) -> None:
    job, token = (await asyncio.to_thread(jobs.prepare, order)).job, clock.us() + starting.LEASE_US
    bench.database.run_now(lambda tx: rows.add(tx, job, token))
    signs, log = asyncio.Queue[int](), Log(tmp_path / "persona.db")

    def now_us() -> int:
        signs.put_nowait(clock.us())
        return clock.us()

    log.change("ALTER TABLE persona_jobs RENAME TO elsewhere")
    living = replace(bench, now_us=now_us)
    async with asyncio.timeout(10), starting.kept(living, job.id, token, every_s=0.001) as lease:
        for _ in range(2):  # when the second one begins, the first has failed
            await signs.get()
        log.change("ALTER TABLE elsewhere RENAME TO persona_jobs")
        for _ in range(3):
            await signs.get()
        assert lease.token > token


def test_the_second_of_two_runs_is_ended_at_once(
    bench: Bench, backend: Backend, jobs: Jobs, order: TuningOrder
) -> None:
    def overtake() -> None:
        (job,) = bench.database.run_now(lambda tx: rows.newest(tx, 1))
        bench.database.run_now(lambda tx: rows.start(tx, job.id, "another run"))

    backend.on_start = overtake
    assert jobs.start(order).handle == "another run"
    assert backend.asked == ["start", "cancel"]


async def test_several_watchers_agree(
    bench: Bench, backend: Backend, jobs: Jobs, order: TuningOrder, clock: Clock
) -> None:
    id = (await asyncio.to_thread(jobs.start, order)).id
    backend.script = [RUNNING, SUCCEEDED, replace(SUCCEEDED, tuned_model="another")]
    turns = asyncio.Barrier(3)

    async def watched() -> Job:
        async def pause(seconds: float) -> None:
            clock.now += timedelta(seconds=seconds)

        seen = [one async for one in following.watch(bench, id, pause=pause)]
        await turns.wait()
        return seen[-1].job

    first, *others = await asyncio.gather(watched(), watched(), watched())
    assert [one == first for one in others] == [True, True]
    assert first.progress == SUCCEEDED


async def test_a_job_that_has_ended_stays_as_it_ended(
    bench: Bench, backend: Backend, jobs: Jobs, order: TuningOrder
) -> None:
    id = (await asyncio.to_thread(jobs.start, order)).id
    backend.script = [SUCCEEDED]
    job = await following.step(bench, id)
    await following.keep(bench, job, RUNNING)  # what a slow watcher heard before
    assert (await bench.job(id)).state == "succeeded"


async def test_watching_asks_less_often_while_nothing_happens_and_at_once_when_it_does(
    bench: Bench, backend: Backend, jobs: Jobs, order: TuningOrder, clock: Clock
) -> None:
    id = (await asyncio.to_thread(jobs.start, order)).id
    backend.script = [RUNNING, RUNNING, RUNNING, RUNNING, replace(RUNNING, step=20), SUCCEEDED]
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        clock.now += timedelta(seconds=seconds)

    seen = [one async for one in following.watch(bench, id, pause=pause)]
    assert waits == [2, 4, 8, 16, 2]
    assert [one.job.progress and one.job.progress.step for one in seen] == [10, 20, 30]


async def test_a_network_that_is_lost_in_the_middle_is_told_and_waited_for(
    bench: Bench, backend: Backend, jobs: Jobs, order: TuningOrder, clock: Clock
) -> None:
    id = (await asyncio.to_thread(jobs.start, order)).id

    async def pause(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)
        if backend.asked.count("follow") == 1:
            backend.fails = [ConnectionFailed("not reached"), ConnectionFailed("not reached")]

    seen = [one async for one in following.watch(bench, id, pause=pause)]
    assert [(one.job.state, one.trouble) for one in seen] == [
        ("running", ""),
        ("running", "not reached"),
        ("succeeded", ""),
    ]


def test_a_key_that_was_revoked_is_raised_and_the_job_goes_on_without_us(
    backend: Backend, jobs: Jobs, order: TuningOrder
) -> None:
    id = jobs.start(order).id
    backend.fails = [PermissionDenied("the key was revoked")]
    with pytest.raises(PermissionDenied):
        list(jobs.watch(id))
    assert ended(jobs, id).state == "succeeded"


def test_a_job_that_fails_after_hours_says_why(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    backend.script = [RUNNING, replace(RUNNING, state="failed", problem="the training diverged")]
    job = ended(jobs, jobs.start(order).id)
    assert (job.state, job.problem) == ("failed", "the training diverged")


def test_an_alarm_is_raised_while_it_trains(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    losses = [(2.0, 1.5), (1.5, 1.6), (1.2, 1.7), (1.0, 1.8)]
    points = tuple(LossPoint(n, training, validation) for n, (training, validation) in enumerate(losses, 1))
    backend.script = [replace(RUNNING, points=points), SUCCEEDED]
    first, *_ = jobs.watch(jobs.start(order).id, every_s=0.001)
    assert first.alarm == Alarm(1, 4, 1.8, 1, 1.5)


def test_a_cancelled_job_ends_cancelled_and_the_backend_is_told_once(
    backend: Backend, jobs: Jobs, order: TuningOrder
) -> None:
    id = jobs.start(order).id
    assert jobs.cancel(id).state == "cancelled"
    assert jobs.cancel(id).state == "cancelled"
    assert backend.asked.count("cancel") == 1


def test_a_wish_to_cancel_outlives_an_outage(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    id = jobs.start(order).id
    backend.fails = [ConnectionFailed("not reached")]
    with pytest.raises(ConnectionFailed):
        jobs.cancel(id)
    assert jobs.job(id).ending == "asked"
    assert ended(jobs, id).state == "cancelled"


@pytest.mark.parametrize("begun", [True, False])
def test_cancelling_a_job_whose_start_was_cut_ends_what_was_begun_and_begins_nothing(
    begun: bool, backend: Backend, jobs: Jobs, order: TuningOrder
) -> None:
    if begun:
        backend.loses = 1
    else:
        backend.fails = [ConnectionFailed("not reached")]
    id = jobs.start(order).id
    job = jobs.cancel(id)
    assert backend.asked == ["start", "adopt", *(["cancel"] if begun else [])]
    assert ended(jobs, job.id).state == "cancelled"
    assert len(backend.runs) == begun


def test_cleaning_waits_for_the_end_and_is_done_once(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    id = jobs.start(order).id
    with pytest.raises(MisuseError, match="is still queued"):
        jobs.clean(id)
    ended(jobs, id)
    backend.fails = [ConnectionFailed("not reached")]
    with pytest.raises(ConnectionFailed):
        jobs.clean(id)
    assert jobs.job(id).bills == ("deployment tuned",)
    assert jobs.clean(id).removed == ("file-1", "deployment tuned")
    assert (jobs.clean(id).removed, jobs.job(id).bills, backend.asked.count("clean")) == ((), (), 2)


def test_what_bills_while_idle_is_listed_with_price_and_age(jobs: Jobs, order: TuningOrder, clock: Clock) -> None:
    id = jobs.start(order).id
    ended(jobs, id)
    clock.now += timedelta(hours=10)
    (one,) = jobs.idle()
    assert (one.job.id, one.names, round(one.hours, 1), one.price, one.source) == (
        id,
        ("deployment tuned",),
        10.0,
        1.7,
        "a price list",
    )
    assert round(one.usd or 0, 1) == 17.0
    jobs.clean(id)
    assert jobs.idle() == ()


def test_the_outbox_cleans_what_was_to_be_kept_for_some_hours(
    backend: Backend, jobs: Jobs, order: TuningOrder, clock: Clock, settings: Settings
) -> None:
    id = jobs.start(replace(order, keep_hours=24.0)).id
    job = ended(jobs, id)
    assert job.expires_us - job.ended_us == 24 * HOUR_US
    with Assistant.open(settings, adapters=[backend.adapter()], environment={}, clock=clock) as assistant:
        assert assistant.drain() == 0
        assert jobs.clean_expired() == ()
        jobs.keep(id, 48.0)
        clock.now += timedelta(hours=25)
        assert assistant.drain() == 1  # and it is put off
        assert (jobs.job(id).cleaned_us, backend.left) == (0, ["file-1", "deployment tuned"])
        clock.now += timedelta(hours=24)
        assistant.drain()
        assert jobs.job(id).cleaned_us > 0
    assert backend.left == []
    with pytest.raises(MisuseError, match="nothing is left"):
        jobs.keep(id, None)


def test_what_serves_is_kept_for_ever(
    backend: Backend, jobs: Jobs, bench: Bench, order: TuningOrder, clock: Clock
) -> None:
    id = jobs.start(replace(order, keep_hours=1.0)).id
    ended(jobs, id)
    assert jobs.keep(id, None).expires_us == 0
    clock.now += timedelta(hours=2)
    assert jobs.clean_expired() == ()
    assert [one.kind for one in bench.database.run_now(lambda tx: tasks.listing(tx, None, 9))] == ["clean"]


def test_one_that_cannot_be_cleaned_keeps_none_of_the_others(
    backend: Backend, jobs: Jobs, order: TuningOrder, clock: Clock
) -> None:
    for _ in range(2):
        backend.script = [SUCCEEDED]
        ended(jobs, jobs.start(replace(order, keep_hours=1.0)).id)
    clock.now += timedelta(hours=2)
    backend.fails = [PermissionDenied("not yours")]
    assert [one.problem for one in jobs.clean_expired()] == ["not yours", ""]


def test_a_dataset_is_started_anew_elsewhere_in_the_format_wanted_there(
    backend: Backend, jobs: Jobs, order: TuningOrder, settings: Settings, tmp_path: Path
) -> None:
    beside = chats(tmp_path / "validation.jsonl", 2, "validation")
    old = jobs.start(replace(order, validation=beside, options={"only": "here"}))
    other = Backend(replace(backend.card or None, base_model="large", format="openai"))  # type: ignore[type-var, arg-type]
    adapter = replace(other.adapter(), name="elsewhere")
    with Jobs.open(settings, adapters=[backend.adapter(), adapter], environment={}) as both:
        new = both.again(old.id, backend="elsewhere", base_model="large", who="ada")
    assert (new.again_of, new.dataset, new.beside, new.digest) == (old.id, old.dataset, str(beside), old.digest)
    assert (new.format, new.training.base_model, new.training.epochs, new.who) == ("openai", "large", 2, "ada")
    assert (new.training.options, old.training.options) == ({}, {"only": "here"})


def test_a_run_that_died_is_gone_on_with_under_its_own_id(backend: Backend, jobs: Jobs, order: TuningOrder) -> None:
    backend.script = [replace(RUNNING, state="failed", problem="its process was killed")]
    id = jobs.start(order).id
    with pytest.raises(MisuseError, match="is queued"):
        jobs.resume(id)
    ended(jobs, id)
    backend.script = [RUNNING, SUCCEEDED]
    again = jobs.resume(id, {"merge": "true"})
    assert (again.id, again.state, again.problem, again.training.options) == (id, "queued", "", {"merge": "true"})
    last = ended(jobs, id)
    assert (last.state, last.progress, len(backend.runs)) == ("succeeded", SUCCEEDED, 1)
    with pytest.raises(MisuseError, match="is succeeded"):
        jobs.resume(id)


async def test_a_job_that_is_not_there_is_not_found(settings: Settings, backend: Backend) -> None:
    operator.upgrade(settings)
    async with AsyncJobs.open(settings, adapters=[backend.adapter()]) as jobs:
        with pytest.raises(NotFound):
            await jobs.cancel("job_nothing")
