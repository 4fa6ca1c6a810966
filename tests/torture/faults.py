"""Faults of a database, raised where the driver would raise them: one at one statement, or from there on."""

import sqlite3
from collections.abc import Callable

from torture.statements import ACKNOWLEDGE

from persona.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable


def _sqlite(code: int, name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


def _server(state: str) -> Exception:
    import psycopg

    return psycopg.errors.lookup(state)(state)


Kind = tuple[Callable[[], Exception] | None, type[StoreError]]
KINDS: dict[str, dict[str, Kind]] = {
    "sqlite": {
        "locked": (lambda: _sqlite(sqlite3.SQLITE_BUSY, "SQLITE_BUSY"), StoreBusy),
        "disk full": (lambda: _sqlite(sqlite3.SQLITE_FULL, "SQLITE_FULL"), StoreFull),
        "I/O error": (lambda: _sqlite(sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"), StoreUnavailable),
    },
    "postgresql": {
        "locked": (lambda: _server("55P03"), StoreBusy),
        "disk full": (lambda: _server("53100"), StoreFull),
        "I/O error": (lambda: _server("58030"), StoreUnavailable),
        "connection reset": (None, StoreUnavailable),  # the server really hangs up, and the driver says so
    },
}
"""What the driver raises for each fault, and what a caller of persona may see of it."""


class Fault:
    """Fails the `k`-th statement after `arm`, and as many in all as `times`. Until then it only counts."""

    def __init__(self, hang_up: Callable[[], object]) -> None:
        self.count = 0
        self.at = ""
        self._failing = range(0)
        self._make: Callable[[], Exception] | None = None
        self._hang_up = hang_up

    def arm(self, k: int, make: Callable[[], Exception] | None, times: int) -> None:
        """Begins to count anew. Without an error to raise, the server hangs up before the statement."""
        self.count, self._make, self._failing = 0, make, range(k, k + times)

    def mend(self) -> None:
        """From now on nothing fails."""
        self._failing = range(0)

    def __call__(self, sql: str) -> None:
        """Passes before each statement."""
        now, self.count = self.count, self.count + 1
        if now not in self._failing:
            return
        if now == self._failing.start:
            self.at = " ".join(sql.split())[:60]
        if self._make is None:
            self._hang_up()
        elif sql != ACKNOWLEDGE:  # a database that has committed raises no error: only its connection can be lost
            raise self._make()
