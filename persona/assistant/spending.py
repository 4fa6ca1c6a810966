"""What the model calls in the log used and cost, and what of it the limits allow, for an operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from persona.assistant.database import prepared
from persona.calling.limits import fits, period
from persona.conversation.services import utc_now_us
from persona.settings import Settings
from persona.settings.limits import LimitRule
from persona.store import costs, meters
from persona.store.costs import Dimension, Spent
from persona.store.meters import Running, Used
from persona.store.sqlite import missing
from persona.values.owner import Owner
from persona.values.time import to_us


def spent(settings: Settings, by: Sequence[Dimension], first: date, last: date) -> list[Spent]:
    """What model calls used and cost from one day to another, both included, in UTC; by tenant, user, route, day …"""
    since_us, until_us = _midnight_us(first), _midnight_us(last + timedelta(days=1))
    with prepared(settings) as database:
        return database.run_now(lambda tx: costs.spent(tx, by, since_us, until_us), write=False)


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How far one limit is used by somebody in the running period, which ends at `until_us`.

    `whom` says of which user, tenant or route; it is empty for all together, and where nobody was counted yet
    (`used` is None then). `number` is the limit's place under [[limits]], from 0.
    """

    number: int
    rule: LimitRule
    whom: tuple[str, ...]
    used: Used | None
    until_us: int


def limits_used(settings: Settings) -> list[LimitUse]:
    """What is used of every limit and by whom, those who used most first. Somebody is counted from their next call on.

    Raises StoreError.
    """
    now_us = utc_now_us()
    running = _running(settings, period("month", now_us)[0])
    counting = [(_rule_of(settings, one), one) for one in running]
    found = []
    for number, rule in enumerate(settings.limits):
        since_us, until_us = period(rule.per, now_us)
        used = [one for of, one in counting if of == number and one.since_us == since_us]
        found += [LimitUse(number, rule, _whom(one), one.used, until_us) for one in used]
        if not used:
            found.append(LimitUse(number, rule, (), None, until_us))
    return found


def _running(settings: Settings, since_us: int) -> list[Running]:
    """Every meter that counts since then; none where there is no database yet."""
    if missing(settings.database_url):
        return []
    with prepared(settings) as database:
        return database.run_now(lambda tx: meters.running(tx, since_us), write=False)


def _rule_of(settings: Settings, one: Running) -> int | None:
    """The limit that counts for what a meter shows."""
    scope = one.scope
    owner = one.owner or Owner(scope.tenant or "", "")
    for number, rule in enumerate(settings.limits):
        routes = ("", scope.route) if scope.by == "route" else (scope.route or "",)
        if (rule.by, rule.per) == (scope.by, scope.per) and rule.route in routes and fits(rule, owner):
            return number
    return None


def _whom(one: Running) -> tuple[str, ...]:
    if one.owner:
        return (one.owner.tenant, one.owner.name)
    return {"tenant": (one.scope.tenant or "",), "route": (one.scope.route or "",)}.get(one.scope.by, ())


def _midnight_us(day: date) -> int:
    return to_us(datetime.combine(day, time(), UTC))
