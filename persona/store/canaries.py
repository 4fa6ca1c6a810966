"""What the users of two arms lived through, by the arm that their conversations were assigned to."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Float, case, cast, func, or_, select

from persona.store.ids import first_id
from persona.store.statements import param, table
from persona.store.tables import ChangeRow, ConversationRow, ExchangeRow, FeedbackRow
from persona.store.transaction import Statement, Transaction
from persona.values.promotion import Lived

_BEFORE_US = 600_000_000  # clocks of machines differ; what is looked at goes by the conversation's time
_e, _c, _f, _h = table(ExchangeRow).c, table(ConversationRow).c, table(FeedbackRow).c, table(ChangeRow).c
_begun = (_c.route == param("route"), _c.created_us >= param("since_us"))
_other_target = or_(
    (_c.arm == param("base")) & (_e.provider + ":" + _e.model != param("base_target")),
    (_c.arm == param("other")) & (_e.provider + ":" + _e.model != param("other_target")),
)
_EXCHANGES = Statement(
    select(
        *(_e.owner_key, _c.arm, func.count()),
        func.sum(case(((_e.outcome == "failed") | (_e.outcome == "cut") | _other_target, 1), else_=0)),
        func.sum(cast(func.nullif(_e.cost_usd, ""), Float)),
        func.count(func.nullif(_e.cost_usd, "")),
    )
    .join(table(ConversationRow), _c.key == _e.conversation_key)
    .where(
        _e.id >= param("first"), _e.purpose == "turn", *_begun, or_(_c.arm == param("base"), _c.arm == param("other"))
    )
    .group_by(_e.owner_key, _c.arm)
)
_FEEDBACK = Statement(
    select(
        _f.owner_key,
        func.sum(case((or_(_f.kind == "correction", _f.kind == "regeneration"), 1), else_=0)),
        func.avg(_f.rating),
    )
    .join(table(ConversationRow), _c.key == _f.conversation_key)
    .where(_f.id >= param("first"), *_begun)
    .group_by(_f.owner_key)
)
_RELEASED = Statement(
    select(func.max(_h.at_us)).where(_h.key == param("key"), _h.after == "")  # a hold that was lifted
)


def tally(tx: Transaction, route: str, targets: Mapping[str, str], since_us: int) -> Mapping[str, Sequence[Lived]]:
    """The users of two arms since a time, in conversations that were begun since; `targets` are the arms' own.

    Somebody who was on both arms (they had been named) counts for neither.
    """
    (base, base_target), (other, other_target) = targets.items()
    named = {"base": base, "base_target": base_target, "other": other, "other_target": other_target}
    when = {"route": route, "since_us": since_us}
    rows = tx.all(_EXCHANGES, {**named, **when, "first": first_id("exc", since_us - _BEFORE_US)})
    said = {key: told for key, *told in tx.all(_FEEDBACK, {**when, "first": first_id("fbk", since_us - _BEFORE_US)})}
    arms = Counter(row[0] for row in rows)
    found: dict[str, list[Lived]] = defaultdict(list, {base: [], other: []})
    for owner, arm, exchanges, failed, cost, priced in rows:
        if arms[owner] == 1:
            complaints, rating = said.get(owner, (0, None))
            mean = float(cost) / int(priced) if priced else None
            rated = None if rating is None else float(rating)
            found[arm].append(Lived(int(exchanges), int(failed or 0), int(complaints or 0), rated, mean))
    return found


def released_us(tx: Transaction, route: str) -> int:
    """When a hold of the route was last lifted; 0 for never."""
    row = tx.one(_RELEASED, {"key": f"routes.{route}.hold"})
    return int(row[0]) if row and row[0] is not None else 0
