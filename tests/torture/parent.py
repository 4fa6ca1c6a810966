"""The side that kills: children of a zygote, what they said, and their end."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve()
_PATIENCE_S = 60.0
Fact = dict[str, Any]


class Child:
    """One child process. `facts` is everything it said so far, in order."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""
        self._ended = False
        self.facts: list[Fact] = []
        self.pid = int((self.hear() or {})["pid"])

    def hear(self, timeout_s: float = _PATIENCE_S) -> Fact | None:
        """The next thing it says; None when it says nothing within the time, or is gone."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if self._ended or left <= 0 or not select.select([self._connection], [], [], left)[0]:
                return None
            self._take()
        line, self._rest = self._rest.split(b"\n", 1)
        fact: Fact = json.loads(line)
        assert "failed" not in fact, fact["failed"]
        self.facts.append(fact)
        return fact

    def _take(self) -> None:
        try:
            heard = self._connection.recv(1 << 16)
        except ConnectionResetError:
            heard = b""
        self._ended = not heard
        self._rest += heard

    def go_on(self) -> None:
        """Lets it make the step that it stands before."""
        self._connection.sendall(b".")

    def wait(self) -> list[Fact]:
        """Everything it says until it is done, letting it make every step."""
        with self._connection:
            while (fact := self.hear()) is not None and "done" not in fact:
                if "step" in fact:
                    self.go_on()
            assert fact, f"the child ended early, after {self.facts[-3:]}"
            return self.facts

    def kill(self) -> list[Fact]:
        """Kills it, now, and returns all that it said: what was sent before the end arrives after it."""
        with self._connection:
            os.kill(self.pid, signal.SIGKILL)
            while self.hear() is not None:
                pass
            assert self._ended, "a killed child goes on"
            return self.facts


def wait_for_all(children: list[Child]) -> list[list[Fact]]:
    """What each of them says until all are done, heard at once: one that is not heard stands still in the end."""
    with ThreadPoolExecutor(len(children)) as pool:
        return list(pool.map(Child.wait, children))


class Zygote:
    """The process that children are forked from."""

    def __init__(self, folder: Path) -> None:
        self._path = str(folder / "zygote.sock")
        roots = [str(_HERE.parents[1]), str(_HERE.parents[2]), str(_HERE.parents[2] / "adapters")]
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment = {**os.environ, **one_thread, "PYTHONPATH": os.pathsep.join(roots)}
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE.with_name("zygote.py")), self._path],
            env=environment,
            stdout=subprocess.PIPE,
            start_new_session=True,  # its children end with it
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n"

    def child(self, wish: Any, program: str = "talk") -> Child:
        """A child that is about to do what is wished for."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._path)
        wanted = asdict(wish) if is_dataclass(wish) and not isinstance(wish, type) else wish
        connection.sendall(json.dumps([program, wanted]).encode() + b"\n")
        return Child(connection)

    def close(self) -> None:
        """Ends the zygote and what it has forked."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
