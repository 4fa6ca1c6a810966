"""Watches the canaries that `persona promote` began, and takes one that does clearly worse back by a hold.

A hold is obeyed by every process from the next turn on, in running conversations too. The settings file stays as it is:
it may lie on another machine, and it is for a person to say what is meant to serve.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from persona.routing.canary import Alarm, alarm
from persona.settings.schema import Settings
from persona.store import canaries, holds, promotions, tasks
from persona.store.holds import Hold
from persona.store.ids import new_id
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.workshop import Workshop
from persona.values.promotion import ALARM, Promotion, Serving

log = logging.getLogger("persona.canaries")

EVERY_US = 60_000_000
"""Between two looks at the canaries, at least, whatever the number of processes."""

_REST = 50  # times as long as a look took: 2 % of one connection's time on a log that is long


@dataclass(frozen=True, slots=True)
class Canary:
    """An arm that is tried on some users of a route: since when, and how it stands by now. `users` talked on it."""

    route: str
    base: str
    arm: str
    target: str
    since_us: int
    users: int
    alarm: Alarm | None


async def watch(workshop: Workshop, task: Task) -> Callable[[Transaction], None] | None:
    """One look at every canary; the ending holds the routes of those that are clearly worse."""
    settings, now_us = workshop.settings, workshop.now_us()
    if not any(len(route.serve) > 1 for route in settings.routes.values()):
        return None  # whoever splits a route again puts the task again
    begun = time.perf_counter()
    found = await workshop.database.run(lambda tx: look(tx, settings, now_us), write=False)
    rest_us = max(EVERY_US, int((time.perf_counter() - begun) * 1_000_000) * _REST)
    worse = [one for one in found if one.alarm and settings.routes[one.route].canary.rollback]

    def end(tx: Transaction) -> None:
        for one in worse:
            _take_back(tx, one, settings, now_us)
        tasks.arm(tx, "canary", now_us, run_after_us=now_us + rest_us)

    return end


def look(tx: Transaction, settings: Settings, now_us: int) -> list[Canary]:
    """How the canaries stand that are recorded as such, serve some users by the settings, and are not held."""
    return [one for name in settings.routes if (one := look_at(tx, settings, name, now_us))]


def look_at(tx: Transaction, settings: Settings, name: str, now_us: int) -> Canary | None:
    """How the canary of one route stands; None where there is none, or the route is held."""
    route = settings.routes[name]
    steps = [one for one in promotions.of_route(tx, name) if one.step == "canary" and one.arm in route.serve]
    if not steps or len(route.serve) < 2 or holds.arm(tx, name):
        return None
    arm = steps[0].arm
    base = max((other for other in route.serve if other != arm), key=lambda other: route.serve[other])
    since_us = max(steps[0].at_us, canaries.released_us(tx, name))
    targets = {one: str(route.arms[one].target) for one in (base, arm)}
    lived = canaries.tally(tx, name, targets, since_us)
    looks = 1 + max(0, now_us - since_us) // EVERY_US
    found = alarm(lived[base], lived[arm], looks, route.canary.cost_ratio)
    return Canary(name, base, arm, targets[arm], since_us, len(lived[arm]), found)


def _take_back(tx: Transaction, one: Canary, settings: Settings, now_us: int) -> None:
    if one.alarm is None or holds.arm(tx, one.route):  # a person was quicker
        return
    route = settings.routes[one.route]
    holds.put(tx, Hold(one.route, one.base, ALARM, f"{one.arm!r}: {one.alarm.words}", now_us))
    served = Serving(route.serve, route.shadow)
    step = Promotion(
        *(new_id("prm"), one.route, one.arm, "rolled back", one.target, ALARM, one.alarm.words, served, now_us)
    )
    promotions.add(tx, step)
    log.warning(
        "route %r is held on arm %r: of %r, %s; `persona rollback %s` brings the settings file after it",
        *(one.route, one.base, one.arm, one.alarm.words, one.route),
    )
