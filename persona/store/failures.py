"""What a driver's error means for the caller: one table by SQLite's result codes, one by SQLSTATE classes."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from persona.errors import (
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
    "23505": (StoreBusy, "somebody else stored the same thing at the same time; try again"),
    "25": (StoreReadOnly, "connect to a database that may be written"),
    "40": (StoreBusy, "try again"),
    "53": (StoreFull, "the database server is out of space, memory or connections"),
    "55": (StoreBusy, "try again"),
    "57": (StoreUnavailable, "the server stopped the statement; try again"),
    "58": (StoreUnavailable, "the database server's disk failed"),
    "XX": (StoreCorrupt, "the database is damaged; restore it from a backup"),
}


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
    return invalidated or type(origin).__name__ == "OperationalError"  # PEP 249: not the statement's fault


def _of_sqlite(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    primary = code & 0xFF if code is not None else -1  # extended codes keep the primary one in the low byte
    kind, hint = _BY_SQLITE_CODE.get(primary, (StoreError, _BUG))
    return kind(f"the database refused: {name}", hint=hint)
