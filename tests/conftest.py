"""What every test stands on: no network but this machine, no keys, no settings from outside."""

import asyncio
import gc
import ipaddress
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import postgres
import pytest
from network import NetworkBlocked

hypothesis.settings.register_profile("persona", deadline=None)  # how long one example takes is the machine's affair
hypothesis.settings.load_profile("persona")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background has it ignored

_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108 - the folder that Linux keeps in memory; bytes
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    # thousands of databases are made durable on a disk for nobody: their tests wait for it longer than they work
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

_LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}

gc.disable()  # until everything is imported: there is no garbage among modules


def pytest_collection_finish() -> None:
    """Collects garbage from here on, and looks for it in what the tests make, not in every module again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loops that a test runs on, one after the other."""
    if item.get_closest_marker("every_loop") is None or sys.platform == "win32":
        return _LOOPS
    import uvloop

    return _LOOPS | {"uvloop": uvloop.new_event_loop}


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(call: Any) -> Any:
        def inner(self: socket.socket, address: Any) -> Any:
            if not _is_here(address):
                raise NetworkBlocked(f"a test tried to connect to {address!r}")
            return call(self, address)

        return inner

    def resolve_here(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_here((name, 0)):
            raise NetworkBlocked(f"a test tried to look up {name!r}")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.startswith("PERSONA_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One PostgreSQL for the whole run of this process."""
    with postgres.server_url() as url:
        yield url
