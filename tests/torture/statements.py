"""Stands between persona and the driver: every statement of new connections passes here first.

Only the driver's own connections are touched, as they are made; persona runs as it is.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool
from torture.sqlite_driver import connection_class

ACKNOWLEDGE = "acknowledge COMMIT"
Hook = Callable[[str], None]
"""Called with the SQL before it is executed, COMMIT included, and with ACKNOWLEDGE after one."""


@contextmanager
def watched(hook: Hook) -> Iterator[None]:
    """Calls `hook` for every statement on connections that are made within the block."""

    def connect(dialect: Any, record: Any, args: Any, options: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            options["factory"] = connection_class(hook)

    def connected(connection: Any, record: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            from torture.psycopg_driver import watch

            watch(connection, hook)

    event.listen(Engine, "do_connect", connect)
    event.listen(Pool, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connect)
        event.remove(Pool, "connect", connected)
