"""What is asked of an installation before another arm serves: is it better, on a holdout and as it serves?"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from persona.adapter import Adapter, RemoteEmbedder, is_local
from persona.assistant.database import prepared
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.errors import InvalidInput
from persona.evaluation import live as evaluation_live
from persona.evaluation.form import form_of
from persona.evaluation.holdout import holdout_of
from persona.evaluation.metrics import METRICS
from persona.evaluation.run import Asked, With
from persona.evaluation.run import compare as evaluation_compare
from persona.evaluation.scene import LOGGED
from persona.routing.routes import Arm, Routes
from persona.settings import Settings
from persona.store import calibrations, evaluations
from persona.store.engine import Database
from persona.store.outcomes import outcomes
from persona.values.comparison import Comparison, Live
from persona.values.owner import Owner
from persona.values.request import Target
from persona.window.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be compared; what is empty leaves the choice open.

    `on` is a dataset's folder, a file, or files without their ending. `arms` are the base and the other: the arm that
    serves most and the only other one, when empty; `logged` stands for the answers in the log. `judge` is a route.
    `schema` is a file with a JSON schema and `pattern` a regular expression for the whole answer. `by` is the metric
    that the verdict is about, and `margin` how much worse is still no worse. `limit_usd` is for the whole comparison.
    `out` is where answers and report are kept.
    """

    on: Path
    route: str = ""
    arms: tuple[str, ...] = ()
    judge: str = ""
    schema: Path | None = None
    pattern: str = ""
    by: str = ""
    margin: float = 0.02
    limit_usd: Decimal | None = None
    concurrency: int = 4
    seed: int = 0
    out: Path | None = None


Say = Callable[[int, int], None]
"""Told how many examples are done, and of how many."""


async def compare(
    settings: Settings,
    wish: Wish,
    say: Say = lambda done, total: None,
    environment: Mapping[str, str] | None = None,
    adapters: Sequence[Adapter] = (),
) -> Comparison:
    """Replays a holdout through two arms, writes the report, and keeps the numbers. Interrupted, the same call goes on.

    Raises InvalidInput and NotFound for what cannot be; AuthenticationFailed, ModelNotFound and the like at the first
    call that meets them; StoreError.
    """
    routes = Routes(settings)
    route = wish.route or routes.default()
    if wish.by and wish.by not in METRICS:
        raise InvalidInput(f"there is no metric {wish.by!r}", hint=f"--by takes one of {', '.join(METRICS)}")
    judge = routes.arm(wish.judge, routes.assign(wish.judge, Owner("", ""))) if wish.judge else None
    arms, holdout = chosen_arms(settings, routes, route, wish.arms), holdout_of(wish.on, tuple(adapters))
    if LOGGED in (arms[0].name, arms[1].name) and not holdout.ours:
        raise InvalidInput(
            "the log answered nothing in somebody else's file", hint="name two arms, or a dataset of ours"
        )
    asked = Asked(
        arms,
        holdout,
        judge=judge,
        form=form_of(wish.schema, wish.pattern),
        by=wish.by,
        margin=wish.margin,
        limit=wish.limit_usd,
        at_once=wish.concurrency,
        seed=wish.seed,
        out=wish.out,
    )
    with prepared(settings, make=True) as database:
        found = await _with(settings, asked, database, environment, adapters, say)
        await database.run(lambda tx: evaluations.add(tx, found))
    return found


def live(settings: Settings, route: str = "", arms: Sequence[str] = (), since_us: int = 0) -> Live:
    """How two arms of a route stand by what they served since a time (UTC microseconds). Looking early is safe."""
    routes = Routes(settings)
    named = route or routes.default()
    base, other = chosen_arms(settings, routes, named, tuple(arms))
    with prepared(settings) as database:
        found = database.run_now(lambda tx: outcomes(tx, named, since_us), write=False)
    return evaluation_live.live(named, (base.name, other.name), since_us, found)


def chosen_arms(settings: Settings, routes: Routes, route: str, named: Sequence[str]) -> tuple[Arm, Arm]:
    """The base and the other arm. Raises NotFound, and InvalidInput where it is not clear which two are meant."""
    routes.assign(route, Owner("", ""))
    there = list(settings.routes[route].arms)
    for arm in named:
        if arm != LOGGED:
            routes.assign(route, Owner("", ""), arm)  # which says what there is
    if not named:
        serve = settings.routes[route].serve
        base = max(serve, key=lambda arm: serve[arm])
        named = (base, *(arm for arm in there if arm != base))
    if len(named) != 2 or named[0] == named[1]:
        raise InvalidInput(
            f"a comparison is between two arms, and the route {route!r} has {', '.join(there)}",
            hint="name two of them, the base first: --arms base,tuned",
        )
    first, second = (None if name == LOGGED else routes.arm(route, name) for name in named)
    return first or _recorded(second), second or _recorded(first)


def _recorded(beside: Arm | None) -> Arm:
    """What stands for the answers in the log, beside an arm of the same route."""
    assert beside is not None, "two different names are never both the log's"  # noqa: S101 - narrows the type
    return replace(beside, name=LOGGED, targets=(Target("log", "recorded"),))


async def _with(
    settings: Settings,
    asked: Asked,
    database: Database,
    environment: Mapping[str, str] | None,
    adapters: Sequence[Adapter],
    say: Say,
) -> Comparison:
    providers = Providers(settings, os.environ if environment is None else environment, adapters)
    known = await database.run(calibrations.load, write=False)
    providers.calibrations.update({key: Calibration(*seen) for key, seen in known.items()})
    embedder = providers.embedder(settings.memory.embedder)
    turn = settings.turn
    try:
        using = With(providers, embedder, database, turn.timeout_s, turn.retries)
        return await evaluation_compare(asked, using, utc_now_us(), say)
    finally:
        await providers.close()
        if not is_local(embedder):
            await cast(RemoteEmbedder, embedder).close()
