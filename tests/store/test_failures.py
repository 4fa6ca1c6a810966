"""What the caller is told when the database is locked, full, read only, damaged or not there."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from stored import PRIVATE, keep, kept, sql

from persona.errors import (
    InvalidInput,
    SchemaOutOfDate,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from persona.store.backend import shown
from persona.store.engine import Database
from persona.store.failures import cause, translated
from persona.store.schema import prepare
from persona.store.statements import table
from persona.store.tables import PromptRow
from persona.store.transaction import Transaction


def test_no_message_and_no_cause_holds_sql_or_values(database: Database) -> None:
    database.run_now(keep("one"))
    with pytest.raises(StoreError) as raised:
        database.run_now(keep("one"))
    told = f"{raised.value} {raised.value.hint} {raised.value.__cause__!r}"
    assert PRIVATE not in told
    assert "INSERT" not in told
    with pytest.raises(StoreError) as slow, database.connection() as connection:
        connection.execute(table(PromptRow).insert().values(digest="one", text=PRIVATE))
    assert PRIVATE not in f"{slow.value} {slow.value.__cause__!r}"
    assert "INSERT" not in f"{slow.value} {slow.value.__cause__!r}"


def test_text_that_is_no_unicode_is_refused_without_being_shown(database: Database) -> None:
    with pytest.raises(InvalidInput) as raised:
        database.run_now(keep("one", PRIVATE + "\ud800"))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert PRIVATE not in str(raised.value)
    assert kept(database) == 0


def test_locked_database_is_busy_and_then_not(tmp_path: Path, sqlite: Database) -> None:
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy) as raised:
        sqlite.run_now(keep("one"))
    assert raised.value.retryable
    assert kept(sqlite) == 0  # readers go on
    other.execute("ROLLBACK")
    other.close()
    sqlite.run_now(keep("one"))


def test_full_database_keeps_what_was_there(either: Database) -> None:
    either.run_now(keep("one"))
    connection = either.engine.raw_connection()
    pages = connection.cursor().execute("PRAGMA page_count").fetchone()[0]
    connection.cursor().execute(f"PRAGMA max_page_count={pages + 2}")
    connection.close()

    def much(tx: Transaction) -> None:
        keep("two")(tx)
        keep("three", "x" * 100_000)(tx)

    with pytest.raises(StoreFull):
        either.run_now(much)
    assert kept(either) == 1
    either.run_now(keep("four", "small"))
    assert kept(either) == 2


def test_read_only_file_is_read_and_not_written(tmp_path: Path, sqlite: Database) -> None:
    sqlite.run_now(keep("one"))
    reader = Database(f"sqlite:///file:{tmp_path}/app.db?mode=ro&uri=true", busy_timeout_s=0.05)
    assert kept(reader) == 1
    with pytest.raises(StoreReadOnly):
        reader.run_now(keep("two"))
    assert kept(reader) == 1
    reader.close()


def test_read_only_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    reader = Database(f"sqlite:///file:{tmp_path}/none.db?mode=ro&uri=true")
    with pytest.raises(StoreUnavailable):
        prepare(reader)
    reader.close()
    assert not list(tmp_path.iterdir())


def test_random_bytes_are_no_database(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    file.write_bytes(random.Random(1).randbytes(20_000))
    before = file.read_bytes()
    database = Database(f"sqlite:///{file}")
    with pytest.raises(StoreCorrupt):
        prepare(database)
    database.close()
    assert file.read_bytes() == before


@pytest.mark.parametrize("keeps", [50, 100, 4096, 5000, 20_000])
def test_truncated_database_is_corrupt(tmp_path: Path, sqlite: Database, keeps: int) -> None:
    sqlite.run_now(lambda tx: [keep(str(number), "x" * 500)(tx) for number in range(100)])
    sqlite.close()
    cut = tmp_path / "cut.db"
    shutil.copy(tmp_path / "app.db", cut)
    with cut.open("r+b") as file:
        file.truncate(keeps)
    opened = Database(f"sqlite:///{cut}")

    def read_everything() -> None:
        prepare(opened)
        opened.run_now(lambda tx: tx.all(sql("SELECT * FROM persona_prompts"), {}), write=False)

    with pytest.raises(StoreCorrupt):
        read_everything()
    opened.close()


@pytest.mark.parametrize("place", ["no/such/app.db", "folder"])
def test_place_that_cannot_be_a_file_is_unavailable(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    database = Database(f"sqlite:///{tmp_path / place}")
    with pytest.raises(StoreUnavailable, match="folder"):
        prepare(database)
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        *("", "nonsense", "sqlite://host/app.db", "foo://host/name", "sqlite:///a\0b.db"),
        *("sqlite:///app.db?mode=ro", "sqlite:///file:app.db?mode=ro", "postgresql+psycopg://u:hunter2@h:port/x"),
        *("nosuchdriver+x://u:hunter2@h/x", "sqlite://u:hunter2@h/x"),
        *("postgresql+asyncpg://u:hunter2@h/x", "postgresql+psycopg2://u:hunter2@h/x", "mysql://u:hunter2@h/x"),
    ],
)
def test_url_that_cannot_work_is_refused_at_once_without_its_password(url: str) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        Database(url)
    assert "hunter2" not in f"{raised.value} {raised.value.__cause__!r}"


@pytest.mark.parametrize("name", ["a b.db", "été 中.db", "a#b.db", "100%.db", 'it\'s "it".db'])
def test_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    database = Database(f"sqlite:///{tmp_path / name}")
    prepare(database)
    database.run_now(keep("one"))
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_percent_sign_before_two_digits_is_escaped_in_a_url(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/50%2520.db")
    prepare(database)
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["50%20.db"]


class Told(Exception):
    """What a PostgreSQL driver raises."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(f"Key (name)=({PRIVATE}) already exists")
        self.sqlstate = sqlstate


class OperationalError(Told):
    """A driver's error that is not the statement's fault."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Told("40001"), StoreBusy),
        (Told("40P01"), StoreBusy),
        (Told("55P03"), StoreBusy),
        (Told("23505"), StoreBusy),
        (Told("23502"), StoreError),
        (Told("25006"), StoreReadOnly),
        (Told("53100"), StoreFull),
        (Told("25P02"), StoreError),
        (Told("25P03"), StoreUnavailable),
        (Told("42501"), StoreReadOnly),
        (Told("42P01"), SchemaOutOfDate),
        (Told("53300"), StoreBusy),
        (Told("57014"), StoreBusy),
        (Told("57P01"), StoreUnavailable),
        (Told("08006"), StoreUnavailable),
        (Told("XX000"), StoreError),
        (Told("XX001"), StoreCorrupt),
        (Told("42601"), StoreError),
        (OperationalError(None), StoreUnavailable),
        (PoolTimeout(), StoreBusy),
    ],
)
def test_errors_of_a_server_are_told_by_their_state(error: Exception, kind: type[StoreError]) -> None:
    for told in (error, DBAPIError("INSERT …", {"text": PRIVATE}, error)):
        assert type(translated(told)) is kind
        assert PRIVATE not in str(translated(told))


def test_error_that_quotes_a_row_is_not_chained() -> None:
    assert cause(Told("23505")) is None
    assert cause(Told("22021")) is None
    assert cause(Told("40001")) is not None


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h/d?sslmode=require", "postgresql://u@h/d?password=hunter2"])
def test_a_url_is_shown_without_its_password_wherever_that_stands(url: str) -> None:
    told = shown(make_url(url))
    assert told.startswith("postgresql://u")
    assert "hunter2" not in told
