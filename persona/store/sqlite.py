"""What SQLite needs beside its SQL: pragmas, its kinds of BEGIN, one connection for a database in memory.

Read only is `sqlite:///file:app.db?mode=ro&uri=true`: SQLite's own URI, which SQLAlchemy hands on when `uri=true`
is there. A write to it raises StoreReadOnly, and so does the first opening of a database without a schema.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import Pool, QueuePool, StaticPool

from persona.errors import StoreBusy, StoreUnavailable
from persona.store.backend import Backend

log = logging.getLogger("persona.store")

# a write lock from the start: two writers then wait for each other instead of failing half-way
BEGIN_WRITE = "BEGIN IMMEDIATE"
BEGIN_READ = "BEGIN"

_WAL_POLL_S = 0.005
_LOCK_PATIENCE_MS = 50
_LOG_PAGES = 4000  # about 16 MB: a turn writes some 25 of them
_LARGEST_IDLE_WAL = 64 * 1024 * 1024  # bytes; a long reader may make the file grow, and this shrinks it again


class Turnstile:
    """Lets one thread through at a time: a database in memory has one connection, and transactions may not mix."""

    def __init__(self, patience_s: float) -> None:
        self._lock = threading.Lock()
        self._patience_s = patience_s

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._patience_s):
            raise StoreBusy(
                "another transaction holds the database in memory", hint="try again, or use a database file"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def in_memory(url: URL) -> bool:
    """Whether the URL names a database that is gone with its last connection."""
    named = url.database or ":memory:"
    return named in (":memory:", "file::memory:", "file:") or url.query.get("mode") == "memory"


def missing(url: str) -> Path | None:
    """The file that a URL names and that is not there; None for every other database."""
    named = _plain_file(url)
    path = Path(named.database or "") if named else None
    return None if path is None or path.exists() else path


def check_there(url: str) -> None:
    """Raises StoreUnavailable when the file that a URL names is not there."""
    if absent := missing(url):
        raise StoreUnavailable(
            f"there is no database {str(absent)!r} yet",
            hint="the first message makes it; or name the settings of the one that you mean, with --config",
        )


def existing(url: str) -> str:
    """The same database, opened without making a SQLite file. Raises StoreUnavailable when there is none."""
    check_there(url)
    named = _plain_file(url)
    if named is None:
        return url
    there = named.set(database=f"file:{quote(named.database or '')}", query={"mode": "rw", "uri": "true"})
    return there.render_as_string(hide_password=False)


def _plain_file(url: str) -> URL | None:
    """The URL of a SQLite file, without options of SQLite's own; None for everything else."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None  # opening it says what is wrong with it
    plain = parsed.get_backend_name() == "sqlite" and not parsed.query and not in_memory(parsed)
    return parsed if plain else None


def backend(url: URL, durability: str, busy_timeout_s: float) -> Backend:
    """SQLite, opened on first use. A file needs no connection that could be lost."""
    return Backend(engine(url, durability, busy_timeout_s), begun, lost=lambda *_: False)


@contextmanager
def begun(connection: PoolProxiedConnection, write: bool) -> Iterator[DBAPICursor]:
    """A transaction's cursor; it is committed at the end."""
    cursor = connection.cursor()
    cursor.execute(BEGIN_WRITE if write else BEGIN_READ)
    yield cursor
    cursor.close()  # a result that was not read to its end would hold its snapshot
    connection.commit()


def impatient(url: URL) -> Engine:
    """An engine that waits for no lock, and leaves moving the log into the file to others: see `shorten_log`."""
    return engine(url, "normal", 0.0, pages=0)


def engine(url: URL, durability: str, busy_timeout_s: float, pages: int = _LOG_PAGES) -> Engine:
    """An engine whose connections are ready: WAL, the durability asked for, and erased bytes overwritten.

    A COMMIT that finds `pages` in the log moves them into the file; 0 stands for never.
    """
    if url.query and url.query.get("uri") != "true":
        raise StoreUnavailable(
            "the database URL has options that SQLite would not read",
            hint="write it like sqlite:///file:app.db?mode=ro&uri=true",
        )
    kept: type[Pool] = StaticPool if in_memory(url) else QueuePool
    waits = {} if kept is StaticPool else {"pool_timeout": max(busy_timeout_s, 1.0)}
    arguments = {"timeout": busy_timeout_s, "check_same_thread": False}
    url = url.set(drivername="sqlite")  # the standard library's driver, whatever else is installed
    made = create_engine(url, connect_args=arguments, poolclass=kept, hide_parameters=True, **waits)

    @event.listens_for(made, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        try:
            prepare(connection, durability, busy_timeout_s, pages)
        except sqlite3.Error:
            connection.close()
            raise

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("persona_write", True)
        connection.exec_driver_sql(BEGIN_WRITE if write else BEGIN_READ)

    return made


def prepare(connection: sqlite3.Connection, durability: str, patience_s: float, pages: int = _LOG_PAGES) -> None:
    """Readies one fresh connection."""
    connection.isolation_level = None  # transactions are begun here, not by the driver
    _write_ahead(connection, time.monotonic() + patience_s)
    connection.execute(f"PRAGMA synchronous={'FULL' if durability == 'full' else 'NORMAL'}")
    connection.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten
    connection.execute(f"PRAGMA wal_autocheckpoint={pages}")
    connection.execute(f"PRAGMA journal_size_limit={_LARGEST_IDLE_WAL}")


def shorten_log(engine: Engine) -> None:
    """Moves the write-ahead log into the file, so that it starts anew, while others go on writing.

    Nearly all of it is moved without a lock. What was written meanwhile is moved under the lock of a writer: a log
    that always has something more in it would grow for ever.
    """
    try:
        with _outside_transactions(engine, patient=False) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            connection.execute(f"PRAGMA busy_timeout={_LOCK_PATIENCE_MS}")
            connection.execute("PRAGMA wal_checkpoint(FULL)")
    except (sqlite3.Error, SQLAlchemyError) as error:  # the log keeps everything, and the next one tries again
        log.warning("the write-ahead log could not be moved into the file: %s", type(error).__name__)


def empty_log(engine: Engine) -> bool:
    """Moves the write-ahead log into the file and cuts it to nothing; False when somebody uses it."""
    with _outside_transactions(engine, patient=False) as connection:
        return not _number(connection, "PRAGMA wal_checkpoint(TRUNCATE)")  # 1: a reader is in the way


def rewrite(engine: Engine, *, patient: bool, largest: int | None = None) -> None:
    """Writes the file anew, unless it has more bytes than `largest`, and empties its log unless somebody uses it.

    Deleted rows are overwritten at once, but pages that SQLite rearranged keep copies of rows, in parts that they do
    not use, until then. It takes about 5 ms a megabyte, as much disk again, and writers wait.
    """
    with _outside_transactions(engine, patient) as connection:
        pages, each = (_number(connection, f"PRAGMA {name}") for name in ("page_count", "page_size"))
        if largest is None or pages * each <= largest:
            connection.execute("VACUUM")
            connection.execute("PRAGMA busy_timeout=0")  # waiting for readers would keep writers waiting too
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _outside_transactions(engine: Engine, patient: bool) -> Iterator[sqlite3.Connection]:
    """A connection for what SQLite does in no transaction; an impatient one waits for no lock, and keeps nobody."""
    pooled = engine.raw_connection()
    connection = cast(sqlite3.Connection, pooled.driver_connection)
    usual_ms = _number(connection, "PRAGMA busy_timeout")
    try:
        if not patient:
            connection.execute("PRAGMA busy_timeout=0")
        yield connection
    finally:
        connection.execute(f"PRAGMA busy_timeout={usual_ms}")
        pooled.close()


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    """The first number that a pragma tells."""
    return int(connection.execute(pragma).fetchone()[0])


def _write_ahead(connection: sqlite3.Connection, deadline: float) -> None:
    """Switches the file to WAL, once. A file that cannot be written stays as it is, and can still be read.

    SQLite says "busy" at once, whatever the time-out, when two connections switch a new file together.
    """
    while _mode(connection, "PRAGMA journal_mode") not in ("wal", "memory"):
        try:
            _mode(connection, "PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            primary = error.sqlite_errorcode & 0xFF  # extended codes keep the primary one in the low byte
            if primary == sqlite3.SQLITE_READONLY:
                return
            if primary != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_WAL_POLL_S)


def _mode(connection: sqlite3.Connection, pragma: str) -> str:
    (mode,) = connection.execute(pragma).fetchone()
    return str(mode)
