"""Statements to PostgreSQL that go out together, in one trip: its wire's pipeline mode.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html: everything up to a sync is sent at once, and after an
error the server passes over the rest of it. psycopg's own pipelines cost more than they save, for their bookkeeping;
this is libpq through psycopg's documented wrapper (`psycopg.pq`), for one transaction at a time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

Question = tuple[str, Sequence[Any]]
_CONTROL = {sql: sql.encode() for sql in ("COMMIT",)}  # a log of the wire shows it by its name
_TEXT: dict[type, Callable[[Any], bytes]] = {
    int: lambda value: b"%d" % value,
    bool: lambda value: b"t" if value else b"f",
    float: lambda value: repr(value).encode(),
}


class Prepared:
    """What a connection knows by name: a statement is prepared when it is used first."""

    def __init__(self) -> None:
        self._names: dict[str, bytes] = {}
        self._made = 0

    def name(self, sql: str) -> tuple[bytes, bool]:
        """The statement's name, and whether it is new."""
        known = self._names.get(sql)
        if known:
            return known, False
        self._made += 1  # never a name that was given before: it may be there though its trip failed
        self._names[sql] = made = _CONTROL.get(sql) or b"persona_%d" % self._made
        return made, True

    def forget(self, sql: str) -> None:
        """It could not be prepared."""
        self._names.pop(sql, None)


class Pipeline:
    """A connection's statements in one transaction, with the face of a driver's cursor.

    `execute` makes a trip and waits for its answers; `send` adds a statement to the next trip, and what the server says
    against it is raised there.
    """

    def __init__(self, connection: "psycopg.Connection[Any]", prepared: Prepared) -> None:
        self._connection = connection
        self._pgconn: PGconn = connection.pgconn
        self._prepared = prepared
        self._types = Transformer(connection)
        self._waits: list[tuple[str, list[Any], list[Format]]] = []
        self._ahead: dict[Question, int | PGresult] = {}
        self._result: PGresult | None = None
        self._pgconn.enter_pipeline_mode()

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return (self._result.command_tuples if self._result else None) or 0

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Makes the trip, unless the answer came with an earlier one."""
        asked = self._ahead.pop((sql, values), None) if self._ahead else None
        if asked is not None and not isinstance(asked, int):
            self._result = asked
            return
        place = self.send(sql, values) if asked is None else asked
        answers = self._ask()
        self._result = answers[place]
        for question, at in self._ahead.items():
            if isinstance(at, int):
                self._ahead[question] = answers[at]

    def send(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Adds a statement to the next trip; returns its place in it."""
        self._waits.append((sql, *self._written(values)))
        return len(self._waits) - 1

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Adds the statement to the next trip for each row."""
        for values in rows:
            self.send(sql, values)

    def ahead(self, sql: str, values: Sequence[Any]) -> None:
        """Adds a question to the next trip which will be asked, with the same values, later in this transaction."""
        if (sql, values) not in self._ahead:
            self._ahead[sql, values] = self.send(sql, values)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.fetchall()
        return found[0] if found else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        if self._result is None:
            return []
        self._types.set_pgresult(self._result)
        return self._types.load_rows(0, self._result.ntuples, tuple)

    def commit(self) -> None:
        """Sends what still waits, and COMMIT."""
        self.send("COMMIT")
        self._ask()

    def close(self) -> None:
        """Leaves the connection as it was found; what still waits was never sent."""
        if self._pgconn.transaction_status == TransactionStatus.ACTIVE:
            self._pgconn.finish()  # an answer may still come, and would be taken for that of the next statement
        elif not self._connection.closed:
            self._pgconn.exit_pipeline_mode()

    def _ask(self) -> list[PGresult]:
        """Makes the trip. Raises what psycopg raises for the first answer that is an error."""
        waits, self._waits = self._waits, []
        made: list[str | None] = []  # for each answer, the SQL that it says was prepared
        for sql, texts, formats in waits:
            name, new = self._prepared.name(sql)
            if new:
                self._pgconn.send_prepare(name, sql.encode())
                made.append(sql)
            self._pgconn.send_query_prepared(name, texts, formats, Format.BINARY)
            made.append(None)
        self._pgconn.pipeline_sync()
        answers = self._connection.wait(_answers(self._pgconn))
        refused = refusal(answers)
        if refused:
            for one, answer in zip(made, answers, strict=True):
                if one and answer.status != ExecStatus.COMMAND_OK:
                    self._prepared.forget(one)
            raise refused
        return [answer for one, answer in zip(made, answers, strict=True) if not one]

    def _written(self, values: Sequence[Any]) -> tuple[list[Any], list[Format]]:
        """The values as the wire takes them: bytes as they are, everything else as text."""
        texts: list[Any] = []
        formats = []
        for value in values:
            kind = type(value)
            formats.append(Format.BINARY if kind is bytes else Format.TEXT)
            if kind is str:
                if "\0" in value:
                    raise psycopg.DataError("a text holds a NUL")
                texts.append(value.encode())
            elif value is None or kind is bytes:
                texts.append(value)
            elif kind in _TEXT:
                texts.append(_TEXT[kind](value))
            else:
                texts.append(self._types.get_dumper(value, PyFormat.TEXT).dump(value))
        return texts, formats


def _answers(pgconn: PGconn) -> PQGen[list[PGresult]]:
    """Everything up to the sync, in order. What a server says before it hangs up is raised, and not that it did."""
    found: list[PGresult] = []
    while True:
        ready = yield Wait.RW if pgconn.flush() else Wait.R
        if not ready & Ready.R:
            continue
        lost: psycopg.OperationalError | None = None
        try:
            pgconn.consume_input()
        except psycopg.OperationalError as error:
            lost = error
        silent = False
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                if silent:
                    break
                silent = True
                continue
            silent = False
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)
        if lost or pgconn.status == ConnStatus.BAD:
            raise refusal(found) or lost or psycopg.OperationalError("the connection is lost")


def refusal(answers: Sequence[PGresult]) -> psycopg.Error | None:
    """The first error among answers. One without a code is libpq's own, of a connection that is lost."""
    said = (error_from_result(one, encoding="utf-8") for one in answers if one.status == ExecStatus.FATAL_ERROR)
    error = next(said, None)
    return psycopg.OperationalError(str(error)) if error and not error.sqlstate else error
