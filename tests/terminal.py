"""A program at a terminal of its own, for tests: keys go in, what the screen was sent comes out."""

import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from types import TracebackType
from typing import Self

from programs import Program

_ROOT = Path(__file__).parent.parent
_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x01\x02\r]")
# the terminal becomes the controlling one, so that Ctrl-C in it is a signal
_START = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); import sys; from persona.cli import main; "
    "sys.argv[0] = 'persona'; main()"
)


def environment(**changes: str) -> dict[str, str]:
    """The environment of a child that runs this very source tree."""
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "adapters"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, **changes}


class Terminal:
    """Runs `persona` with these arguments; `press` sends keys, `until` waits for words on the screen."""

    def __init__(self, arguments: Sequence[str], folder: Path, columns: int = 80, **changes: str) -> None:
        ours, theirs = pty.openpty()
        ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._screen = ours
        self._seen = b""
        self._read = 0
        self._child = Program(
            ["-c", _START, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=_plain(environment(TERM="xterm-256color", **changes)),
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def raw(self) -> str:
        """Everything the screen was sent."""
        return self._seen.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """The same without colours."""
        return _STYLES.sub("", self.raw)

    def press(self, keys: str) -> None:
        """Presses keys: \\x03 is Ctrl-C, \\x04 Ctrl-D."""
        os.write(self._screen, keys.encode())

    def until(self, words: str, timeout_s: float = 30) -> str:
        """Waits for words that were not waited for before; returns what came up to their end."""
        start = self._read
        if not self._shows(words, timeout_s):
            raise AssertionError(f"{words!r} did not come; the screen shows:\n{self.text}")
        return self.text[start : self._read]

    def interrupt(self, words: str) -> None:
        """Presses Ctrl-C until these words come: CPython misses one that arrives just before it waits for a key."""
        for _ in range(10):
            self.press("\x03")
            if self._shows(words, 1.0):
                return
        raise AssertionError(f"{words!r} did not come; the screen shows:\n{self.text}")

    def leave(self, timeout_s: float = 30) -> int:
        """Reads on until the program ends; returns its exit code."""
        deadline = time.monotonic() + timeout_s
        while self._receive(deadline):
            continue
        return self._child.wait(timeout_s)

    def _shows(self, words: str, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while (place := self.text.find(words, self._read)) < 0:
            if not self._receive(deadline):
                return False
        self._read = place + len(words)
        return True

    def _receive(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self._seen += piece
        return bool(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        os.close(self._screen)


def _plain(changed: Mapping[str, str]) -> dict[str, str]:
    """Without what the outer terminal says of itself."""
    return {name: value for name, value in changed.items() if name not in ("COLUMNS", "LINES")}
