"""How transactions end, who may use a database at once, and how a connection is set up."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from stored import PRIVATE, keep, kept, sql

from persona.errors import StoreBusy, StoreError, StoreUnavailable
from persona.store import (
    calibrations,
    conversations,
    earlier,
    exchanges,
    facts,
    feedback,
    memories,
    messages,
    owners,
    retention,
    tasks,
    turns,
)
from persona.store.engine import Database
from persona.store.schema import prepare
from persona.store.statements import table
from persona.store.tables import PromptRow
from persona.store.transaction import Statement, Transaction


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_error_in_the_work_rolls_back_and_the_next_transaction_is_clean(
    every: Database, error: type[BaseException]
) -> None:
    def interrupted(tx: Transaction) -> None:
        keep("one")(tx)
        raise error

    with pytest.raises(error):
        every.run_now(interrupted)
    assert kept(every) == 0
    every.run_now(keep("two"))
    assert kept(every) == 1


def test_error_of_the_database_in_the_work_rolls_back_what_came_before(every: Database) -> None:
    def twice(tx: Transaction) -> None:
        keep("one")(tx)
        keep("one")(tx)

    with pytest.raises(StoreError):
        every.run_now(twice)
    assert kept(every) == 0
    every.run_now(keep("one"))


def test_error_at_commit_rolls_back_and_gives_the_connection_back_sane(either: Database) -> None:
    def set_up(tx: Transaction) -> None:
        tx.run(sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)"), {})
        tx.run(sql("CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"), {})

    def orphan(tx: Transaction) -> None:
        keep("one")(tx)
        tx.run(sql("INSERT INTO child VALUES (1)"), {})  # refused by COMMIT, not here

    either.run_now(set_up)
    connection = either.engine.raw_connection()
    connection.cursor().execute("PRAGMA foreign_keys=ON")
    connection.close()
    with pytest.raises(StoreError, match="SQLITE_CONSTRAINT_FOREIGNKEY"):
        either.run_now(orphan)
    assert kept(either) == 0
    either.run_now(keep("two"))
    assert kept(either) == 1


def test_connection_that_was_lost_without_an_end_is_rolled_back_by_the_pool(sqlite: Database) -> None:
    connection = sqlite.engine.raw_connection()
    connection.cursor().execute("BEGIN IMMEDIATE")
    connection.cursor().execute("INSERT INTO persona_prompts VALUES ('one', 'x')")
    del connection
    assert kept(sqlite) == 0
    sqlite.run_now(keep("two"))


def test_transaction_of_sqlalchemy_rolls_back_too(every: Database) -> None:
    def fail() -> None:
        with every.connection() as connection:
            connection.execute(table(PromptRow).insert().values(digest="one", text=PRIVATE))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert kept(every) == 0


def test_result_that_was_not_read_to_its_end_holds_no_snapshot(sqlite: Database) -> None:
    for number in range(300):
        sqlite.run_now(keep(str(number)))
    sqlite.run_now(lambda tx: tx.one(sql("SELECT * FROM persona_prompts"), {}), write=False)
    sqlite.run_now(keep("last"))
    raw = sqlite.engine.raw_connection()
    busy, _, _ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    raw.close()
    assert busy == 0
    assert kept(sqlite) == 301


def test_closed_database_says_so(every: Database) -> None:
    every.close()
    every.close()
    for use in (kept, prepare, lambda database: database.run_now(keep("one"))):
        with pytest.raises(StoreUnavailable, match="was closed"):
            use(every)


async def test_closed_database_says_so_to_a_coroutine(every: Database) -> None:
    every.close()
    with pytest.raises(StoreUnavailable, match="was closed"):
        await every.run(keep("one"))
    with pytest.raises(StoreUnavailable, match="was closed"):
        await every.thread(lambda: None)


def test_close_leaves_one_file(tmp_path: Path, sqlite: Database) -> None:
    sqlite.run_now(keep("one"))
    sqlite.close()
    assert [path.name for path in tmp_path.iterdir()] == ["app.db"]


async def test_database_in_memory_is_one_for_every_thread(memory: Database) -> None:
    here = threading.get_ident()
    there = await memory.run(lambda tx: (keep("one")(tx), threading.get_ident())[1])
    assert there != here
    assert kept(memory) == 1
    assert await memory.thread(lambda: kept(memory)) == 1


async def test_transactions_of_many_threads_never_mix(every: Database) -> None:
    def pair(number: int) -> None:
        def both(tx: Transaction) -> None:
            keep(f"{number}-a")(tx)
            keep(f"{number}-b")(tx)
            if number % 3 == 0:
                raise RuntimeError

        every.run_now(both)

    jobs = [asyncio.to_thread(pair, number) for number in range(30)]
    ended = await asyncio.gather(*jobs, return_exceptions=True)
    failed = [end for end in ended if end is not None]
    assert {type(end) for end in failed} <= {RuntimeError, StoreBusy}  # a slow machine is busy now and then
    assert kept(every) == 2 * (30 - len(failed))


def test_transaction_within_a_transaction_is_busy_rather_than_stuck(either: Database) -> None:
    with pytest.raises(StoreBusy):
        either.run_now(lambda tx: either.run_now(keep("one")))
    either.run_now(keep("one"))


def test_two_databases_in_memory_are_two(memory: Database) -> None:
    other = Database("sqlite://")
    prepare(other)
    other.run_now(keep("one"))
    assert (kept(other), kept(memory)) == (1, 0)
    other.close()


def test_every_connection_is_set_up(tmp_path: Path) -> None:
    for durability, synchronous in (("normal", 1), ("full", 2)):
        database = Database(f"sqlite:///{tmp_path / 'app.db'}", durability=durability)
        with database.connection(write=False) as one, database.connection(write=False) as two:
            for connection in (one, two):
                told = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint")
                ]
                assert told == ["wal", synchronous, 1, 4000]
        database.close()


def test_file_of_another_journal_mode_is_switched_once_its_writer_is_done(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("PRAGMA journal_mode=DELETE")
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN EXCLUSIVE")
    waiting = Database(f"sqlite:///{tmp_path / 'app.db'}", busy_timeout_s=0.02)
    with pytest.raises(StoreBusy):
        prepare(waiting)
    other.execute("COMMIT")
    other.close()
    prepare(waiting)
    with waiting.connection(write=False) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    waiting.close()


def every_statement() -> list[tuple[str, Statement]]:
    rooms = (
        *(calibrations, conversations, earlier, exchanges, facts, feedback, memories, messages, owners),
        *(retention, tasks, turns),
    )
    named = [(f"{room.__name__}.{name}", thing) for room in rooms for name, thing in vars(room).items()]
    return [(name, thing) for name, thing in named if isinstance(thing, Statement)]


def test_no_statement_reads_a_whole_table_that_grows(memory: Database) -> None:
    small = {
        "persona.store.calibrations._ALL",
        "persona.store.tasks._COUNT",
        "persona.store.tasks._SAME",
        "persona.store.tasks._DROP",
        "persona.store.tasks._LIST",
        "persona.store.retention._TASKS",
    }
    scans = set()
    with memory.connection(write=False) as connection:
        for name, statement in every_statement():
            written, order, fixed = statement.on(memory.engine.dialect)
            values = tuple(fixed.get(key, 1) for key in order or ())
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}", values).all()
            if any(step[3].startswith("SCAN persona_") for step in steps):
                scans.add(name)
    assert scans == small


def test_statements_compile_for_postgresql() -> None:
    found = every_statement()
    assert len(found) > 40
    for _, statement in found:
        compiled, order, fixed = statement.on(PGDialect_psycopg(paramstyle="numeric_dollar"))
        assert "?" not in compiled
        assert f"${len(order or ())}" in compiled or len(set(order or ())) < len(order or "") or not order
        assert "" not in fixed


async def test_an_iterator_that_ends_in_a_store_thread_is_an_error_and_no_endless_wait(either: Database) -> None:
    with pytest.raises(RuntimeError, match="iterator ended"):
        await either.run(lambda tx: next(iter(())))
    with pytest.raises(RuntimeError, match="iterator ended"):
        await either.thread(lambda: next(iter(())))
