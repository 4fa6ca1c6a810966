"""What was used and what it cost, summed over the log of model calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, get_args

from sqlalchemy import ColumnElement, Float, case, cast, func, select

from persona.store.statements import param, table
from persona.store.tables import ExchangeRow, OwnerRow
from persona.store.transaction import Statement, Transaction

Dimension = Literal["tenant", "user", "route", "arm", "target", "purpose", "day"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

_DAY_US = 86_400_000_000
_CENTS = Decimal("0.000001")  # a model call may cost less than a cent
_e, _o = table(ExchangeRow).c, table(OwnerRow).c
_COLUMN: dict[Dimension, ColumnElement[object]] = {
    "tenant": _o.tenant,
    "user": _o.name,
    "route": _e.route,
    "arm": _e.arm,
    "target": _e.provider + ":" + _e.model,
    "purpose": _e.purpose,
    "day": _e.started_us // _DAY_US,
}


@dataclass(frozen=True, slots=True)
class Spent:
    """One row of a sum: its values of the dimensions asked for, and what was used.

    `cost` is in US dollars, over the calls whose price is known; `unpriced` counts those that were answered and have
    none. `failed` brought no answer. Tokens are those that the providers report.

    `cache_share` is how much of the input they say came from their cache, None where none of them says so.
    `prefix_share` is how much of it the plans had as a repetition of the conversation's request before: what a cache
    that forgets nothing would have brought. None without an answered call.
    """

    of: tuple[str, ...]
    calls: int
    failed: int
    unpriced: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    cost: Decimal
    cache_share: float | None = None
    prefix_share: float | None = None


def spent(tx: Transaction, by: Sequence[Dimension], since_us: int, until_us: int) -> list[Spent]:
    """What was used from one time up to another, by the dimensions, in their order. The day is UTC's."""
    columns = [_COLUMN[name] for name in by]
    answered = _e.stop != ""
    sums = (
        func.count(),
        func.sum(case((answered, 0), else_=1)),
        func.sum(case((answered & (_e.cost_usd == ""), 1), else_=0)),
        func.sum(func.coalesce(_e.input_tokens, 0)),
        func.sum(func.coalesce(_e.cache_read_tokens, 0)),
        func.sum(func.coalesce(_e.output_tokens, 0)),
        func.count(_e.cache_read_tokens),
        func.sum(case((answered, _e.planned_tokens), else_=0)),
        func.sum(case((answered, _e.prefix_tokens), else_=0)),
        func.sum(cast(func.coalesce(func.nullif(_e.cost_usd, ""), "0"), Float)),
    )
    query = (
        select(*columns, *sums)
        .join(table(OwnerRow), _o.key == _e.owner_key)
        .where(_e.started_us >= param("since_us"), _e.started_us < param("until_us"))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [_spent(by, row) for row in tx.all(Statement(query), {"since_us": since_us, "until_us": until_us})]


def _spent(by: Sequence[Dimension], row: tuple[object, ...]) -> Spent:
    of = tuple(_shown(name, value) for name, value in zip(by, row, strict=False))
    *counts, cost = row[len(by) :]
    numbers = (int(str(count or 0)) for count in counts)
    calls, failed, unpriced, read, cached, written, says_cached, planned, prefix = numbers
    paid = Decimal(str(cost or 0)).quantize(_CENTS)
    # a provider that says nothing of its cache for some calls had nothing cached for them
    cache_share = cached / read if says_cached and read else None
    return Spent(
        of, calls, failed, unpriced, read, cached, written, paid, cache_share, prefix / planned if planned else None
    )


def _shown(name: Dimension, value: object) -> str:
    if name != "day":
        return str(value)
    return datetime.fromtimestamp(int(float(str(value))) * 86_400, UTC).date().isoformat()
