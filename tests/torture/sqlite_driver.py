"""The standard library's SQLite connection with a hook before every statement."""

import sqlite3
from collections.abc import Callable
from typing import Any


def connection_class(hook: Callable[[str], None]) -> type[sqlite3.Connection]:
    """A connection class whose cursors call `hook` first; what the hook raises is what the statement raises."""

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> "Cursor":
            hook(sql)
            super().execute(sql, parameters)
            return self

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, parameters: Any = (), /) -> Any:
            return self.cursor().execute(sql, parameters)

        def commit(self) -> None:
            writes = self.in_transaction
            hook("COMMIT")
            super().commit()
            if writes:
                hook("acknowledge COMMIT")

    return Connection
