"""What PostgreSQL needs beside its SQL: psycopg's connections, their time-outs, its kinds of BEGIN.

Imported only for a PostgreSQL URL: psycopg is an extra, `pypersona[postgres]`. Connections run in autocommit and
transactions are begun and ended by our own statements, which saves psycopg's bookkeeping. Statements carry `$1`
parameters; those of a transaction are prepared on first use, by `pipeline`, and psycopg prepares none: what it prepared
it would drop after a ROLLBACK, and ours with it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from persona.store.backend import Backend
from persona.store.lending import Connections, Places, Strands
from persona.store.pipeline import Pipeline, Prepared
from persona.store.strands import current

RV = TypeVar("RV")

# what was read stays as it was until the row locks are had: claims compare before they set
BEGIN_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
# one snapshot for the whole transaction, as on SQLite; a transaction that only reads never fails to serialize
BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_LONGEST_MARGIN_S = 5.0  # the server says first that a statement took too long; we speak up when it says nothing
_FATAL = ("FATAL", "PANIC")  # the server has closed the connection
_MIGRATION_LOCK = 0x706572736F6E61  # "persona"; advisory locks are numbers, shared with the rest of the database
_LONGEST_MIGRATION_S = 3600.0
_CONNECT = {
    "connect_timeout": 5,  # seconds, for each host of the URL
    "application_name": "persona",
    "client_encoding": "utf8",
    # a server that vanished without a word is noticed, not waited for
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
_SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit")
_SET = "SELECT " + ", ".join(f"set_config('{name}', ${place}, false)" for place, name in enumerate(_SETTINGS, 1))


class PatientConnection(psycopg.Connection[Any]):
    """A connection that gives up on a server which does not answer, instead of waiting for it for ever."""

    patience_s: float | None = None
    prepared: Prepared | None = None

    def statements(self) -> Pipeline:
        """The statements of one transaction."""
        self.prepared = self.prepared or Prepared()
        return Pipeline(self, self.prepared)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        patience_s, strand = self.patience_s if timeout is None else timeout, current()
        try:
            if strand:
                return strand.talk(gen, self.pgconn.socket, patience_s)
            return super().wait(gen, interval, patience_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # an answer may still come, and would be taken for that of the next statement
            raise


def backend(url: URL, durability: str, busy_timeout_s: float, statement_timeout_s: float, connections: int) -> Backend:
    """PostgreSQL, connected to on first use."""
    places = Places(connections, busy_timeout_s)
    made = engine(url, durability, busy_timeout_s, statement_timeout_s, places)
    strands = None if sys.platform == "win32" else Strands(places)  # its event loop waits for no socket of others
    return Backend(made, begun, lost, (psycopg.DataError,), strands)


@contextmanager
def begun(connection: PoolProxiedConnection, write: bool) -> Iterator[Pipeline]:
    """A transaction's statements; BEGIN goes out with the first, and COMMIT with the last of them."""
    driver: Any = connection.driver_connection
    statements: Pipeline = driver.statements()
    try:
        statements.send(BEGIN_WRITE if write else BEGIN_READ)
        yield statements
        statements.commit()
    finally:
        statements.close()


def engine(url: URL, durability: str, busy_timeout_s: float, statement_timeout_s: float, places: Places) -> Engine:
    """An engine whose connections are ready: time-outs set, and those that the server has closed replaced."""
    usual = {name: value for name, value in _CONNECT.items() if name not in url.query}
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={**usual, "autocommit": True, "prepare_threshold": None, "cursor_factory": psycopg.RawCursor},
        paramstyle="numeric_dollar",
        use_native_hstore=False,  # spares a query
        poolclass=Connections,
        places=places,
        sound=_sound,
        hide_parameters=True,
    )

    @event.listens_for(made, "do_connect")
    def _connect(dialect: object, record: object, place: list[Any], named: dict[str, Any]) -> PatientConnection:
        connection = PatientConnection.connect(*place, **named)
        connection.patience_s = statement_timeout_s + min(statement_timeout_s, _LONGEST_MARGIN_S)
        return connection

    @event.listens_for(made, "connect")
    def _prepare(connection: PatientConnection, record: object) -> None:
        waits = [_milliseconds(busy_timeout_s), _milliseconds(2 * statement_timeout_s)]
        connection.execute(_SET, [_milliseconds(statement_timeout_s), *waits, "off"], prepare=False)
        if durability == "full":
            connection.execute("SET synchronous_commit = on", prepare=False)

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("persona_write", True)
        connection.exec_driver_sql(BEGIN_WRITE if write else BEGIN_READ)

    return made


def lost(connection: Any, error: BaseException) -> bool:
    """Whether the connection is gone, or in no known state, after this error."""
    diagnosis = getattr(error, "diag", None)
    return bool(connection.closed) or (diagnosis is not None and diagnosis.severity_nonlocalized in _FATAL)


@contextmanager
def migrating(connection: Connection) -> Iterator[None]:
    """Waits until no other process migrates this database, and lets this transaction take its time."""
    driver: Any = connection.connection.driver_connection
    usual, driver.patience_s = driver.patience_s, _LONGEST_MIGRATION_S
    try:
        wait = connection.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar_one()
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_milliseconds(_LONGEST_MIGRATION_S)}'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{wait}'")  # for tables in use, as long as ever
        yield
    finally:
        driver.patience_s = usual


def _sound(record: ConnectionPoolEntry) -> bool:
    """Whether the server has not hung up, from what lies unread on the socket: no round trip, and no waiting."""
    connection: Any = record.driver_connection
    if connection is None or record._is_hard_or_soft_invalidated():  # type: ignore[attr-defined]
        return False
    try:
        connection.pgconn.consume_input()  # the server's last words
        connection.pgconn.consume_input()  # and the silence after them
    except psycopg.OperationalError:
        return False
    return not connection.closed


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"  # PostgreSQL takes 0 for "never"
