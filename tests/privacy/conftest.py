"""A desk for every test, and a database of each kind to put it on."""

import os
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from talking import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk
    desk.model.check()


@pytest.fixture(scope="session")
def _kept(postgres_server: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_server, f"persona_privacy_{os.getpid()}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a row: a SQLite file, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'persona.db'}"
    found: str = request.getfixturevalue("_kept")
    postgres.emptied(found)
    return found
