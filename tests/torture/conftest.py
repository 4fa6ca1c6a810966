"""A zygote for the tests of a file, databases, and how much torture there is to be."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import postgres
import pytest
from torture.parent import Zygote
from torture.survivor import Survivor


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    started = Zygote(tmp_path_factory.mktemp("zygote"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def _database(postgres_server: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_server, f"persona_torture_{os.getpid()}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a file of SQLite's that is made on first use, or one of PostgreSQL's with its tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    kept: str = request.getfixturevalue("_database")
    postgres.emptied(kept)
    return kept


@pytest.fixture
async def survivor(url: str) -> AsyncIterator[Survivor]:
    opened = Survivor(url)
    yield opened
    await opened.assistant.close()
