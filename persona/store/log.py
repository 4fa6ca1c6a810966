"""Reads whole logged conversations by ranges of their keys: for harvest and replay, some thousand messages at a time.

A page is six queries, whatever it holds, in one snapshot; nothing but the page is in memory. The order of everything
is fixed, so that the same log gives the same values on every database.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, func, literal_column, select

from persona.store import conversations
from persona.store.codec import decode_parts, decode_tags, encode_tokens
from persona.store.engine import Database
from persona.store.statements import param, table
from persona.store.tables import (
    ConversationRow,
    ExchangeRow,
    FactRow,
    FeedbackRow,
    MemoryRecord,
    MessageRow,
    OwnerRow,
    PromptRow,
    SummaryRow,
    TurnRow,
)
from persona.store.transaction import Row, Statement, Transaction
from persona.values.log import LoggedConversation, LoggedExchange, LoggedFeedback, LoggedMemory, LoggedSummary
from persona.values.memory import Fact
from persona.values.message import Message
from persona.values.owner import Owner, Traits

PAGE = 8_000
"""Messages in memory at once, about 20 MB: with fewer, what a harvest's step looks things up in leaves the caches."""

_LATEST = 2**62
_read = json.JSONDecoder().raw_decode  # a third of the time of `json.loads`
_conversations, _owners, _messages, _turns = (table(r) for r in (ConversationRow, OwnerRow, MessageRow, TurnRow))
_exchanges, _feedback, _summaries, _facts = (table(r) for r in (ExchangeRow, FeedbackRow, SummaryRow, FactRow))
_c, _o, _m, _t, _e = (one.c for one in (_conversations, _owners, _messages, _turns, _exchanges))
_f, _s, _b, _r, _p = _facts.c, _summaries.c, _feedback.c, table(MemoryRecord).c, table(PromptRow).c
_CONVERSATION = (
    *(_c.key, _c.messages, _c.id, _c.owner_key, _c.route, _c.arm, _c.tags, _c.created_us, _c.head_id),
    _o.consent,
    *(_o.tenant, _o.name, _o.kind, _o.display_name, _o.locale, _o.time_zone),
)
_MESSAGE = (_m.depth, _m.id, _m.role, _m.parts, _m.parent_id, _m.turn_id, _m.created_us, _m.tokens)
_EXCHANGE = (  # when it began and its id order them; the rest are the fields of a LoggedExchange, as they follow
    _e.started_us,
    *(_e.id, _e.turn_id, _e.number, _e.purpose, _e.reply_id, _e.route, _e.arm, _e.provider, _e.model),
    *(_e.served_model, _e.outcome, _e.stop, _e.error, _e.consent, _e.input_tokens, _e.output_tokens),
    *(_e.cache_read_tokens, _e.cache_write_tokens, _e.reasoning_tokens, _e.cost_usd, _e.cost_source),
    *(_e.started_us, _e.latency_ms, _e.plan, _e.said),
)
_CONSENT = 13
_FACT = (
    *(_f.created_us, _f.id, _f.text, _f.kind, _f.origin, _f.valid_from_us, _f.valid_to_us, _f.message_id),
    *(_f.slot, _f.value),
)
_MEMORY = (_r.id, _r.owner_key, _r.kind, _r.text, _r.title, _r.heading, _r.fact_kind, _r.message_id, _r.page, _r.at_us)
_LOOKED_UP = 200  # at once, by their ids
_NO_MESSAGES: tuple[tuple[Message, ...], tuple[str, ...]] = ((), ())
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are read: on one of these routes, used from one time up to another (UTC microseconds), of
    one of these owners. What is empty leaves the choice open.
    """

    routes: tuple[str, ...] = ()
    since_us: int = 0
    until_us: int = _LATEST
    owner_keys: tuple[int, ...] = ()


class LogReader:
    """Reads the conversations that are wanted; each query is compiled once."""

    def __init__(self, wanted: Wanted = Wanted()) -> None:
        self._named: dict[str, object] = {"since_us": wanted.since_us, "until_us": wanted.until_us}
        self._named |= {f"route_{number}": route for number, route in enumerate(wanted.routes)}
        where = [_c.updated_us >= param("since_us"), _c.created_us < param("until_us")]
        if wanted.routes:
            where.append(_c.route.in_([param(f"route_{number}") for number in range(len(wanted.routes))]))
        if wanted.owner_keys:
            where.append(_c.owner_key.in_([literal_column(str(int(key))) for key in wanted.owner_keys]))
        between = [_c.key >= param("first"), _c.key <= param("last"), *where]
        self._span = Statement(select(func.min(_c.key), func.max(_c.key)).where(*where))
        self._page = Statement(
            select(*_CONVERSATION)
            .join(_owners, _o.key == _c.owner_key)
            .where(*between)
            .order_by(_c.key)
            .limit(param("most"))
        )
        to_messages = _conversations.join(_messages, _m.conversation_key == _c.key)
        to_turns = _conversations.join(_turns, _t.conversation_key == _c.key)
        to_summaries = _conversations.join(_summaries, _s.conversation_key == _c.key)
        summary = (_s.upto_depth, _s.id, _s.text, _s.created_us)
        feedback = (_b.created_us, _b.id, _b.message_id, _b.kind, _b.rating, _b.text)
        self._messages = _hanging(to_messages, _MESSAGE, between)
        # through their turns and messages: no index leads from a conversation to its exchanges and feedback
        self._exchanges = _hanging(to_turns.join(_exchanges, _e.turn_id == _t.id), _EXCHANGE, between)
        self._feedback = _hanging(to_messages.join(_feedback, _b.message_id == _m.id), feedback, between)
        self._summaries = _hanging(to_summaries, summary, between)
        owners = select(_c.owner_key).where(*between)
        self._facts = Statement(select(_f.owner_key, *_FACT).where(_f.owner_key.in_(owners)))

    def span(self, tx: Transaction) -> tuple[int, int]:
        """The smallest and the largest key of what is wanted; of nothing, a span that holds nothing."""
        row = tx.one(self._span, self._named)
        return (int(row[0]), int(row[1])) if row and row[0] is not None else (1, 0)

    def page(self, tx: Transaction, first: int, last: int, most: int = PAGE) -> list[LoggedConversation]:
        """The first conversations with keys from `first` to `last`, by their keys: `most` messages of them, or one."""
        rows = tx.all(self._page, {**self._named, "first": first, "last": last, "most": most})
        if not rows:
            return []
        messages_up_to = accumulate(max(1, row[1]) for row in rows)
        rows = [row for row, messages in zip(rows, messages_up_to, strict=True) if messages <= most] or rows[:1]
        named = {**self._named, "first": rows[0][0], "last": rows[-1][0]}

        def hanging(statement: Statement, read: Callable[[Iterator[Row]], _Read]) -> dict[int, _Read]:
            return {key: read(some) for key, some in _by_key(tx.all(statement, named))}

        messages = hanging(self._messages, _messages_with_counts)
        exchanges = hanging(self._exchanges, lambda some: tuple(map(_exchange, some)))
        feedback = hanging(self._feedback, lambda some: tuple(map(_a_feedback, some)))
        summaries = hanging(self._summaries, lambda some: tuple(map(_summary, some)))
        facts = hanging(self._facts, lambda some: tuple(map(_fact, some)))
        return [
            _conversation(
                row,
                *messages.get(row[0], _NO_MESSAGES),
                exchanges.get(row[0], ()),
                feedback.get(row[0], ()),
                facts.get(row[3], ()),
                summaries.get(row[0], ()),
            )
            for row in rows
        ]

    def turn(self, tx: Transaction, key: int, reply_id: str) -> LoggedConversation | None:
        """A conversation as far as the turn that gave a reply needs it: its path, and that turn's exchanges.

        Of a very long path the newest messages, more than a window shows. None when one of the two is gone.
        """
        row = tx.one(self._page, {**self._named, "first": key, "last": key, "most": 1})
        place = tx.one(_DEPTH, {"conversation": key, "which": reply_id})
        if row is None or place is None:
            return None
        path = conversations.path(tx, key, reply_id, max(0, place[0] - conversations.READ_BACK))
        named = {**self._named, "first": key, "last": key}
        calls = tx.all(_OF_TURN, {"conversation": key, "turn": path[-1].message.turn_id})
        return _conversation(
            row,
            tuple(one.message for one in path),
            tuple(encode_tokens(one.tokens) for one in path),
            tuple(map(_exchange, sorted(calls))),
            (),
            tuple(map(_fact, sorted(tx.all(self._facts, named)))),
            tuple(map(_summary, sorted(tx.all(self._summaries, named)))),
        )

    def pages(
        self, database: Database, first: int, last: int, most: int = PAGE
    ) -> Iterator[Sequence[LoggedConversation]]:
        """The conversations with keys from `first` to `last`, some at a time, each page in a transaction of its own."""
        while found := database.run_now(partial(self.page, first=first, last=last, most=most), write=False):
            yield found
            first = found[-1].key + 1


_DEPTH = Statement(select(_m.depth).where(_m.conversation_key == param("conversation"), _m.id == param("which")))
_OF_TURN = Statement(
    select(_e.conversation_key, *_EXCHANGE).where(
        _e.turn_id == param("turn"), _e.conversation_key == param("conversation"), _e.purpose == "turn"
    )
)


def memories(tx: Transaction, ids: Iterable[str]) -> dict[str, LoggedMemory]:
    """The memories with these ids, which the caller has from a plan; what was erased or ended is not there."""
    return {row[0]: LoggedMemory(*row) for row in _looked_up(tx, _MEMORIES, ids)}


def prompts(tx: Transaction, digests: Iterable[str]) -> dict[str, str]:
    """The words behind digests in a plan: instructions, a shot, the schemas that were declared."""
    return dict(_looked_up(tx, _PROMPTS, digests))


def given(tx: Transaction, ids: Iterable[str]) -> frozenset[str]:
    """Those of the messages with these ids whose turns were given for training: all calls for them."""
    rows = list(_looked_up(tx, _GIVEN, ids))
    return frozenset(id for id, consent in rows if consent) - {id for id, consent in rows if not consent}


def _hanging(
    joined: FromClause, columns: Sequence[ColumnElement[object]], where: Sequence[ColumnElement[bool]]
) -> Statement:
    return Statement(select(_c.key, *columns).select_from(joined).where(*where))


def _by_ids(query: Select[tuple[object, ...]], column: ColumnElement[str]) -> Statement:
    return Statement(query.where(column.in_([bindparam(f"id_{number}") for number in range(_LOOKED_UP)])))


_MEMORIES = _by_ids(select(*_MEMORY).where(_r.deleted.is_(False)), _r.id)
_PROMPTS = _by_ids(select(_p.digest, _p.text), _p.digest)
_GIVEN = _by_ids(
    select(_m.id, _e.consent).join(_exchanges, _e.turn_id == _m.turn_id).where(_e.purpose == "turn"), _m.id
)


def _looked_up(tx: Transaction, statement: Statement, ids: Iterable[str]) -> Iterator[Row]:
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _LOOKED_UP):
        some = wanted[start : start + _LOOKED_UP]
        some += some[-1:] * (_LOOKED_UP - len(some))
        yield from tx.all(statement, {f"id_{number}": id for number, id in enumerate(some)})


def _by_key(rows: list[Row]) -> Iterator[tuple[int, Iterator[Row]]]:
    """The rows by their first column, in the order of the others: the second and third tell any two apart."""
    rows.sort()
    return groupby(rows, itemgetter(0))


def _conversation(
    row: Row,
    messages: tuple[Message, ...],
    counts: tuple[str, ...],
    exchanges: tuple[LoggedExchange, ...],
    feedback: tuple[LoggedFeedback, ...],
    facts: tuple[Fact, ...],
    summaries: tuple[LoggedSummary, ...],
) -> LoggedConversation:
    key, _, id, owner_key, route, arm, tags, created_us, head_id, consent, tenant, name, kind, *traits = row
    agreed = None if consent is None else bool(consent)
    return LoggedConversation(
        *(key, id, Owner(tenant, name, kind), owner_key, Traits(*traits), route, arm, decode_tags(tags), created_us),
        *(head_id, agreed),
        messages=messages,
        counts=counts,
        exchanges=exchanges,
        feedback=feedback,
        facts=facts,
        summaries=summaries,
    )


def _messages_with_counts(rows: Iterable[Row]) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    some = list(rows)
    return tuple(map(_message, some)), tuple([row[-1] for row in some])


def _message(row: Row) -> Message:
    _, depth, id, role, parts, parent_id, turn_id, created_us, _ = row
    return Message(role, decode_parts(parts), id, parent_id, turn_id, depth, created_us)


def _exchange(row: Row) -> LoggedExchange:
    fields = [*row[2:]]
    if fields[_CONSENT] is not None:
        fields[_CONSENT] = bool(fields[_CONSENT])  # SQLite keeps numbers
    return LoggedExchange(*fields)


def _a_feedback(row: Row) -> LoggedFeedback:
    _, created_us, id, message_id, kind, rating, text = row
    return LoggedFeedback(id, message_id, kind, rating, text, created_us)


def _summary(row: Row) -> LoggedSummary:
    _, upto_depth, id, text, created_us = row
    return LoggedSummary(id, text, upto_depth, created_us)


def _fact(row: Row) -> Fact:
    _, created_us, id, text, kind, origin, since_us, until_us, message_id, slot, value = row
    said = _read(value)[0] if value else None
    return Fact(id, text, kind, origin, created_us, since_us, until_us, message_id, slot, said)
