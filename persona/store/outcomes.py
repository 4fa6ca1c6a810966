"""How the turns of a route went, by the arm that their conversation was assigned to: a fallback never changes it."""

from dataclasses import dataclass

from sqlalchemy import select

from persona.store.statements import param, table
from persona.store.tables import ConversationRow, ExchangeRow, FeedbackRow, TurnRow
from persona.store.transaction import Statement, Transaction

_c, _t, _e, _f = (table(row).c for row in (ConversationRow, TurnRow, ExchangeRow, FeedbackRow))
_OF_ROUTE = (_c.route == param("route"), _t.started_us >= param("since_us"), _t.state != "running")
_TURNS = Statement(
    select(_t.id, _c.owner_key, _c.arm, _t.started_us, _t.state, _t.reply_id)
    .join(table(ConversationRow), _c.key == _t.conversation_key)
    .where(*_OF_ROUTE)
)
_CALLS = Statement(
    select(_e.turn_id, _e.latency_ms, _e.cost_usd, _e.stop)
    .join(table(TurnRow), _t.id == _e.turn_id)
    .join(table(ConversationRow), _c.key == _t.conversation_key)
    .where(*_OF_ROUTE, _e.purpose == "turn")
)
_FEEDBACK = Statement(
    select(_f.message_id, _f.kind, _f.rating, _f.created_us, _f.id)
    .join(table(ConversationRow), _c.key == _f.conversation_key)
    .where(_c.route == param("route"), _f.created_us >= param("since_us"))
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One turn that has ended. `arm` is the one that its conversation was assigned to.

    `cost` is US dollars over its model calls, None where one has no known price; `rating` is the newest one, and
    `mended` says that the reply was corrected, or another one asked for.
    """

    user: int
    arm: str
    started_us: int
    answered: bool
    latency_ms: float
    cost: float | None
    rating: float | None
    mended: bool


def outcomes(tx: Transaction, route: str, since_us: int) -> list[Outcome]:
    """Every turn of a route since a time (UTC microseconds), in the order of time. Cancelled ones say nothing."""
    named = {"route": route, "since_us": since_us}
    latency: dict[str, float] = {}
    cost: dict[str, float | None] = {}
    for turn, took, paid, stop in tx.all(_CALLS, named):
        latency[turn] = latency.get(turn, 0.0) + took
        before = cost.get(turn, 0.0)
        known = float(paid) if paid else None if stop else 0.0  # a call that failed is not charged
        cost[turn] = None if before is None or known is None else before + known
    ratings: dict[str, float] = {}
    mended: set[str] = set()
    for message, kind, rating, _, _ in sorted(tx.all(_FEEDBACK, named), key=lambda row: row[3:]):
        if kind == "rating" and rating is not None:
            ratings[message] = rating
        elif kind in ("correction", "regeneration"):
            mended.add(message)
    rows = sorted(tx.all(_TURNS, named), key=lambda row: (row[3], row[0]))
    return [
        Outcome(
            *(user, arm, at_us, state == "answered", latency.get(turn, 0.0), cost.get(turn, 0.0)),
            *(ratings.get(reply) if reply else None, reply in mended),
        )
        for turn, user, arm, at_us, state, reply in rows
        if state in ("answered", "failed", "cut")
    ]
