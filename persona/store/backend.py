"""What differs between the databases, as a value: each of `sqlite` and `postgresql` makes one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Dialect, Engine, PoolProxiedConnection

if TYPE_CHECKING:
    from persona.store.lending import Strands

_SECRET = ("password", "sslpassword")  # https://www.postgresql.org/docs/current/libpq-connect.html


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine, how transactions begin and end on it, and what its driver's errors mean.

    `begun` begins one, to write or to read, gives its cursor, and commits it when its block ends well. `lost` says
    whether a connection is of no use after an error; `unstorable` are the driver's errors for a value that it will not
    even send; `strands` run brief work on the event loop, where the driver can stand still.
    """

    engine: Engine
    begun: Callable[[PoolProxiedConnection, bool], AbstractContextManager[Any]]
    lost: Callable[[Any, BaseException], bool]
    unstorable: tuple[type[Exception], ...] = ()
    strands: "Strands | None" = None

    @property
    def dialect(self) -> Dialect:
        """How statements are written."""
        return self.engine.dialect


def shown(url: URL) -> str:
    """A database's URL for a log or a screen, without a password, which may stand among its options too."""
    return url.difference_update_query(_SECRET).render_as_string(hide_password=True)
