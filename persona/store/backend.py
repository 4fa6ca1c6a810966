"""What differs between the databases, as a value: each of `sqlite` and `postgresql` makes one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Engine, PoolProxiedConnection


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine, how transactions begin and end on it, and what its driver's errors mean.

    `begun` begins one, to write or to read, gives its cursor, and commits it when its block ends well. `lost` says
    whether a connection is of no use after an error; `unstorable` are the driver's errors for a value that it will not
    even send.
    """

    engine: Engine
    begun: Callable[[PoolProxiedConnection, bool], AbstractContextManager[Any]]
    lost: Callable[[Any, Exception], bool]
    unstorable: tuple[type[Exception], ...] = ()

    @property
    def dialect(self) -> Dialect:
        """How statements are written."""
        return self.engine.dialect
