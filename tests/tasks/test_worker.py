"""The worker: what it takes it ends, puts off, gives back or loses, and never does what another one holds."""

import asyncio
import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import postgres
import pytest
from shop import Shop
from talking import settings

from persona.assistant import operator
from persona.assistant.work import work
from persona.errors import ConnectionFailed, StoreBusy, StoreReadOnly
from persona.store import tasks
from persona.tasks.batch import Batch
from persona.wiring import open_rooms

MINUTE = 60_000_000


class Killed(BaseException):
    """The process ends here: nothing after it is run."""


async def test_a_batch_is_said_in_one_line(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.to_thread(shop.say, "one secret", "another secret")
    worker = await shop.worker()
    with caplog.at_level(logging.INFO, "persona.tasks"):
        assert await worker.drain() == 2
        assert await worker.drain() == 0
    assert [record.getMessage() for record in caplog.records] == ["background work: 2 index done"]


async def test_a_batch_tells_what_failed(shop: Shop) -> None:
    async def fail() -> None:
        raise ConnectionFailed("gone")

    async def break_() -> None:
        raise ZeroDivisionError

    await asyncio.to_thread(shop.say, "one", "two", "three")
    shop.between += [break_]
    worker, batches = await shop.worker(), list[Batch]()
    worker.on_batch = batches.append
    await worker.drain()
    assert str(batches[0]) == "1 index given up, 2 index done"
    await asyncio.to_thread(shop.say, "four")
    shop.between += [fail]
    await worker.drain()
    assert (str(batches[1]), len(batches[0])) == ("1 index put off", 3)
    assert shop.tasks == [("index", "dead"), ("index", "waiting")]
    assert [row["error"] for row in shop.log.rows("SELECT error FROM persona_tasks")] == [
        "ZeroDivisionError",
        "ConnectionFailed",
    ]


async def test_where_a_task_broke_is_told_to_who_asks_and_to_nobody_else(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_() -> None:
        raise ZeroDivisionError("said in confidence")

    await asyncio.to_thread(shop.say, "one")
    shop.between.append(break_)
    with caplog.at_level(logging.DEBUG, "persona.tasks"):
        await (await shop.worker()).drain()
    told = {record.levelname: record.exc_text for record in caplog.records if "task" in record.getMessage()}
    assert told["WARNING"] is None
    assert "in break_" in (told["DEBUG"] or "")


async def test_a_worker_that_lost_its_lease_neither_ends_nor_writes_what_another_has_done(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "tea, please")
    slow, quick, said = await shop.worker(), await shop.worker(), list[str]()
    slow.on_batch = lambda batch: said.append(f"slow {batch}")
    quick.on_batch = lambda batch: said.append(f"quick {batch}")

    async def meanwhile() -> None:
        shop.now_us += 5 * MINUTE
        await quick.drain()

    shop.between.append(meanwhile)
    await slow.drain()
    assert said == ["quick 1 index done", "slow 1 index lost"]
    assert (shop.tasks, len(shop.log.rows("SELECT * FROM persona_memories"))) == ([], 1)


async def test_a_worker_that_lost_its_lease_and_failed_leaves_the_task_to_the_other(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "tea, please")
    slow, quick = await shop.worker(), await shop.worker()

    async def meanwhile() -> None:
        shop.now_us += 5 * MINUTE
        shop.between.append(look)
        await quick.drain()
        raise ZeroDivisionError

    async def look() -> None:
        (row,) = shop.log.rows("SELECT * FROM persona_tasks")
        assert (row["state"], row["attempts"]) == ("running", 2)

    shop.between.append(meanwhile)
    await slow.drain()
    assert (shop.tasks, len(shop.log.rows("SELECT * FROM persona_memories"))) == ([], 1)


async def test_a_slow_worker_keeps_the_task_in_hand_and_loses_those_that_wait(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "one", "two", "three")
    slow, other, said = await shop.worker(), await shop.worker(), list[str]()
    slow.on_batch = lambda batch: said.append(f"slow {batch}")
    other.on_batch = lambda batch: said.append(f"other {batch}")

    async def take_long() -> None:
        shop.now_us += 100_000_000

    async def look() -> None:
        shop.now_us += 30_000_000  # past the first lease
        await other.drain()

    shop.between += [look, take_long]
    await slow.drain()
    assert said == ["other 1 index done", "slow 2 index done, 1 index lost"]
    assert (shop.tasks, len(shop.log.rows("SELECT * FROM persona_memories"))) == ([], 3)


async def test_a_task_that_ends_its_process_each_time_is_given_up_and_those_beside_it_are_done(shop: Shop) -> None:
    async def die() -> None:
        raise Killed

    await asyncio.to_thread(shop.say, "too much", "two", "three")
    for _ in range(5):
        shop.between.append(die)
        with pytest.raises(Killed):
            await (await shop.worker()).drain()
        shop.now_us += 5 * MINUTE
    worker, said = await shop.worker(), list[str]()
    worker.on_batch = lambda batch: said.append(str(batch))
    await worker.drain()
    assert said == ["1 index given up, 1 index done", "1 index done"]
    assert [(row["state"], row["attempts"], row["error"]) for row in shop.log.rows("SELECT * FROM persona_tasks")] == [
        ("dead", 5, "its process ended without a word, 5 times")
    ]


async def test_a_busy_database_counts_no_attempt(shop: Shop) -> None:
    async def wait() -> None:
        raise StoreBusy("somebody else writes")

    async def fail() -> None:
        raise ConnectionFailed("gone")

    await asyncio.to_thread(shop.say, "one")
    worker = await shop.worker()
    for meanwhile in [wait] * 6 + [fail]:
        shop.between.append(meanwhile)
        await worker.drain()
        shop.now_us += 60 * MINUTE
    assert [(row["state"], row["attempts"]) for row in shop.log.rows("SELECT * FROM persona_tasks")] == [("waiting", 1)]


async def test_what_a_busy_database_left_of_a_batch_is_done_with_the_next_one(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "one", "two")
    worker = await shop.worker(store={"busy_timeout_s": 0.05})
    with closing(sqlite3.connect(shop.log.path, isolation_level=None)) as other:

        async def lock() -> None:
            other.execute("BEGIN IMMEDIATE")
            raise ConnectionFailed("gone")

        shop.between.append(lock)
        with pytest.raises(StoreBusy):
            await worker.drain()
    await worker.drain()
    assert shop.tasks == []


async def test_what_was_not_done_in_time_is_given_back_at_once(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "one", "two", "three")
    entered, never = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        entered.set()
        await never.wait()

    shop.between.append(hang)
    worker = await shop.worker()
    worker.start()
    await entered.wait()
    assert shop.tasks == [("index", "running")] * 3
    await worker.stop(0.01)
    assert shop.tasks == [("index", "waiting")] * 3
    assert {row["attempts"] for row in shop.log.rows("SELECT attempts FROM persona_tasks")} == {0}


async def test_what_came_in_during_the_last_batch_is_done_before_a_worker_leaves(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "one")
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def take_long() -> None:
        entered.set()
        await go_on.wait()

    shop.between.append(take_long)
    worker = await shop.worker()
    worker.start()
    await entered.wait()
    await asyncio.to_thread(shop.say, "two")
    leaving = asyncio.create_task(worker.stop(30))
    await asyncio.sleep(0)  # it has been told
    go_on.set()
    await leaving
    assert shop.tasks == []


async def test_a_worker_that_is_told_to_leave_ends_its_batch_and_takes_nothing_new(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, *map(str, range(20)))
    worker, batches = await shop.worker(), list[int]()
    worker.on_batch = lambda batch: batches.append(len(batch))
    entered = asyncio.Event()

    async def enter() -> None:
        entered.set()

    shop.between.append(enter)
    worker.start()
    await entered.wait()
    await worker.stop(30, takes_more=False)
    assert batches == [16]
    assert shop.tasks == [("index", "waiting")] * 4


async def test_once_ends_when_nothing_is_due(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, *map(str, range(20)))
    worker = await shop.worker()
    await worker.start(once=True)
    assert shop.tasks == []


async def test_a_process_that_works_on_a_server_it_may_not_write_to_ends_and_says_so(
    tmp_path: Path, postgres_server: str
) -> None:
    name = f"persona_reader_{os.getpid()}"
    with postgres.fresh_database(postgres_server, name) as url:
        chosen = settings(tmp_path, store={"url": url}, routes={"default": {}})
        operator.upgrade(chosen)
        postgres.administer(postgres_server, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        async with asyncio.timeout(20):
            with pytest.raises(StoreReadOnly, match="as a role, that may write"):
                await work(chosen, lambda batch: None, asyncio.Event())


async def test_a_worker_on_a_server_that_could_only_be_read_for_a_while_goes_on(
    tmp_path: Path, postgres_server: str
) -> None:
    name, waits = f"persona_failover_{os.getpid()}", asyncio.Event()

    def may_write(yes: bool) -> None:  # as a server that is being replaced says it
        chosen = "off" if yes else "on"
        postgres.administer(postgres_server, f"ALTER DATABASE {name} SET default_transaction_read_only = {chosen}")
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        postgres.administer(postgres_server, ended)

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "StoreReadOnly" in record.getMessage():
                waits.set()

    heard = Heard()
    logging.getLogger("persona.tasks").addHandler(heard)
    with postgres.fresh_database(postgres_server, name) as url:
        rooms = await open_rooms(settings(tmp_path, store={"url": url}, routes={"default": {}}), {})
        try:
            await rooms.services.database.run(lambda tx: tasks.put(tx, "index", 1, "msg_1", 0))
            may_write(False)
            running = rooms.worker.start()
            await asyncio.wait([running, asyncio.create_task(waits.wait())], return_when=asyncio.FIRST_COMPLETED)
            may_write(True)
            await rooms.worker.stop(30)
            assert await rooms.services.database.run(tasks.counts, write=False) == {}
        finally:
            logging.getLogger("persona.tasks").removeHandler(heard)
            await rooms.close()
