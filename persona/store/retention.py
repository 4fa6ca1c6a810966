"""Deletes conversations that nobody used for long, each with everything that hangs on it, in one transaction.

Facts stay, and so do the words of prompts, which are nobody's. Keys are never used again, so no cache can bring a
conversation back.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from persona.store import owners, sqlite
from persona.store.engine import Database
from persona.store.failures import cause, translated
from persona.store.memories import BURIED
from persona.store.statements import param, table
from persona.store.tables import (
    AttemptRow,
    ConversationRow,
    ExchangeRow,
    FeedbackRow,
    MemoryRecord,
    MessageRow,
    OwnerRow,
    SummaryRow,
    TaskRow,
    TurnRow,
)
from persona.store.transaction import Statement, Transaction

_READERS_S, _POLL_S = 3.0, 0.02  # for readers that keep old pages in the log
_QUICKLY_REWRITTEN = 64_000_000  # bytes: about a third of a second, in which writers wait

_c, _o, _k, _r = table(ConversationRow).c, table(OwnerRow).c, table(TaskRow).c, table(MemoryRecord).c
_m, _t, _e = table(MessageRow).c, table(TurnRow).c, table(ExchangeRow).c
_s, _a, _b = table(SummaryRow).c, table(AttemptRow).c, table(FeedbackRow).c

_free = or_(_c.lease_turn_id == "", _c.lease_until_us <= param("now_us"))
_KEYS = Statement(select(select(func.min(_c.key)).scalar_subquery(), select(func.max(_c.key)).scalar_subquery()))
_IDLE = Statement(
    select(_c.key, _c.owner_key, _o.tenant, _c.route, _c.messages, _c.revision, _c.updated_us, _c.archived_us)
    .join(table(OwnerRow), _o.key == _c.owner_key)
    .where(_c.key >= param("first"), _c.key <= param("last"), _c.updated_us <= param("before_us"), _free)
    .order_by(_c.key)
)
_TAKE = Statement(
    delete(table(ConversationRow)).where(
        _c.key == param("conversation"),
        _c.revision == param("revision"),  # a turn may have begun since it was found
        _c.archived_us == param("archived_us"),
        _free,
    )
)
_messages = select(_m.id).where(_m.conversation_key == param("conversation"))
_turns = select(_t.id).where(_t.conversation_key == param("conversation"))
_exchanges = select(_e.id).where(_e.turn_id.in_(_turns))
_TASKS = Statement(
    delete(table(TaskRow)).where(
        _k.owner_key == param("owner"),
        or_(_k.conversation_key == param("conversation"), _k.subject.in_(_messages)),
    )
)
_BURY = Statement(  # a memory of a message has its id
    update(table(MemoryRecord))
    .where(_r.owner_key == param("owner"), _r.id.in_(_messages), _r.deleted.is_(False))
    .values(**BURIED, revision=param("at_revision"))
)
_ATTEMPTS = Statement(delete(table(AttemptRow)).where(_a.exchange_id.in_(_exchanges)))
_EXCHANGES = Statement(delete(table(ExchangeRow)).where(_e.turn_id.in_(_turns)))
_FEEDBACK = Statement(delete(table(FeedbackRow)).where(_b.message_id.in_(_messages)))
_SUMMARIES = Statement(delete(table(SummaryRow)).where(_s.conversation_key == param("conversation")))
_TURNS = Statement(delete(table(TurnRow)).where(_t.conversation_key == param("conversation")))
_MESSAGES = Statement(delete(table(MessageRow)).where(_m.conversation_key == param("conversation")))


@dataclass(frozen=True, slots=True)
class Idle:
    """A conversation that no turn holds, as it was found."""

    key: int
    owner_key: int
    tenant: str
    route: str
    messages: int
    revision: int
    updated_us: int
    archived_us: int


def keys(tx: Transaction) -> tuple[int, int]:
    """The smallest and the largest key of a conversation; of none, a span that holds nothing."""
    row = tx.one(_KEYS, {})
    return (int(row[0]), int(row[1])) if row and row[0] is not None else (1, 0)


def idle(tx: Transaction, first: int, last: int, before_us: int, now_us: int) -> list[Idle]:
    """The conversations with keys from `first` to `last` that had no turn since `before_us`."""
    span = {"first": first, "last": last, "before_us": before_us, "now_us": now_us}
    return [Idle(*row) for row in tx.all(_IDLE, span)]


def delete_conversation(tx: Transaction, found: Idle, now_us: int) -> int | None:
    """Deletes a conversation; returns how many messages it had, or None when it is in use again, or gone.

    Its tasks go before its memories: a worker that is just making one either ends before, or finds its task gone.
    """
    named = {"conversation": found.key, "owner": found.owner_key}
    seen = {"revision": found.revision, "archived_us": found.archived_us, "now_us": now_us}
    if not tx.run(_TAKE, {**named, **seen}):
        return None
    tx.run(_TASKS, named)
    tx.run(_BURY, {**named, "at_revision": owners.touch(tx, found.owner_key)})
    for statement in (_ATTEMPTS, _EXCHANGES, _FEEDBACK, _SUMMARIES, _TURNS):
        tx.run(statement, named)
    return tx.run(_MESSAGES, named)


def empty_log(database: Database) -> bool:
    """Takes what was deleted out of SQLite's log; False when a reader is in the way: the next one does, or a close."""
    if not _in_file(database):
        return True
    with _in_our_words():
        return sqlite.empty_log(database.engine)


def rewrite(database: Database, *, whatever_size: bool = False) -> None:
    """Takes the last traces of what was deleted out of SQLite's file, when that is quickly done or wanted anyway.

    Raises StoreBusy or StoreFull when nothing was changed.
    """
    if _in_file(database):
        largest = None if whatever_size else _QUICKLY_REWRITTEN
        with _in_our_words():
            sqlite.rewrite(database.engine, patient=whatever_size, largest=largest)


def scrub(database: Database) -> bool:
    """Rewrites SQLite's file whatever its size, and empties its log; False when a reader keeps old pages in that.

    Raises StoreBusy or StoreFull when nothing was changed.
    """
    rewrite(database, whatever_size=True)
    until = time.monotonic() + _READERS_S
    while not empty_log(database):
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)
    return True


def _in_file(database: Database) -> bool:
    return database.sqlite and not sqlite.in_memory(database.engine.url)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise translated(error) from cause(error)
