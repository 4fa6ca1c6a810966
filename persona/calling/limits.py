"""What the settings let model calls use, and whether there is anything left: asked before a call is made.

Of the limits with the same `by`, `per` and route to count, the first whose tenant and user fit a call counts; with
`by = "route"`, the first whose route fits. So an exception stands before the rule, and limits of different kinds
all hold.

A call is let through while anything is left, so a limit is exceeded by what was under way at that moment, at most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from persona.errors import LimitReached
from persona.settings.limits import LimitRule
from persona.store import meters
from persona.store.meters import NANO, Meter, Scope, Used
from persona.store.transaction import Transaction
from persona.values.owner import Owner
from persona.values.time import from_us, to_us

_WHOM = {"user": "of each user", "tenant": "of each tenant", "route": "of each route", "all": "of all together"}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one limit leaves to the calls of a turn: its rule, the meter that counts it, and when it begins anew."""

    rule: LimitRule
    meter: Meter
    until_us: int


def allowances(
    rules: Iterable[LimitRule], owner: Owner, owner_key: int, route: str, now_us: int
) -> tuple[Allowance, ...]:
    """The limits that count for a call of this owner through this route."""
    found: dict[tuple[str, ...], Allowance] = {}
    for rule in rules:
        kind = group(rule)
        if kind not in found and fits(rule, owner) and rule.route in ("", route):
            since_us, until_us = period(rule.per, now_us)
            scope = Scope(
                rule.by,
                rule.per,
                owner.tenant if rule.by == "tenant" else None,
                route if rule.by == "route" else rule.route or None,
            )
            meter = Meter(scope, since_us, owner_key if rule.by == "user" else 0)
            found[kind] = Allowance(rule, meter, until_us)
    return tuple(sorted(found.values(), key=lambda one: group(one.rule)))  # rows are locked in one order


def group(rule: LimitRule) -> tuple[str, ...]:
    """What limits of one kind have in common: of these, the first that fits counts."""
    return (rule.by, rule.per, "" if rule.by == "route" else rule.route)


def fits(rule: LimitRule, owner: Owner) -> bool:
    """Whether a limit is for this user."""
    return rule.tenant in ("", owner.tenant) and rule.user in ("", owner.name)


def check(tx: Transaction, allowed: Sequence[Allowance]) -> list[tuple[Allowance, Used]]:
    """The limits of which nothing is left, with what was used. In a transaction that may write."""
    used = [(one, meters.read(tx, one.meter)) for one in allowed]
    return [(one, shown) for one, shown in used if _spent(one.rule, shown)]


def refuse(reached: Sequence[tuple[Allowance, Used]], now_us: int) -> None:
    """Raises LimitReached for the limit that takes longest to begin anew, if any is reached."""
    if not reached:
        return
    one, used = max(reached, key=lambda row: row[0].until_us)
    until = from_us(one.until_us).strftime("%Y-%m-%d %H:%M UTC")
    raise LimitReached(
        f"{_grant(one.rule, used)} a {one.rule.per} {_WHOM[one.rule.by]} is used up; no model was called",
        hint=f"it begins anew at {until}, or sooner when it is raised in the settings",
        retry_after_s=max(0.0, (one.until_us - now_us) / 1_000_000),
    )


def period(per: Literal["day", "month"], now_us: int) -> tuple[int, int]:
    """When the day or the month of a time begins and ends, in UTC."""
    midnight = from_us(now_us).replace(hour=0, minute=0, second=0, microsecond=0)
    if per == "day":
        return to_us(midnight), to_us(midnight + timedelta(days=1))
    first = midnight.replace(day=1)
    return to_us(first), to_us(_next_month(first))


def _next_month(first: datetime) -> datetime:
    return (first + timedelta(days=31)).replace(day=1)


def _spent(rule: LimitRule, used: Used) -> bool:
    return bool(_grant(rule, used))


def _grant(rule: LimitRule, used: Used) -> str:
    """The part of a limit that is used up, in words; empty while something is left of both."""
    if rule.usd is not None and used.nano_usd >= rule.usd * NANO:
        return f"the limit of {rule.usd:g} dollars"
    if rule.tokens is not None and used.tokens >= rule.tokens:
        return f"the limit of {rule.tokens:,} tokens"
    return ""
