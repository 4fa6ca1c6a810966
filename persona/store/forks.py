"""What must not cross a fork: SQLite's connections, handles whose threads stay behind, modules that are half imported.

A connection to a SQLite file that is open at a fork makes the child believe that it holds the parent's locks. The
child's own connections then take none, the parent may remove the log under them, and what the child commits is lost
(https://www.sqlite.org/howtocorrupt.html, section 2.6). So they are closed before a fork, and made again on demand.

A module that a thread of ours is importing at a fork would stay half a module in the child for ever. So a fork waits
for it.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from weakref import WeakSet

from persona.errors import MisuseError

_PATIENCE_S = 5.0  # for running transactions, before a fork goes on without them


class Origin:
    """The process that a handle was opened in."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def here(self) -> bool:
        """Whether this is still that process, and not a fork of it."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raises MisuseError in a forked process."""
        if not self.here:
            raise MisuseError(
                "the assistant was opened before this process was forked, and belongs to its parent",
                hint="open one in each worker, after the fork",
            )


class Gate:
    """Lets transactions through, many at a time; a fork waits until none is inside, and closes the connections."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0
        self._shut = False
        _gates.add(self)

    def __enter__(self) -> None:
        with self._changed:
            if self._shut:
                self._changed.wait_for(lambda: not self._shut)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._shut:
                self._changed.notify_all()

    def shut(self) -> None:
        """Waits for those inside, closes the connections, and keeps everybody out, in the child too."""
        self._changed.acquire()  # held across the fork, so that the child gets it in a known state
        self._shut = True
        self._changed.wait_for(lambda: not self._inside, _PATIENCE_S)
        self._close()

    def reopen(self) -> None:
        """Lets them in again."""
        self._shut = False
        self._changed.notify_all()
        self._changed.release()


_gates: "WeakSet[Gate]" = WeakSet()
_shut: list[Gate] = []
_one_fork = threading.Lock()


def _before() -> None:
    _one_fork.acquire()
    _finish_imports()
    for gate in list(_gates):
        gate.shut()
        _shut.append(gate)


def _finish_imports() -> None:
    for name, module in list(sys.modules.items()):
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            with contextlib.suppress(Exception):  # the thread that imports it is told
                import_module(name)  # waits for that thread


def _after() -> None:
    while _shut:
        _shut.pop().reopen()
    _one_fork.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
