"""Bringing an arm to serve its route step by step, and taking it back: for an operator."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from persona.assistant.database import prepared
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.errors import AdapterMissing, InvalidInput, NotFound, NotPromoted
from persona.promotion import gates, states
from persona.routing.routes import Routes
from persona.settings import Settings, load
from persona.settings.edit import set_values
from persona.settings.fields import parse_target
from persona.settings.routes import Route
from persona.store import changes, evaluations, holds, jobs, promotions
from persona.store.changes import Change
from persona.store.engine import Database
from persona.store.holds import Hold
from persona.store.ids import new_id
from persona.store.sqlite import missing
from persona.store.transaction import Transaction
from persona.tasks.canary import look_at
from persona.values.owner import Owner
from persona.values.promotion import Evidence, Promotion, Serving, State, Step
from persona.values.time import iso_day

_MOST_JOBS = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one arm of a route stands, its share of the users, and the last step that was taken with it."""

    route: str
    arm: str
    state: State
    share: float
    last: Promotion | None


def promote(
    path: Path,
    route: str,
    arm: str,
    who: str,
    *,
    to: str = "",
    why: str = "",
    force: bool = False,
    job: str = "",
    environment: Mapping[str, str] | None = None,
) -> tuple[Promotion, ...]:
    """Takes an arm one step on, or as many as lead to `to`: shadow, canary, promoted.

    The step is written to the settings file, whose comments stay, and recorded with what speaks for it; assistants that
    were opened on the file serve by it from their next turn on. Raises NotPromoted with the reasons that stand against
    it, with nothing changed; `force`, with a `why`, goes over them and records them.
    """
    if force and not why:
        raise InvalidInput("a step that is forced needs a reason", hint="pass --why")
    chosen = os.environ if environment is None else environment
    settings = load(path, chosen)
    Routes(settings).assign(route, Owner("", ""), arm)  # which raises
    with prepared(settings, make=True) as database:
        steps = database.run_now(lambda tx: promotions.of_route(tx, route), write=False)
        made = []
        for step in states.ahead(states.state(_serving(settings, route), arm, steps), to):
            settings = load(path, chosen)
            case = _case(database, settings, route, arm, step, chosen)
            refused = gates.reasons(case)
            if refused and not force:
                raise NotPromoted(f"{arm!r} is not taken to {step!r}: " + "; ".join(refused), reasons=refused)
            evidence = case.evidence
            trained = job or _job(database, case.targets[1])
            one = Promotion(
                *(new_id("prm"), route, arm, step, case.targets[1], who, why, _serving(settings, route), utc_now_us()),
                *(refused, evidence.id if evidence else "", evidence.dataset if evidence else "", trained),
            )
            share = settings.routes[route].canary.share
            _serve(path, database, one, states.after(one.before, arm, step, share), chosen)
            made.append(one)
        return tuple(made)


def rollback(
    path: Path, route: str, who: str, why: str = "", environment: Mapping[str, str] | None = None
) -> tuple[Promotion, Hold]:
    """Lets a route serve again what served before the newest arm was promoted, at once and everywhere.

    First a hold, which every process obeys from its next turn on, in running conversations too; then the settings file.
    The hold stays: conversations that began on the arm would go back to it. Raises NotFound when there is nothing to
    take back, and SettingsError, with the hold in place, when the file cannot be changed.
    """
    chosen = os.environ if environment is None else environment
    settings = load(path, chosen)
    _route(settings, route)  # which raises
    with prepared(settings) as database:
        now = _serving(settings, route)
        steps = database.run_now(lambda tx: promotions.of_route(tx, route), write=False)
        first = states.before(steps, now)
        hold = Hold(route, first.before.most, who, why or f"{first.arm!r} was rolled back", utc_now_us())
        database.run_now(lambda tx: holds.put(tx, hold))
        taken = replace(first, id=new_id("prm"), at_us=utc_now_us(), who=who, why=why)
        made = replace(taken, step="rolled back", before=now, refused=())
        _serve(path, database, made, first.before, chosen)
        return made, hold


def standing(settings: Settings, route: str) -> list[Standing]:
    """Where every arm of a route stands, in the order of the settings. Raises NotFound."""
    table = _route(settings, route)
    taken: Sequence[Promotion] = ()
    if not missing(settings.database_url):
        with prepared(settings) as database:
            taken = database.run_now(lambda tx: promotions.of_route(tx, route), write=False)
    return [
        Standing(
            *(route, arm, states.state(_serving(settings, route), arm, taken), table.serve.get(arm, 0.0)),
            next((one for one in taken if one.arm == arm), None),
        )
        for arm in table.arms
    ]


def _route(settings: Settings, route: str) -> Route:
    if route not in settings.routes:
        raise NotFound(f"no route named {route!r}", hint=f"the settings have {', '.join(settings.routes)}")
    return settings.routes[route]


def _serving(settings: Settings, route: str) -> Serving:
    return Serving(dict(settings.routes[route].serve), settings.routes[route].shadow)


def _case(
    database: Database, settings: Settings, route: str, arm: str, step: Step, environment: Mapping[str, str]
) -> gates.Case:
    table, now_us = settings.routes[route], utc_now_us()
    others = {name: share for name, share in table.serve.items() if name != arm}
    base = max(others, key=lambda name: others[name])
    targets = str(table.arms[base].target), str(table.arms[arm].target)
    retired = _retired(settings, targets[1], environment, now_us)

    def read(tx: Transaction) -> gates.Case:
        found = look_at(tx, settings, route, now_us)
        tried = found if found and found.arm == arm else None
        compared = evaluations.of_arms(tx, route, base, arm)
        return gates.Case(
            *(route, base, arm, step, targets, Evidence.of(compared) if compared else None, holds.arm(tx, route)),
            users=tried.users if tried else 0,
            needed=table.canary.users,
            alarm=tried.alarm.words if tried and tried.alarm else "",
            retired=retired,
        )

    return database.run_now(read, write=False)


def _job(database: Database, target: str) -> str:
    """The newest job that made the model of a target; empty where none is known."""
    model = parse_target(target).model
    made = database.run_now(lambda tx: jobs.newest(tx, _MOST_JOBS), write=False)
    return next((one.id for one in made if one.progress and one.progress.tuned_model == model), "")


def _retired(settings: Settings, target: str, environment: Mapping[str, str], now_us: int) -> str:
    """The day on which a model was shut down; empty when it was not, or nobody says."""
    try:
        card = Providers(settings, environment).card(parse_target(target))
    except AdapterMissing:  # it is installed where the route is served
        return ""
    day = card.retires if card else ""
    return day if day and day <= iso_day(now_us) else ""


def _serve(path: Path, database: Database, made: Promotion, serving: Serving, environment: Mapping[str, str]) -> None:
    """Writes what is to serve into the settings file, and records the step."""
    wanted: dict[str, str] = {}
    if dict(serving.shares) != dict(made.before.shares):
        wanted[f"routes.{made.route}.serve"] = states.in_toml(serving.shares)
    if serving.shadow != made.before.shadow:
        wanted[f"routes.{made.route}.shadow"] = f'"{serving.shadow}"'
    written = set_values(path, wanted, environment) if wanted else {}
    gone = [arm for arm in made.before.shares if made.step == "promoted" and arm != made.arm]

    def record(tx: Transaction) -> None:
        promotions.add(tx, made)
        for arm in gone:
            target = str(load(path, environment).routes[made.route].arms[arm].target)
            # the job made the model that comes, not the one that goes
            promotions.add(tx, replace(made, id=new_id("prm"), arm=arm, step="retired", target=target, job=""))
        for key, (before, after) in written.items():
            changes.add(tx, Change(made.at_us, made.who, key, before, after, made.why or f"{made.arm}: {made.step}"))

    database.run_now(record)


def steps(settings: Settings, route: str = "") -> Sequence[Promotion]:
    """The steps that were taken, of one route or of all, the newest first."""
    with prepared(settings) as database:
        found = database.run_now(promotions.all_of_them, write=False)
    return [one for one in found if route in ("", one.route)]
