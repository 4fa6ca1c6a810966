"""Brief work is done at once, in the caller's thread, unless it would have to wait."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stored import ADA, NOW

from persona.store import owners
from persona.store.brief import Brief, Locked
from persona.store.engine import Database
from persona.store.schema import prepare
from persona.store.transaction import Transaction
from persona.values.owner import Owner

Opened = Callable[..., Database]
HERE = threading.get_ident()


def keep(tx: Transaction) -> int:
    """Who did it, after keeping a row."""
    owners.find_or_make(tx, ADA, NOW)
    return threading.get_ident()


async def kept(database: Database) -> bool:
    return await database.run(lambda tx: owners.find(tx, ADA) is not None, write=False)


async def test_brief_work_is_done_in_the_thread_of_the_loop_and_other_work_is_not(sqlite: Database) -> None:
    assert await sqlite.run(keep, brief=True) == HERE
    assert await kept(sqlite)
    assert await sqlite.run(keep) != HERE


async def test_where_every_commit_waits_for_the_disk_nothing_is_brief(sqlite_url: str) -> None:
    database = Database(sqlite_url, durability="full")
    prepare(database)
    assert await database.run(keep, brief=True) != HERE
    database.close()


async def test_work_that_finds_a_lock_waits_in_a_thread_and_is_done_once(sqlite_url: str, opened: Opened) -> None:
    database = opened(sqlite_url, busy_timeout_s=10)
    begun: list[int] = []

    def work(tx: Transaction) -> int:
        begun.append(threading.get_ident())
        return keep(tx)

    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        doing = asyncio.create_task(database.run(work, brief=True))
        await asyncio.sleep(0.05)  # the loop goes on meanwhile
        assert not doing.done()
        assert begun == []
        other.execute("ROLLBACK")
        assert await doing != HERE
    assert len(begun) == 1


async def test_work_that_finds_our_own_thread_writing_waits_for_it_and_is_done_here(sqlite: Database) -> None:
    writing, may_end = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        keep(tx)
        writing.set()
        may_end.wait(10)

    held = asyncio.create_task(sqlite.run(hold))
    await asyncio.to_thread(writing.wait, 10)
    waiting = [asyncio.create_task(sqlite.run(keep, brief=True)) for _ in range(3)]
    given_up = asyncio.create_task(sqlite.run(keep, brief=True))
    await asyncio.sleep(0.02)  # the loop goes on meanwhile
    given_up.cancel()
    assert not any(one.done() for one in waiting)
    may_end.set()
    assert [await one for one in waiting] == [HERE] * 3
    await held
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_an_error_of_the_work_that_is_waited_for_is_told_to_those_who_asked_for_it_alone(
    sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    writing, may_end = threading.Event(), threading.Event()

    def fail(tx: Transaction) -> None:
        keep(tx)
        writing.set()
        may_end.wait(10)
        raise ZeroDivisionError

    failing = asyncio.create_task(sqlite.run(fail))
    await asyncio.to_thread(writing.wait, 10)
    waiting = asyncio.create_task(sqlite.run(keep, brief=True))
    await asyncio.sleep(0)  # it has begun to wait
    may_end.set()
    assert await waiting == HERE
    with pytest.raises(ZeroDivisionError):
        await failing
    await sqlite.run(keep)  # until there is newer work, the future of what failed is kept
    del failing, waiting
    gc.collect()
    assert caplog.messages == []


async def test_an_error_of_brief_work_takes_back_what_it_did(sqlite: Database) -> None:
    def fail(tx: Transaction) -> None:
        keep(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sqlite.run(fail, brief=True)
    assert not await kept(sqlite)
    assert await sqlite.run(keep, brief=True) == HERE


async def test_several_steps_are_brief_and_know_it(sqlite: Database) -> None:
    def steps() -> tuple[bool, int]:
        sqlite.run_now(keep)
        return sqlite.hurries, sqlite.run_now(lambda tx: threading.get_ident(), write=False)

    assert await sqlite.thread(steps, brief=True) == (True, HERE)
    assert not sqlite.hurries
    hurried, where = await sqlite.thread(steps)
    assert (hurried, where == HERE) == (False, False)


async def test_the_log_is_moved_into_the_file_by_another_thread_and_starts_anew(
    sqlite: Database, tmp_path: Path
) -> None:
    def salt() -> bytes:
        with (tmp_path / "app.db-wal").open("rb") as log:
            return log.read(20)[16:]  # https://www.sqlite.org/fileformat2.html#walformat: new whenever the log is

    number, first = 0, salt()
    while salt() == first and number < 20_000:
        owner = Owner("", f"{number} {'x' * 2_000}", "user")
        await sqlite.run(lambda tx, owner=owner: owners.find_or_make(tx, owner, NOW), brief=True)  # type: ignore[misc]
        await asyncio.sleep(0)
        number += 1
    assert number < 20_000


def test_on_a_slow_disk_work_is_done_elsewhere_for_a_while_and_a_single_pause_changes_nothing(sqlite: Database) -> None:
    now = [0.0]
    brief = Brief(sqlite.engine, lambda: now[0])

    def take(seconds: float) -> bool:
        def work() -> None:
            now[0] += seconds

        brief.do(work)
        return brief.may_start()

    assert [take(0.03), *(take(0.001) for _ in range(20))] == [True] * 21
    assert [take(0.03) for _ in range(3)] == [True, True, False]
    now[0] += 5
    assert brief.may_start()
    assert not take(0.03)  # it is still slow
    now[0] += 5
    assert [take(0.001) for _ in range(50)] == [True] * 50
    assert take(0.03)


def test_only_work_that_has_done_nothing_yet_gives_way_to_a_lock(sqlite: Database) -> None:
    brief = Brief(sqlite.engine)

    def work() -> list[bool]:
        before = brief.fresh
        brief.committed(write=True)
        return [before, brief.fresh, brief.here]

    assert brief.do(work) == [True, False, True]
    assert (brief.fresh, brief.here) == (False, False)
    with pytest.raises(Locked):
        brief.do(_locked)
    assert (brief.fresh, brief.here) == (False, False)


def _locked() -> None:
    raise Locked
