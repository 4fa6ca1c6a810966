"""Routes as the settings declare them, resolved once: words filled in, arms checked, targets parsed."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from persona.errors import NotFound, SettingsError
from persona.routing.shares import Shares
from persona.settings.fields import parse_target
from persona.settings.routes import Route
from persona.settings.schema import Settings
from persona.settings.window import Window
from persona.values.message import Message, say
from persona.values.owner import Owner
from persona.values.request import Target
from persona.window.template import check, fill

log = logging.getLogger("persona.routes")


@dataclass(frozen=True, slots=True)
class Shot:
    """One demonstration: what a user says and the reply that is wanted."""

    user: str
    assistant: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to serve a route, ready for use. `targets` holds its own target first, then the fallbacks."""

    route: str
    name: str
    targets: tuple[Target, ...]
    instructions: tuple[Message, ...]
    shots: tuple[Shot, ...]
    similar_shots: bool
    shot_limit: int
    window: Window
    knowledge: tuple[str, ...]
    stated: tuple[str, ...]
    summarise: str
    temperature: float | None
    max_output_tokens: int | None


class Routes:
    """The routes of one set of settings. Raises SettingsError at once for a template that could fail later."""

    def __init__(self, settings: Settings) -> None:
        self._shares: Mapping[str, Mapping[str, float]] = {n: r.serve for n, r in settings.routes.items()}
        self._users = {name: Shares(name, shares) for name, shares in self._shares.items()}
        self._arms = {
            (name, arm): _arm(name, route, arm) for name, route in settings.routes.items() for arm in route.arms
        }
        self._missed: set[tuple[str, str]] = set()
        self._shadows = {name: self._arms[name, r.shadow] for name, r in settings.routes.items() if r.shadow}
        problems = [problem for name, route in settings.routes.items() for problem in _template_problems(name, route)]
        if problems:
            raise SettingsError("; ".join(problems), hint="declare the variable under variables of the route")

    @property
    def names(self) -> tuple[str, ...]:
        """The routes, in the order of the settings."""
        return tuple(self._shares)

    def default(self) -> str:
        """The route of a conversation that names none: `default`, or the only one there is."""
        if "default" in self._shares or len(self._shares) == 1:
            return "default" if "default" in self._shares else next(iter(self._shares))
        raise NotFound(
            "no route was named, and the settings have several", hint=f"pass route= one of {', '.join(self.names)}"
        )

    def assign(self, route: str, owner: Owner, wanted: str = "") -> str:
        """The arm that a new conversation of this owner is served by: the one that is wanted, or their share's."""
        if route not in self._shares:
            raise NotFound(f"no route named {route!r}", hint=f"the settings have {', '.join(self.names)}")
        if wanted and (route, wanted) not in self._arms:
            there = ", ".join(arm for of, arm in self._arms if of == route)
            raise NotFound(f"route {route!r} has no arm {wanted!r}", hint=f"it has {there}")
        if wanted:
            return wanted
        return self._users[route].arm(owner)

    def arm(self, route: str, name: str, held: str = "") -> Arm:
        """The arm that serves a conversation of this one: `held`, where the route is held on an arm, goes before it.

        A conversation whose arm was taken out of the settings goes on with the one that serves most. A hold on an
        arm that is not there does nothing, and is told of once.
        """
        found = self._arms.get((route, held or name))
        if held and found is None:
            self._warn(route, held)
            found = self._arms.get((route, name))
        if found is None and route in self._shares:
            shares = self._shares[route]
            found = self._arms[route, max(shares, key=lambda arm: shares[arm])]
        if found is None:
            raise NotFound(
                f"the conversation's route {route!r} is no longer in the settings",
                hint=f"the settings have {', '.join(self.names)}",
            )
        return found

    def shadow(self, route: str) -> Arm | None:
        """The arm that is asked after the turns of the others, when the route has one."""
        return self._shadows.get(route)

    def _warn(self, route: str, held: str) -> None:
        if (route, held) not in self._missed:
            self._missed.add((route, held))
            log.warning(
                "route %r is held on arm %r, which the settings do not have: the hold does nothing", route, held
            )

    def all(self) -> tuple[Arm, ...]:
        """Every arm of every route."""
        return tuple(self._arms.values())


def _arm(name: str, route: Route, arm: str) -> Arm:
    settings = route.arms[arm]
    window = route.window_of(arm)
    shots = route.shots if settings.window.shots else None
    return Arm(
        route=name,
        name=arm,
        targets=tuple(parse_target(target) for target in (settings.target, *route.fallback)),
        instructions=tuple(say("system", fill(text, route.variables)) for text in route.instructions_of(arm)),
        shots=tuple(Shot(shot.user, shot.assistant) for shot in shots.items) if shots else (),
        similar_shots=bool(shots and shots.choose == "similar"),
        shot_limit=shots.limit if shots else 0,
        window=window,
        knowledge=route.knowledge,
        stated=route.input,
        summarise=route.summarise,
        temperature=route.temperature,
        max_output_tokens=route.max_output_tokens,
    )


def _template_problems(name: str, route: Route) -> list[str]:
    texts = [text for arm in route.arms for text in route.instructions_of(arm)]
    return [f"routes.{name}: {problem}" for problem in dict.fromkeys(check(texts, route.variables))]
