"""Lines typed at a terminal: editing keys, recall of earlier lines, completion of commands.

What is typed is private: it is recalled within the session, and kept in a file only where one was named.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from persona.cli.output import aside, colours
from persona.errors import SettingsError

try:
    import readline
except ImportError:  # not built into every Python; lines can then be typed, but not edited
    readline = None  # type: ignore[assignment]

_KEPT_LINES = 1_000
_PROMPT = "> "


class Lines:
    """Asks for lines until the person leaves."""

    def __init__(self, commands: Sequence[str], history: Path | None) -> None:
        self._commands = commands
        self._history = history

    def read(self) -> str | None:
        """The next line, or None at Ctrl-D. Ctrl-C starts the line again."""
        while True:
            try:
                return input(self._prompt())
            except EOFError:
                sys.stdout.write("\n")
                return None
            except KeyboardInterrupt:
                aside("\nCtrl-D leaves")

    def __enter__(self) -> Self:
        if self._history:
            _make_private(self._history)
        if readline:
            readline.set_auto_history(True)
            readline.set_history_length(_KEPT_LINES)
            readline.set_completer(self._complete)
            readline.set_completer_delims(" ")
            readline.parse_and_bind("tab: complete")
            readline.clear_history()
            if self._history:
                with contextlib.suppress(OSError):  # an empty file is no history to libedit
                    readline.read_history_file(self._history)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if readline and self._history:
            readline.write_history_file(self._history)

    def _prompt(self) -> str:
        if not colours():
            return _PROMPT
        # readline must not count what takes no room
        return f"\x01\x1b[1;36m\x02{_PROMPT}\x01\x1b[0m\x02" if readline else _PROMPT

    def _complete(self, text: str, number: int) -> str | None:
        found = [name for name in self._commands if text.startswith("/") and name.startswith(text)]
        return found[number] if number < len(found) else None


def _make_private(path: Path) -> None:
    """Makes the file readable by its owner alone before anything is written to it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise SettingsError(f"cannot keep a history in {str(path)!r}: {error.strerror}") from error
