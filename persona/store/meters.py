"""Meters: what was used in the running day or month of what a limit counts. One row each, whatever the history.

A meter is read in the transaction that opens a turn, and moved on in the one that logs a call. The first time that
one is read, it is summed up from the log; when its time is over, it begins at nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from sqlalchemy import Float, cast, delete, func, select, update

from persona.store.exchanges import Exchange
from persona.store.ids import first_id
from persona.store.statements import insert_or_replace, insert_unless_there, param, table
from persona.store.tables import ExchangeRow, MeterRow, OwnerRow
from persona.store.transaction import Statement, Transaction
from persona.values.owner import Owner

NANO = 1_000_000_000
_BEFORE_US = 3_600_000_000  # an id is made a little before or after its call starts

_meters = table(MeterRow)
_m, _e, _o = _meters.c, table(ExchangeRow).c, table(OwnerRow).c
_IS_METER = (_m.owner_key == param("owner_key"), _m.scope == param("scope"))
_READ = Statement(select(_m.since_us, _m.nano_usd, _m.tokens).where(*_IS_METER))
_INSERT = insert_unless_there(MeterRow)
_PUT = insert_or_replace(MeterRow)
_RESTART = Statement(
    update(_meters)
    .where(*_IS_METER, _m.since_us < param("begins_us"))
    .values(since_us=param("begins_us"), nano_usd=0, tokens=0)
)
_ADD = Statement(
    update(_meters)
    .where(*_IS_METER, _m.since_us == param("begins_us"))
    .values(nano_usd=_m.nano_usd + param("more_nano_usd"), tokens=_m.tokens + param("more_tokens"))
)
_RUNNING = Statement(
    select(_o.tenant, _o.name, _m.scope, _m.since_us, _m.nano_usd, _m.tokens)
    .select_from(_meters.outerjoin(table(OwnerRow), _o.key == _m.owner_key))
    .where(_m.since_us >= param("begins_us"))
    .order_by(_m.nano_usd.desc(), _m.tokens.desc(), _m.owner_key, _m.scope)
)
_OF_OWNER = Statement(select(_m.scope, _m.since_us, _m.nano_usd, _m.tokens).where(_m.owner_key == param("owner_key")))
_DROP = Statement(delete(_meters).where(*_IS_METER))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a meter counts: the calls of one user, one tenant or one route, or all; of them, those of a route alone.

    `by` and `per` are a limit's; a tenant or a route that is None is not asked for.
    """

    by: str
    per: str
    tenant: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter in one period, which begins at `since_us` (UTC microseconds). `owner_key` is 0 but for a user's."""

    scope: Scope
    since_us: int
    owner_key: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """What a meter shows: billionths of a US dollar, and tokens."""

    nano_usd: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Running:
    """A meter with what it shows; `owner` is None where it is not a user's."""

    owner: Owner | None
    scope: Scope
    since_us: int
    used: Used


def read(tx: Transaction, meter: Meter) -> Used:
    """What was used so far. A meter that is new is made, in a transaction that may write."""
    key = _key(meter)
    row = tx.one(_READ, key)
    if row is None:
        used = _summed(tx, meter)
        tx.run(_INSERT, {**key, "since_us": meter.since_us, "nano_usd": used.nano_usd, "tokens": used.tokens})
        return used
    since_us, *shown = row
    if since_us < meter.since_us:
        tx.run(_RESTART, {**key, "begins_us": meter.since_us})
        return Used(0, 0)
    return Used(*shown)


def add(tx: Transaction, meters: Iterable[Meter], call: Exchange) -> None:
    """Moves meters on by what a call used, unless their time is over."""
    nano_usd = int(((call.cost.amount or Decimal(0)) * NANO).to_integral_value())
    tokens = (call.usage.input_tokens or 0) + (call.usage.output_tokens or 0)
    if nano_usd or tokens:
        more = {"more_nano_usd": nano_usd, "more_tokens": tokens}
        for meter in meters:
            tx.put(_ADD, {**_key(meter), **more, "begins_us": meter.since_us})


def running(tx: Transaction, since_us: int) -> list[Running]:
    """Every meter whose period began then or later, the ones that show most first."""
    return [
        Running(None if tenant is None else Owner(tenant, name), Scope(*json.loads(scope)), since, Used(*used))
        for tenant, name, scope, since, *used in tx.all(_RUNNING, {"begins_us": since_us})
    ]


def join(tx: Transaction, visitor: int, account: int) -> None:
    """Adds what a visitor's meters show to the account's, where both have one; the others stay the visitor's."""
    theirs = {row[0]: row[1:] for row in tx.all(_OF_OWNER, {"owner_key": account})}
    for scope, *mine in tx.all(_OF_OWNER, {"owner_key": visitor}):
        if scope not in theirs:
            continue
        tx.run(_DROP, {"owner_key": visitor, "scope": scope})
        since_us = max(mine[0], theirs[scope][0])
        counted = [shown for since, *shown in (mine, theirs[scope]) if since == since_us]
        nano_usd, tokens = map(sum, zip(*counted, strict=True))
        now = {"since_us": since_us, "nano_usd": nano_usd, "tokens": tokens}
        tx.run(_PUT, {"owner_key": account, "scope": scope, **now})


def _key(meter: Meter) -> dict[str, object]:
    scope = meter.scope
    return {"owner_key": meter.owner_key, "scope": json.dumps([scope.by, scope.per, scope.tenant, scope.route])}


def _summed(tx: Transaction, meter: Meter) -> Used:
    """What the log says was used since the period began."""
    scope = meter.scope
    asked = {
        "since_us": meter.since_us,
        "first": first_id("exc", meter.since_us - _BEFORE_US),
        "owner_key": meter.owner_key,
        "tenant": scope.tenant,
        "route": scope.route,
    }
    row = tx.one(_sums(bool(meter.owner_key), scope.tenant is not None, scope.route is not None), asked)
    dollars, read_, written = row or (0, 0, 0)
    return Used(round(float(dollars or 0) * NANO), int(read_ or 0) + int(written or 0))


@cache
def _sums(of_user: bool, of_tenant: bool, of_route: bool) -> Statement:
    """A user's calls are found by their index, those of all by the time in their ids."""
    where = [_e.started_us >= param("since_us")]
    where.append(_e.owner_key == param("owner_key") if of_user else _e.id >= param("first"))
    if of_tenant:
        where.append(_e.owner_key.in_(select(_o.key).where(_o.tenant == param("tenant"))))
    if of_route:
        where.append(_e.route == param("route"))
    dollars = func.sum(cast(func.coalesce(func.nullif(_e.cost_usd, ""), "0"), Float))
    tokens = (func.sum(func.coalesce(column, 0)) for column in (_e.input_tokens, _e.output_tokens))
    return Statement(select(dollars, *tokens).where(*where))
