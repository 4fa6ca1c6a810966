"""A settings file that may change while it is served from."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from persona.errors import PersonaError
from persona.settings import Settings

log = logging.getLogger("persona")

_LOOK_EVERY_S = 1.0


class Watch:
    """Looks at a file once a second at most, when somebody asks, and reads it when it is another one."""

    def __init__(self, path: Path, read: Callable[[], Settings], clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._read = read
        self._clock = clock
        self._seen = self._stamp()
        self._next = clock() + _LOOK_EVERY_S

    def look(self, change: Callable[[Settings], None]) -> None:
        """Hands the settings to `change` if the file is not the one seen last. What is refused is logged, once."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _LOOK_EVERY_S
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            change(self._read())
        except PersonaError as error:
            log.error("the changed settings are refused, and those before them stay: %s", error)

    def _stamp(self) -> tuple[int, int, int] | None:
        """What tells one state of the file from another; None while it is not there."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
