"""persona broken on purpose: the transaction that opens a turn is committed by the next one, after the call.

A suite that finds nothing wrong with this finds nothing at all.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> "_Cursor":
        connection = self.connection
        if isinstance(connection, _Late):
            if sql.startswith("BEGIN") and connection.in_transaction:
                return self  # the turn's first transaction is still open, and goes on
            connection.opens = connection.opens or sql.startswith("INSERT INTO persona_turns")
        super().execute(sql, parameters)
        return self


class _Late(sqlite3.Connection):
    opens = False

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def commit(self) -> None:
        if self.opens:
            self.opens = False  # it was acknowledged without being done
            self.owed = True
        elif self.in_transaction and not self._reads():
            super().commit()

    owed = False

    def _reads(self) -> bool:
        """Whether only the window was read since: the call comes next."""
        owed, self.owed = self.owed, False
        return owed

    def rollback(self) -> None:
        """The pool's, when a connection is given back: what is owed must survive that."""


@contextmanager
def committed_late() -> Iterator[None]:
    """Breaks every SQLite connection that is made within the block."""

    def connect(dialect: Any, record: Any, args: Any, options: dict[str, Any]) -> None:
        options["factory"] = _Late

    event.listen(Engine, "do_connect", connect)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connect)
