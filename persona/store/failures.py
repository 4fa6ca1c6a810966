"""What a driver's error means for the caller: one table by SQLite's result codes, one by SQLSTATE classes."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from persona.errors import (
    SchemaOutOfDate,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)

_Kind = type[StoreError]

_BUG = "this is a bug in persona or in the database"
_BY_SQLITE_CODE: dict[int, tuple[_Kind, str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusy, "try again, or raise store.busy_timeout_s"),
    sqlite3.SQLITE_LOCKED: (StoreBusy, "try again, or raise store.busy_timeout_s"),
    sqlite3.SQLITE_FULL: (StoreFull, "free some disk space and try again"),
    sqlite3.SQLITE_READONLY: (StoreReadOnly, "make the file and its folder writable"),
    sqlite3.SQLITE_CORRUPT: (StoreCorrupt, "restore the file from a backup; `persona doctor` checks it"),
    sqlite3.SQLITE_NOTADB: (
        StoreCorrupt,
        "store.url names a file that is no SQLite database; name another one",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        StoreUnavailable,
        "check that the folder of store.url exists and may be written",
    ),
    sqlite3.SQLITE_IOERR: (StoreUnavailable, "the disk failed; check it and try again"),
}

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_SQLSTATE: dict[str, tuple[_Kind, str]] = {
    "08": (StoreUnavailable, "check that the database runs and try again"),
    "22P05": (StoreError, "store.url names a database whose encoding is not UTF8; use one that is"),
    "23505": (StoreBusy, "somebody else stored the same thing at the same time; try again"),
    "25006": (StoreReadOnly, "connect to a database, as a role, that may write"),
    "25P03": (StoreUnavailable, "this process stood still in a transaction, and the server ended it; try again"),
    "40": (StoreBusy, "try again"),
    "42501": (StoreReadOnly, "let the role in store.url write, or run `persona db upgrade` as one that may"),
    "42703": (SchemaOutOfDate, "run `persona db upgrade`"),  # no such column
    "42P01": (SchemaOutOfDate, "run `persona db upgrade`"),  # no such table
    "53": (StoreFull, "the database server is out of space or memory"),
    "53300": (StoreBusy, "the server takes no more connections; try again, or lower store.connections"),
    "55": (StoreBusy, "try again, or raise store.busy_timeout_s"),
    "57": (StoreUnavailable, "the server stopped or is starting; try again"),
    "57014": (StoreBusy, "the statement took longer than store.statement_timeout_s; try again, or raise it"),
    "58": (StoreUnavailable, "the database server's disk failed"),
    "XX": (StoreError, _BUG),
    "XX001": (StoreCorrupt, "the database is damaged; restore it from a backup"),
    "XX002": (StoreCorrupt, "an index of the database is damaged; run REINDEX, or restore it from a backup"),
}
_COLLISIONS = ("23505", "40001", "40P01")  # the same key twice, serialization, deadlock


def translated(error: Exception) -> StoreError:
    """The StoreError for a driver's or SQLAlchemy's error. Its message holds no SQL and no values."""
    origin = _origin(error)
    if isinstance(origin, PoolTimeout):
        hint = "try again, or allow more connections"
        return StoreBusy("no database connection became free in time", hint=hint)
    if isinstance(origin, sqlite3.Error):
        return _of_sqlite(origin)
    state = _state(origin)
    kind, hint = _BY_SQLSTATE.get(state) or _BY_SQLSTATE.get(state[:2]) or (StoreError, _BUG)
    if not state and _lost(error, origin):
        kind, hint = StoreUnavailable, "the connection was lost or refused; try again"
    return kind(f"the database refused: {type(origin).__name__} {state}".rstrip(), hint=hint)


def locked(error: Exception) -> bool:
    """Whether SQLite would have had to wait for somebody else."""
    origin = _origin(error)
    code = getattr(origin, "sqlite_errorcode", 0) & 0xFF if isinstance(origin, sqlite3.Error) else 0
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def collided(error: Exception) -> bool:
    """Whether two transactions met, so that the same one may succeed when it is run again from its beginning."""
    return _state(_origin(error)) in _COLLISIONS


def of_unknown_end() -> StoreUnavailable:
    """The error of a connection that was lost between COMMIT and its answer."""
    error = StoreUnavailable(
        "the connection was lost during COMMIT, so it is not known whether the transaction was kept",
        hint="try again with the same idempotency key: a turn that was kept is not stored twice",
    )
    error.uncertain = True
    return error


def cause(error: Exception) -> Exception | None:
    """What to chain a StoreError from: nothing when the driver's message may quote the values of a row."""
    origin = _origin(error)
    return None if _state(origin)[:2] in ("22", "23") else origin


def _origin(error: Exception) -> Exception:
    """The driver's own error: SQLAlchemy's wrapper around it prints the statement."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return origin if isinstance(origin, Exception) else error


def _state(error: Exception) -> str:
    return getattr(error, "sqlstate", None) or ""


def _lost(error: Exception, origin: Exception) -> bool:
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    return invalidated or "OperationalError" in (kind.__name__ for kind in type(origin).__mro__)  # by PEP 249


def _of_sqlite(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    primary = code & 0xFF if code is not None else -1  # extended codes keep the primary one in the low byte
    kind, hint = _BY_SQLITE_CODE.get(primary, (StoreError, _BUG))
    return kind(f"the database refused: {name}", hint=hint)
