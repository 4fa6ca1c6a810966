"""What differs between the databases, as a value: each of `sqlite` and `postgresql` makes one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Engine


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine, how transactions begin on it, and what its driver's errors mean.

    `lost` says whether a connection is of no use after an error; `unstorable` are the driver's errors for a value
    that it will not even send.
    """

    engine: Engine
    begin_write: str
    begin_read: str
    lost: Callable[[Any, Exception], bool]
    unstorable: tuple[type[Exception], ...] = ()

    @property
    def dialect(self) -> Dialect:
        """How statements are written."""
        return self.engine.dialect
