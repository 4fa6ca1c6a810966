"""A database with its tables: SQLite in a file or in memory, or PostgreSQL; `database` is a file, then PostgreSQL."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import postgres
import pytest

from persona.store.engine import Database
from persona.store.schema import prepare
from persona.store.transaction import Transaction


@pytest.fixture(scope="session")
def _kept(postgres_server: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_server, f"persona_test_{os.getpid()}") as url:
        yield url


@pytest.fixture
def postgresql_url(_kept: str) -> str:
    """A database with persona's tables, without a row."""
    postgres.emptied(_kept)
    return _kept


@pytest.fixture(scope="session")
def own_server() -> Iterator[postgres.Server]:
    """A server that may be killed and frozen: ours, also where another one is named for the other tests."""
    postgres.there_or_skip()
    server = postgres.Server()
    try:
        postgres.upgrade(server.url())
        yield server
    finally:
        server.stop()


@pytest.fixture
def mortal_url(own_server: postgres.Server) -> str:
    """A database with persona's tables, without a row, on a server that may be killed."""
    postgres.emptied(own_server.url())
    return own_server.url()


@pytest.fixture
def mortal(mortal_url: str, opened: Callable[..., Database]) -> Database:
    return opened(mortal_url, statement_timeout_s=0.5)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'app.db'}"


@pytest.fixture
def opened() -> Iterator[Callable[..., Database]]:
    """Opens databases by their URLs, and closes them after the test."""
    there: list[Database] = []

    def open_(url: str, busy_timeout_s: float = 0.05, **more: float) -> Database:
        there.append(Database(url, busy_timeout_s=busy_timeout_s, **more))
        prepare(there[-1])
        return there[-1]

    yield open_
    for database in there:
        database.close()


@pytest.fixture
def sqlite(sqlite_url: str, opened: Callable[..., Database]) -> Database:
    return opened(sqlite_url)


@pytest.fixture
def memory(opened: Callable[..., Database]) -> Database:
    return opened("sqlite://")


@pytest.fixture
def postgresql(postgresql_url: str, opened: Callable[..., Database]) -> Database:
    return opened(postgresql_url)


@pytest.fixture(params=["sqlite", "memory"])
def either(request: pytest.FixtureRequest) -> Database:
    """SQLite, in a file and in memory."""
    return _named(request)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    return _named(request)


@pytest.fixture(params=["sqlite", "memory", "postgresql"])
def every(request: pytest.FixtureRequest) -> Database:
    return _named(request)


@pytest.fixture(params=["thread", "loop"])
def do(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Does work in one transaction: in this thread, or driven by an event loop, a new one each time."""

    def on_a_loop(database: Database, work: Callable[[Transaction], Any], write: bool = True) -> Any:
        return asyncio.run(database.run(work, write=write, brief=True))

    return Database.run_now if request.param == "thread" else on_a_loop


@pytest.fixture
def url(database: Database) -> str:
    """Where `database` is, for another process or another pool."""
    return database.engine.url.render_as_string(hide_password=False)


def _named(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found
