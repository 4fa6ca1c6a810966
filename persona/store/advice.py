"""What the log of a route says of its turns, its judged replies and its examples: means, samples and counts."""

from dataclasses import dataclass

from sqlalchemy import distinct, exists, func, or_, select

from persona.store.codec import decode_parts, decode_plan
from persona.store.ids import first_id
from persona.store.statements import param, table
from persona.store.tables import ExchangeRow, FeedbackRow, MessageRow, OwnerRow
from persona.store.transaction import Statement, Transaction
from persona.values.message import Text
from persona.values.plan import Plan

_SAMPLE = 500  # plans that are read for their sections
_MOST_JUDGED = 5_000

_e, _f, _m, _o = table(ExchangeRow).c, table(FeedbackRow).c, table(MessageRow).c, table(OwnerRow).c
_answered = (_e.route == param("route"), _e.purpose == "turn", _e.id >= param("first"), _e.outcome == "answered")
_first = (*_answered, _e.number == 0)
_COUNT = Statement(
    select(
        *(func.count(), func.min(_e.started_us), func.max(_e.started_us)),
        *(func.avg(_e.planned_tokens), func.avg(_e.output_tokens), func.avg(_e.cache_read_tokens)),
    ).where(*_first)
)
_PLANS = Statement(select(_e.plan).where(*_first).order_by(_e.id.desc()).limit(_SAMPLE))
_FEEDBACK = Statement(
    select(_f.message_id, _f.kind, _f.rating, _f.text, _m.parts, _e.plan)
    .join(table(ExchangeRow), (_e.owner_key == _f.owner_key) & (_e.reply_id == _f.message_id))
    .join(table(MessageRow), _m.id == _f.message_id)
    .where(*_answered)
    .order_by(_f.id.desc())
    .limit(_MOST_JUDGED)
)
_MALFORMED = Statement(
    select(func.count()).where(
        *(_e.route == param("route"), _e.purpose == "turn", _e.id >= param("first"), _e.error == "InvalidAnswer")
    )
)
_agreed = (*_answered, _e.reply_id != "", _o.consent.is_(True))
_mine = (_f.owner_key == _e.owner_key, _f.message_id == _e.reply_id)
_good = exists().where(*_mine, or_(_f.kind == "correction", (_f.kind == "rating") & (_f.rating >= param("liked_from"))))
_any = exists().where(*_mine)
_joined = table(ExchangeRow).join(table(OwnerRow), _o.key == _e.owner_key)
_USABLE = Statement(
    select(func.count(distinct(_e.reply_id)), func.count(distinct(_e.owner_key)))
    .select_from(_joined)
    .where(*_agreed, _good)
)
_WAITING = Statement(select(func.count(distinct(_e.reply_id))).select_from(_joined).where(*_agreed, ~_any))


@dataclass(frozen=True, slots=True)
class Totals:
    """Answered turns with the times of the first and the last, and means of tokens; 0 where nobody says."""

    turns: int
    first_us: int
    last_us: int
    planned: float
    output: float
    cached: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """One piece of feedback with the reply it is on, and that reply's window."""

    reply_id: str
    kind: str
    rating: float | None
    text: str
    reply: str
    plan: Plan


def totals(tx: Transaction, route: str, since_us: int) -> Totals:
    """The turns of a route since a time."""
    row = tx.one(_COUNT, _when(route, since_us))
    turns, first, last, planned, output, cached = row if row else (0, 0, 0, 0, 0, 0)
    return Totals(
        *(int(turns), int(first or 0), int(last or 0), float(planned or 0), float(output or 0), float(cached or 0))
    )


def plans(tx: Transaction, route: str, since_us: int) -> list[Plan]:
    """The windows of the newest turns."""
    return [decode_plan(row[0]) for row in tx.all(_PLANS, _when(route, since_us))]


def feedback(tx: Transaction, route: str, since_us: int) -> list[Feedback]:
    """The newest feedback on replies of a route."""
    return [
        Feedback(id, kind, None if rating is None else float(rating), text, _text(parts), decode_plan(plan))
        for id, kind, rating, text, parts, plan in tx.all(_FEEDBACK, _when(route, since_us))
    ]


def malformed(tx: Transaction, route: str, since_us: int) -> int:
    """How many answers did not have the form that was asked for."""
    row = tx.one(_MALFORMED, _when(route, since_us))
    return int(row[0]) if row else 0


def usable(tx: Transaction, route: str, since_us: int, liked_from: float) -> tuple[int, int, int]:
    """Replies that may be trained on and were corrected or liked, of how many users; and those that nobody judged."""
    when = _when(route, since_us)
    good, waiting = tx.one(_USABLE, {**when, "liked_from": liked_from}), tx.one(_WAITING, when)
    return (int(good[0]), int(good[1]), int(waiting[0])) if good and waiting else (0, 0, 0)


def _when(route: str, since_us: int) -> dict[str, object]:
    return {"route": route, "first": first_id("exc", since_us)}


def _text(parts: str) -> str:
    return "".join(part.text for part in decode_parts(parts) if isinstance(part, Text))
