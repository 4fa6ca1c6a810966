"""What the common suite runs on: each provider's wire, a server that plays it, and a desk to talk at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from talking import Desk
from wire import WireServer
from wires import LANES
from wires.shape import KEY, Wire


@pytest.fixture(params=LANES, ids=[wire.name for wire in LANES])
def wire(request: pytest.FixtureRequest) -> Wire:
    """One provider."""
    found: Wire = request.param
    return found


@pytest.fixture
def server(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    """A server that plays it, and the key that it wants."""
    monkeypatch.setenv("SUITE_KEY", KEY)
    with WireServer(wire.dialect) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk to talk at."""
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk
