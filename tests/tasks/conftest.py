"""A shop or a desk for every test: its script must be used up when the test ends."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from shop import Shop
from talking import Desk


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    async with shop.stack:
        yield shop
    shop.model.check()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk
    desk.model.check()
