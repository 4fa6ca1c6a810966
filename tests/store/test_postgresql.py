"""What only a server does: time-outs, locks of rows, connections that go away, roles that may not write."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import postgres
import pytest
from sqlalchemy import make_url
from stored import keep, kept, sql

from persona.errors import InvalidInput, StoreBusy, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from persona.store import schema
from persona.store.engine import Database
from persona.store.transaction import Transaction

Open, Do = Callable[..., Database], Callable[..., Any]
ROOT = Path(__file__).parents[2]
END = sql("SELECT pg_terminate_backend(pg_backend_pid())")
NAP = sql("SELECT pg_sleep(30)")


def everybody_else(database: Database) -> None:
    """Ends every connection to this database but the one that says so."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    name = database.engine.url.database
    postgres.administer(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
    )


# connections


@pytest.mark.parametrize("written", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_spelling_of_the_url_is_psycopg(postgresql_url: str, opened: Open, written: str) -> None:
    database = opened(written + "://" + postgresql_url.split("://")[1])
    database.run_now(keep("one"))
    assert kept(database) == 1


@pytest.mark.parametrize("missing", ["psycopg", "greenlet"])
def test_missing_driver_names_the_extra(missing: str) -> None:
    asked = (
        f"import sys; sys.modules['{missing}'] = None\n"
        "from persona.store.engine import Database\n"
        "from persona.errors import StoreUnavailable\n"
        "Database('sqlite://').close()\n"
        "try: Database('postgresql://u:hunter2@h/x')\n"
        "except StoreUnavailable as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert "pip install 'pypersona[postgres]'" in told.stdout
    assert "hunter2" not in told.stdout + told.stderr


def test_sqlite_needs_no_psycopg_and_no_greenlet() -> None:
    asked = (
        "import sys, persona.store.engine as e\n"
        "e.Database('sqlite://').close()\n"
        "print([name for name in ('psycopg', 'greenlet') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@/x?host=/nowhere", "postgresql://u:hunter2@127.0.0.1:1/x"])
def test_server_that_is_not_there_is_unavailable_at_once(url: str) -> None:
    database = Database(url)
    with pytest.raises(StoreUnavailable) as raised:
        schema.prepare(database)
    database.close()
    assert raised.value.retryable
    assert "hunter2" not in f"{raised.value} {raised.value.__cause__!r}"


def test_server_that_does_not_speak_is_not_waited_for_longer_than_the_url_says() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2")
        with pytest.raises(StoreUnavailable):
            schema.prepare(database)
        database.close()


def test_every_connection_has_its_time_outs(postgresql_url: str) -> None:
    database = Database(postgresql_url, busy_timeout_s=0.25, statement_timeout_s=1.5, durability="full")
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit", "jit")
    with database.connection() as one, database.connection() as two:
        for connection in (one, two):
            told = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
            assert told == ["1500ms", "250ms", "3s", "on", "off"]
    database.close()


def test_no_more_connections_are_made_than_allowed(postgresql_url: str, do: Do) -> None:
    database = Database(postgresql_url, busy_timeout_s=0.05, connections=2)
    told = pytest.raises(StoreBusy, match="no database connection became free")
    with database.transaction(), database.transaction(), told:
        do(database, keep("one"))
    do(database, keep("one"))
    database.close()


def test_connections_that_the_server_ended_meanwhile_are_replaced_unnoticed(postgresql: Database) -> None:
    with postgresql.transaction(), postgresql.transaction(), postgresql.transaction():
        pass
    everybody_else(postgresql)
    with postgresql.transaction() as one, postgresql.transaction() as two, postgresql.transaction() as three:
        for number, tx in enumerate((one, two, three)):
            keep(str(number))(tx)
    assert kept(postgresql) == 3


# transactions


def test_reading_transaction_may_not_write_and_sees_one_moment(postgresql: Database, do: Do) -> None:
    with pytest.raises(StoreReadOnly):
        do(postgresql, keep("one"), write=False)
    count = sql("SELECT count(*) FROM persona_prompts")
    with postgresql.transaction(write=False) as reading:
        before = reading.one(count, {})
        do(postgresql, keep("two"))
        assert reading.one(count, {}) == before
    assert kept(postgresql) == 1


def test_locked_row_is_busy_and_then_not(postgresql: Database, do: Do) -> None:
    do(postgresql, keep("one"))
    change = sql("UPDATE persona_prompts SET text = 'x'")
    with postgresql.transaction() as holds:
        holds.run(change, {})
        with pytest.raises(StoreBusy):
            do(postgresql, lambda tx: tx.run(change, {}))
        assert kept(postgresql) == 1  # readers go on
    assert do(postgresql, lambda tx: tx.run(change, {})) == 1


def test_statement_that_takes_too_long_is_stopped_and_its_transaction_undone(
    postgresql_url: str, opened: Open, do: Do
) -> None:
    database = opened(postgresql_url, statement_timeout_s=0.1, connections=1)

    def slow(tx: Transaction) -> None:
        keep("one")(tx)
        tx.one(NAP, {})

    with pytest.raises(StoreBusy, match="statement_timeout_s"):
        do(database, slow)
    assert kept(database) == 0


def test_process_that_stands_still_in_a_transaction_loses_it(postgresql_url: str, opened: Open) -> None:
    database = opened(postgresql_url, statement_timeout_s=0.05)
    patient = opened(postgresql_url, busy_timeout_s=10)

    def stand_still() -> None:
        with database.transaction() as tx:
            keep("one")(tx)
            patient.run_now(keep("one"))  # waits for the row until the server has ended the first transaction
            keep("two")(tx)

    with pytest.raises(StoreUnavailable):
        stand_still()
    assert kept(database) == 1


def test_two_transactions_that_cross_both_come_through(postgresql_url: str, opened: Open) -> None:
    database = opened(postgresql_url, busy_timeout_s=10)
    for name in ("a", "b"):
        database.run_now(keep(name))
    change = sql("UPDATE persona_prompts SET text = text || :more WHERE digest = :which")
    meet = threading.Barrier(2, timeout=10)
    tries: list[str] = []

    def cross(first: str, second: str) -> None:
        def both(tx: Transaction) -> None:
            tries.append(first)
            tx.run(change, {"which": first, "more": "!"})
            if tries.count(first) == 1:
                meet.wait()
            tx.run(change, {"which": second, "more": "!"})

        database.run_now(both)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    said = database.run_now(lambda tx: tx.all(sql("SELECT text FROM persona_prompts"), {}), write=False)
    assert [text[-2:] for (text,) in said] == ["!!", "!!"]
    assert len(tries) == 3


# what the server says


@pytest.mark.parametrize(
    ("state", "kind", "tries"),
    [("53100", StoreFull, 1), ("40001", StoreBusy, 2), ("57014", StoreBusy, 1), ("XX000", StoreError, 1)],
)
def test_refusal_of_the_server_is_told_by_its_state(
    postgresql: Database, state: str, kind: type[StoreError], tries: int, do: Do
) -> None:
    refuse = sql(f"DO $$ BEGIN RAISE EXCEPTION 'said so' USING ERRCODE = '{state}'; END $$")
    begun = []

    def work(tx: Transaction) -> None:
        begun.append(1)
        keep("one")(tx)
        tx.run(refuse, {})

    with pytest.raises(StoreError) as raised:
        do(postgresql, work)
    assert type(raised.value) is kind
    assert len(begun) == tries
    assert kept(postgresql) == 0


def test_role_that_may_only_read_reads(postgres_server: str, postgresql: Database, opened: Open) -> None:
    postgresql.run_now(keep("one"))
    name = postgresql.engine.url.database
    here = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    postgres.administer(here, "DROP OWNED BY persona_reader" if _role(here) else "CREATE ROLE persona_reader LOGIN")
    postgres.administer(here, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO persona_reader")
    try:
        reader = opened(make_url(here).set(username="persona_reader").render_as_string(hide_password=False))
        assert kept(reader) == 1
        with pytest.raises(StoreReadOnly, match="role"):
            reader.run_now(keep("two"))
        reader.close()
    finally:
        postgres.administer(here, "DROP OWNED BY persona_reader")
        postgres.administer(here, "DROP ROLE persona_reader")


def _role(url: str) -> bool:
    return bool(postgres.administer(url, "SELECT 1 FROM pg_roles WHERE rolname = 'persona_reader'"))


def test_nul_in_a_text_is_refused_before_it_is_sent(postgresql: Database, do: Do) -> None:
    with pytest.raises(InvalidInput, match="NUL") as raised:
        do(postgresql, keep("one", "un secret\0"))
    assert "secret" not in f"{raised.value} {raised.value.__cause__!r}"
    assert kept(postgresql) == 0


# migrations


def test_two_upgrades_at_once_make_the_tables_once(postgres_server: str) -> None:
    with postgres.fresh_database(postgres_server, "persona_upgraded_twice", upgraded=False) as url:
        databases = [Database(url, busy_timeout_s=0.05) for _ in range(3)]
        start, failed = threading.Barrier(3, timeout=10), []

        def upgrade(database: Database) -> None:
            start.wait()
            try:
                schema.upgrade(database)
            except StoreError as error:
                failed.append(error)

        threads = [threading.Thread(target=upgrade, args=[database]) for database in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert failed == []
        assert {schema.version(database) for database in databases} == {schema.HEAD}
        for database in databases:
            schema.prepare(database)
            database.close()


# connections lost on the way


def test_transaction_whose_connection_goes_before_commit_is_run_again(postgresql: Database, do: Do) -> None:
    begun = []

    def work(tx: Transaction) -> None:
        keep("one")(tx)
        begun.append(1)
        if len(begun) == 1:
            tx.one(END, {})

    do(postgresql, work)
    assert len(begun) == 2
    assert kept(postgresql) == 1


def test_connection_that_goes_twice_is_told(postgresql: Database, do: Do) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        do(postgresql, lambda tx: tx.one(END, {}))
    assert raised.value.retryable
    assert kept(postgresql) == 0


@pytest.fixture
def dies_at_commit(postgresql: Database) -> Iterator[Callable[[Transaction], None]]:
    """Work whose connection is gone when COMMIT is sent: a deferred trigger ends it."""
    with postgresql.connection() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
        )
        connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON persona_calibrations "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"
        )
    yield lambda tx: tx.run(sql("INSERT INTO persona_calibrations VALUES ('t', 'c', 1, 1, 1, 1)"), {}) and None
    with postgresql.connection() as connection:
        connection.exec_driver_sql("DROP FUNCTION die() CASCADE")


def test_connection_that_goes_during_commit_is_told_apart_and_not_run_again(
    postgresql: Database, dies_at_commit: Callable[[Transaction], None], do: Do
) -> None:
    begun = []

    def work(tx: Transaction) -> None:
        begun.append(1)
        dies_at_commit(tx)

    with pytest.raises(StoreUnavailable, match="not known whether") as raised:
        do(postgresql, work)
    assert "idempotency key" in raised.value.hint
    assert begun == [1]
    do(postgresql, keep("one"))


async def test_patient_work_waits_until_the_server_is_there_again(
    own_server: postgres.Server, mortal: Database
) -> None:
    own_server.kill()
    waiting = asyncio.create_task(mortal.run(keep("one"), patience_s=30))
    await asyncio.to_thread(own_server.start)
    await waiting
    assert kept(mortal) == 1


def test_server_killed_in_a_transaction_loses_that_one_and_nothing_else(
    own_server: postgres.Server, mortal: Database, do: Do
) -> None:
    do(mortal, keep("before"))

    def cut(tx: Transaction) -> None:
        keep("cut")(tx)
        own_server.kill()
        keep("more")(tx)

    with pytest.raises(StoreUnavailable):
        do(mortal, cut)
    with pytest.raises(StoreUnavailable):
        do(mortal, keep("gone"))
    own_server.start()
    do(mortal, keep("after"))
    found = do(mortal, lambda tx: tx.all(sql("SELECT digest FROM persona_prompts"), {}), write=False)
    assert sorted(found) == [("after",), ("before",)]


def test_server_that_answers_no_more_is_given_up(own_server: postgres.Server, mortal: Database, do: Do) -> None:
    stopped = []

    def freeze(tx: Transaction) -> None:
        (pid,) = tx.one(sql("SELECT pg_backend_pid()"), {}) or ()
        stopped.append(next(process for process in own_server.processes() if process.pid == pid))
        stopped[-1].send_signal(signal.SIGSTOP)
        keep("one")(tx)

    try:
        with pytest.raises(StoreUnavailable):
            do(mortal, freeze)
    finally:
        for backend in stopped:
            backend.send_signal(signal.SIGCONT)
    assert len(stopped) == 2
    do(mortal, keep("two"))
    assert kept(mortal) == 1
