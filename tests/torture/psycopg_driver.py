"""psycopg's connection with a hook before every statement."""

from collections.abc import Callable
from typing import Any

import psycopg


def watch(connection: "psycopg.Connection[Any]", hook: Callable[[str], None]) -> None:
    """Has a connection call `hook` before each statement; what the hook raises is what the statement raises."""
    send = connection.commit

    class Cursor(connection.cursor_factory):  # type: ignore[name-defined]  # whichever persona chose
        def execute(self, query: Any, *rest: Any, **more: Any) -> Any:
            hook(str(query))
            return super().execute(query, *rest, **more)

    def commit() -> None:
        hook("COMMIT")
        send()
        hook("acknowledge COMMIT")

    connection.cursor_factory = Cursor
    connection.commit = commit  # type: ignore[method-assign]
