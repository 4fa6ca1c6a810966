"""Whatever a database does in the middle of a turn: a typed error or success, and nothing lost, doubled or stuck."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import postgres
import pytest
from torture.amount import ALL, KILLS
from torture.faults import KINDS, Fault
from torture.oracle import Fact
from torture.statements import watched
from torture.survivor import Survivor

from persona.errors import ConversationBusy, StoreBusy, StoreFull

_HANG_UP = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_TIMES = (1, 3) if KILLS < ALL else (1, 3, 1_000_000)  # a closing turn waits for the last
_STRIDE = max(1, round(ALL / KILLS) // 3)
_CASES = [(database, kind, times) for database, kinds in KINDS.items() for kind in kinds for times in _TIMES]


class _Clock:
    """A clock that can be put past every lease."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def outlive_leases(self) -> None:
        self._ahead += timedelta(hours=1)


@asynccontextmanager
async def _faulty(url: str) -> AsyncIterator[tuple[Survivor, Fault, _Clock]]:
    fault, clock = Fault(lambda: postgres.administer(url, _HANG_UP)), _Clock()
    with watched(fault):
        opened = Survivor(url, clock, busy_timeout_s=0.5, wait_s=0.05)
        await opened.go_on([("c", "hello from the start")], [])
        yield opened, fault, clock
        await opened.assistant.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("url", "kind", "times"), _CASES, indirect=["url"])
async def test_a_fault_at_any_statement_of_a_turn_is_a_typed_error_or_success(url: str, kind: str, times: int) -> None:
    make, expected = KINDS[url.split(":")[0]][kind]
    async with _faulty(url) as (opened, fault, clock):
        fault.arm(0, None, 0)
        await opened.say("c", "look at first")
        for k in range(len(kind) % _STRIDE, fault.count, _STRIDE if times < 10 else 10):
            said, facts = f"look {k}", []
            fault.arm(k, make, times)
            with suppress(expected):
                facts.append(await opened.say("c", said))
            fault.mend()
            clock.outlive_leases()
            assert not await opened.go_on([("c", said)], facts), f"{kind} at {fault.at}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("url", "kind", "times"), _CASES, indirect=["url"])
async def test_a_fault_at_any_statement_of_a_task_leaves_the_task(url: str, kind: str, times: int) -> None:
    make, expected = KINDS[url.split(":")[0]][kind]
    async with _faulty(url) as (opened, fault, clock):
        await opened.say("c", "hello first")
        fault.arm(0, None, 0)
        await opened.assistant.drain()
        for k in range(len(kind) % _STRIDE, fault.count, _STRIDE):
            fact = await opened.say("c", f"hello {k}")
            fault.arm(k, make, times)
            with suppress(expected):
                await opened.assistant.drain()
            fault.mend()
            clock.outlive_leases()
            assert not await opened.go_on([], [fact]), f"{kind} at {fault.at}"


def _long(n: int) -> str:
    return f"hello {n} {'x' * 500}"


async def _fill(opened: Survivor, facts: list[Fact]) -> None:
    while len(facts) < 1_000:
        facts.append(await opened.say("c", _long(len(facts))))


async def test_a_disk_that_is_really_full_loses_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    opened = Survivor(url, clock := _Clock(), durability="full")  # the limit is a connection's: this uses but one
    facts = [await opened.say("c", "hello from the start")]
    database = (await opened.assistant.services()).database

    def pages(most: int) -> None:
        with database.connection() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

    await database.thread(lambda: pages(1))  # as many as there are
    with pytest.raises(StoreFull):
        await _fill(opened, facts)
    assert not await opened.broken(facts)
    await database.thread(lambda: pages(1 << 30))
    clock.outlive_leases()
    assert not await opened.go_on([("c", _long(len(facts)))], facts)
    await opened.assistant.close()


async def test_a_database_locked_by_another_program_fails_the_turn_and_loses_nothing(tmp_path: Path) -> None:
    opened = Survivor(f"sqlite:///{tmp_path / 'app.db'}", clock := _Clock(), busy_timeout_s=0.05)
    facts = [await opened.say("c", "hello from the start")]
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        await opened.say("c", "hello again")
    other.execute("ROLLBACK")
    assert not await opened.go_on([("c", "hello again")], facts), "an opening that failed holds nothing"
    other.close()
    clock.outlive_leases()
    await opened.assistant.close()


async def test_a_conversation_whose_end_could_not_be_written_is_free_when_its_lease_ends(tmp_path: Path) -> None:
    make, expected = KINDS["sqlite"]["disk full"]
    async with _faulty(f"sqlite:///{tmp_path / 'app.db'}") as (opened, fault, clock):
        fault.arm(0, None, 0)
        await opened.say("c", "hello 1")
        fault.arm(fault.count - 3, make, 1_000)
        with pytest.raises(expected):
            await opened.say("c", "hello 2")
        fault.mend()
        with pytest.raises(ConversationBusy):
            await opened.say("c", "hello 3")
        clock.outlive_leases()
        assert not await opened.go_on([("c", "hello 2")], [])
