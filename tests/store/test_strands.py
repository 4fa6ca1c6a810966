"""Work that the event loop drives on PostgreSQL: cancelled, crowded, cut off, left behind by its loop."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable

import pytest
from postgres import administer
from stored import keep, kept, sql

from persona.errors import StoreBusy, StoreUnavailable
from persona.store.engine import Database
from persona.store.transaction import Transaction

Open = Callable[..., Database]
ONE = sql("SELECT 1")
END = sql("SELECT pg_terminate_backend(pg_backend_pid())")
HERE = threading.get_ident()
TRIPS = 4
ON_UVLOOP = """
import asyncio, sys, uvloop
from persona.store.engine import Database
from persona.store.transaction import Statement
from sqlalchemy import text

database = Database(sys.argv[1], connections=4, busy_timeout_s=10)
one = Statement(text("SELECT 1"))

def work(tx):
    for _ in range(5):
        tx.one(one, {})

async def deep(calls):
    await (deep(calls - 1) if calls else database.run(work, brief=True))

async def main():
    for _ in range(2):
        await asyncio.gather(*map(deep, range(200)))
    await database.aclose()

uvloop.run(main())
"""

pytestmark = pytest.mark.every_loop


@pytest.fixture
def single(postgresql_url: str, opened: Open) -> Database:
    """A database with one connection, so that what is left on it is met again."""
    return opened(postgresql_url, connections=1, busy_timeout_s=10)


def others(database: Database) -> int:
    """How many connections of this database are in the middle of something."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    return int(administer(url, asked)[0][0])


def walk(meet: Callable[[int], object], digest: str = "one") -> Callable[[Transaction], int]:
    """Work of some trips, which says before each of them that it comes, and in which thread it is."""

    def work(tx: Transaction) -> int:
        keep(digest)(tx)
        for trip in range(TRIPS):
            meet(trip)
            tx.one(ONE, {})
        return threading.get_ident()

    return work


async def test_brief_work_is_done_in_the_thread_of_the_loop_which_goes_on_meanwhile(postgresql: Database) -> None:
    await postgresql.run(keep("before"), brief=True)
    order: list[int] = []
    work = [postgresql.run(walk(order.append, str(number)), brief=True) for number in range(2)]
    assert await asyncio.gather(*work) == [HERE, HERE]
    assert order != sorted(order, key=order.index)  # they took turns
    assert await postgresql.run(walk(order.append)) != HERE


async def test_transactions_of_many_strands_never_mix(postgresql_url: str, opened: Open) -> None:
    database = opened(postgresql_url, busy_timeout_s=10)

    def pair(number: int) -> Callable[[Transaction], None]:
        def both(tx: Transaction) -> None:
            keep(f"{number}-a")(tx)
            keep(f"{number}-b")(tx)
            if number % 3 == 0:
                raise RuntimeError

        return both

    work = [database.run(pair(number), brief=True) for number in range(60)]
    ended = await asyncio.gather(*work, return_exceptions=True)
    assert [type(end) for end in ended if end is not None] == [RuntimeError] * 20
    assert kept(database) == 80


@pytest.mark.parametrize("at", range(TRIPS))
async def test_work_that_is_cancelled_at_any_trip_is_brought_to_its_end(single: Database, at: int) -> None:
    def cancel(trip: int) -> None:
        if trip == at:
            doing.cancel()

    await single.run(lambda tx: tx.one(ONE, {}), brief=True)
    doing = asyncio.create_task(single.run(walk(cancel), brief=True))
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert (kept(single), others(single)) == (1, 0)
    assert await single.run(lambda tx: tx.one(ONE, {}), brief=True) == (1,)


async def test_work_that_is_cancelled_before_it_began_is_not_done(single: Database) -> None:
    waiting: list[asyncio.Task[int]] = []
    first = asyncio.create_task(single.run(walk(lambda trip: [task.cancel() for task in waiting]), brief=True))
    waiting += [asyncio.create_task(single.run(keep(str(number)), brief=True)) for number in range(3)]
    await asyncio.wait([first, *waiting])
    assert [task.cancelled() for task in waiting] == [True] * 3
    assert kept(single) == 1
    assert await single.run(keep("two"), brief=True) == 1


@pytest.mark.parametrize("at", range(TRIPS))
async def test_work_whose_connection_goes_at_any_trip_is_done_again_once(single: Database, at: int) -> None:
    met: list[int] = []

    def work(tx: Transaction) -> None:
        keep("one")(tx)
        for trip in range(TRIPS):
            met.append(trip)
            tx.one(END if trip == at and met.count(at) == 1 else ONE, {})

    await single.run(work, brief=True)
    assert len(met) == TRIPS + at + 1
    assert kept(single) == 1


async def test_work_that_ended_is_let_go_of_without_a_collection(single: Database) -> None:
    class Held:
        """What the work needs, such as a message."""

    async def work() -> "weakref.ref[Held]":
        held = Held()

        def look(tx: Transaction) -> bool:
            return tx.one(ONE, {}) is not None and held is not None

        assert await single.run(look, brief=True)
        return weakref.ref(held)

    await work()  # the first one connects
    gc.disable()
    try:
        held = await work()
        await asyncio.sleep(0)  # the turn of the loop that brought the end is over
        assert held() is None
    finally:
        gc.enable()


async def test_line_that_moves_is_waited_in_and_one_that_does_not_is_left(postgresql_url: str, opened: Open) -> None:
    database = opened(postgresql_url, connections=1, busy_timeout_s=0.2)
    nap = sql("SELECT pg_sleep(0.05)")
    await asyncio.gather(*(database.run(lambda tx: tx.one(nap, {}), brief=True) for _ in range(10)))
    with database.transaction() as tx:
        tx.one(ONE, {})
        with pytest.raises(StoreBusy, match="no database connection became free"):
            await database.run(keep("one"), brief=True)
    await database.run(keep("one"), brief=True)
    assert kept(database) == 1


async def test_threads_and_strands_share_the_connections_in_turn(postgresql_url: str, opened: Open) -> None:
    database = opened(postgresql_url, connections=2, busy_timeout_s=10)
    work = [database.run(keep(str(number)), brief=number % 2 == 0) for number in range(40)]
    await asyncio.gather(*work)
    assert kept(database) == 40


async def test_transaction_within_a_transaction_is_busy_rather_than_stuck(single: Database) -> None:
    with pytest.raises(StoreBusy):
        await single.run(lambda tx: single.run_now(keep("one")), brief=True)
    await single.run(keep("one"), brief=True)


def test_loops_of_many_threads_share_the_connections(postgresql_url: str, opened: Open) -> None:
    database = opened(postgresql_url, connections=2, busy_timeout_s=10)

    async def many(name: int) -> None:
        await asyncio.gather(*(database.run(keep(f"{name}-{number}"), brief=True) for number in range(10)))

    threads = [threading.Thread(target=lambda name=name: asyncio.run(many(name))) for name in range(4)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert kept(database) == 40


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_a_loop_leaves_behind_is_undone_and_its_connection_made_anew(single: Database, elsewhere: bool) -> None:
    single.run_now(lambda tx: tx.one(ONE, {}))

    def leave() -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *told: None)  # it says that a task was destroyed
        doing = loop.create_task(single.run(walk(lambda trip: loop.stop()), brief=True))
        loop.run_forever()
        assert not doing.done()
        loop.close()

    thread = threading.Thread(target=leave)
    if elsewhere:
        thread.start()
        thread.join()
    else:
        leave()
    single.run_now(keep("two"))
    assert kept(single) == 1


async def test_close_waits_for_what_the_loop_drives(postgresql: Database) -> None:
    begun = asyncio.Event()
    doing = asyncio.create_task(postgresql.run(walk(lambda trip: begun.set()), brief=True))
    await begun.wait()
    await postgresql.aclose()
    assert doing.done()
    assert await doing == HERE
    with pytest.raises(StoreUnavailable, match="was closed"):
        await postgresql.run(keep("two"), brief=True)


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
def test_a_loop_that_is_written_in_c_finds_its_stack_as_it_left_it(postgresql: Database) -> None:
    url = postgresql.engine.url.render_as_string(hide_password=False)
    subprocess.run([sys.executable, "-c", ON_UVLOOP, url], check=True, timeout=60)  # it died of a segmentation fault
