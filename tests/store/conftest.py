"""A database with its tables: in a file, in memory, or both in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona.store.engine import Database
from persona.store.schema import prepare


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'app.db'}", busy_timeout_s=0.05)
    prepare(opened)
    yield opened
    opened.close()


@pytest.fixture
def memory() -> Iterator[Database]:
    opened = Database("sqlite://", busy_timeout_s=0.05)
    prepare(opened)
    yield opened
    opened.close()


@pytest.fixture(params=["file", "memory"])
def either(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue("database" if request.param == "file" else "memory")
    return found
