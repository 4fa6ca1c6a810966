"""A desk for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from talking import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk
