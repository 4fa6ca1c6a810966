"""psycopg's connection with a hook before every statement."""

from collections.abc import Callable
from typing import Any

import psycopg

from persona.store.pipeline import Pipeline, Prepared


def watch(connection: "psycopg.Connection[Any]", hook: Callable[[str], None]) -> None:
    """Has a connection call `hook` before each statement; what the hook raises is what the statement raises."""
    send = connection.commit

    class Cursor(connection.cursor_factory):  # type: ignore[name-defined,misc]  # whichever persona chose
        def execute(self, query: Any, *rest: Any, **more: Any) -> Any:
            hook(str(query))
            return super().execute(query, *rest, **more)

    def commit() -> None:
        hook("COMMIT")
        send()
        hook("acknowledge COMMIT")

    prepared = Prepared()

    class Statements(Pipeline):
        def send(self, sql: str, *rest: Any) -> Any:
            hook(sql)
            return super().send(sql, *rest)

        def commit(self) -> None:
            super().commit()
            hook("acknowledge COMMIT")

    connection.statements = lambda: Statements(connection, prepared)  # type: ignore[attr-defined]
    connection.cursor_factory = Cursor
    connection.commit = commit  # type: ignore[method-assign]
