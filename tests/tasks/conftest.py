"""A shop for every test: its script must be used up when the test ends."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shop import Shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    async with shop.stack:
        yield shop
    shop.model.check()
