"""What each route serves, how that goes, and changing it: for an operator."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona.adapter import ModelCard
from persona.assistant.database import prepared
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.errors import NotFound
from persona.routing.routes import Routes
from persona.settings import Settings, load
from persona.settings.edit import set_value
from persona.store import changes, costs, holds
from persona.store.changes import Change
from persona.store.holds import Hold
from persona.store.sqlite import missing
from persona.values.owner import Owner
from persona.values.request import Target
from persona.values.time import to_us

_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Served:
    """One target of one arm. `share` is of the route's conversations, 0 for an arm that only waits.

    `fallback` counts from 1, and is 0 for the arm's own target; `card` is None where nothing is known of the model.
    `calls` and `failed` are those of the last day.
    """

    route: str
    arm: str
    share: float
    fallback: int
    target: Target
    card: ModelCard | None
    calls: int = 0
    failed: int = 0


def served(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Served]:
    """Every target of every arm of every route, in the order of the settings.

    Raises SettingsError, AdapterMissing and StoreError.
    """
    providers = Providers(settings, os.environ if environment is None else environment)
    lately = _lately(settings)
    return [
        Served(arm, name, share, place, target, providers.card(target), *lately.get((arm, name, str(target)), (0, 0)))
        for arm, name, share, place, target in _targets(settings)
    ]


def change(path: Path, key: str, value: str, who: str, environment: Mapping[str, str] | None = None) -> Change:
    """Sets one key under [routes] of a settings file, keeping its comments, and records who did it.

    Assistants that were opened on the file serve by it from their next turn on. Raises SettingsError, with nothing
    changed, when the settings would not be whole.
    """
    chosen = os.environ if environment is None else environment
    with prepared(load(path, chosen), make=True) as database:  # a change that cannot be recorded is not made
        before, after = set_value(path, f"routes.{key}", value, chosen)
        made = Change(utc_now_us(), who, f"routes.{key}", before, after)
        database.run_now(lambda tx: changes.add(tx, made))
    return made


def hold(settings: Settings, route: str, arm: str, who: str, why: str) -> Change:
    """Makes every process on the database serve a route by one arm from the next turn on, and records who did it.

    In running conversations too, until `release`. Raises NotFound when the settings have no such route or arm.
    """
    Routes(settings).assign(route, Owner("", ""), arm)  # which raises
    with prepared(settings, make=True) as database:
        put = Hold(route, arm, who, why, utc_now_us())
        return database.run_now(lambda tx: holds.put(tx, put))


def release(settings: Settings, route: str, who: str, why: str = "") -> Change:
    """Lets the settings say again what serves a route: each conversation is back on its own arm with its next turn.

    Raises NotFound when the route is not held.
    """
    with prepared(settings) as database:
        released = database.run_now(lambda tx: holds.release(tx, route, who, why, utc_now_us()))
    if released is None:
        raise NotFound(f"route {route!r} is not held", hint="see `persona routes`")
    return released


def held(settings: Settings) -> list[Hold]:
    """The holds there are, by route; none where there is no database yet. Raises StoreError."""
    if missing(settings.database_url):
        return []
    with prepared(settings) as database:
        return database.run_now(holds.all_of_them, write=False)


def history(settings: Settings, most: int) -> list[Change]:
    """The last changes and holds that were made, the newest first."""
    with prepared(settings) as database:
        return database.run_now(lambda tx: changes.newest(tx, most), write=False)


def _targets(settings: Settings) -> Iterator[tuple[str, str, float, int, Target]]:
    routes = Routes(settings)
    for arm in routes.all():
        share = settings.routes[arm.route].serve.get(arm.name, 0.0)
        for place, target in enumerate(arm.targets):
            yield arm.route, arm.name, share, place, target


def _lately(settings: Settings) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Calls and failures of the last day by route, arm and target; nothing where there is no database yet."""
    if missing(settings.database_url):
        return {}
    now = datetime.now(UTC)
    since_us, until_us = to_us(now - _LATELY), to_us(now)
    with prepared(settings) as database:
        rows = database.run_now(lambda tx: costs.spent(tx, ("route", "arm", "target"), since_us, until_us), write=False)
    return {(one.of[0], one.of[1], one.of[2]): (one.calls, one.failed) for one in rows}
