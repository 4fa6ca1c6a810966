"""Adapters, keys, and the models that routes and memory name: what is at hand, and for how long."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from persona.adapter import ModelCard, discover, is_local, wants_key
from persona.assistant.doctor.findings import Counted, Finding, failed
from persona.calling.providers import Providers
from persona.errors import PersonaError
from persona.routing.routes import Arm, Routes
from persona.settings import Settings
from persona.settings.fields import parse_target
from persona.tasks.learn import learns
from persona.values.request import Target
from persona.window.counting import label

_SOON = timedelta(days=60)
# What a package of somebody else's may raise while it is imported.
_UNLOADABLE = (ImportError, AttributeError, TypeError, ValueError, RuntimeError, OSError, SyntaxError)


def adapters() -> Iterator[Finding]:
    """Whether each installed adapter can be loaded."""
    for name, load in sorted(discover().items()):
        try:
            adapter = load()
        except _UNLOADABLE as error:
            said = f"cannot be loaded: {type(error).__name__}: {error}"
            yield Finding(f"adapter {name}", "fail", said, "install its package again, or remove it")
        else:
            offers = [what for what in ("chat", "embed", "tokenizer", "card", "tuning") if getattr(adapter, what)]
            yield Finding(f"adapter {name}", "ok", f"offers {', '.join(offers)}" if offers else "offers nothing")


def keys(settings: Settings, providers: Providers, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the keys of the providers in use are there: the variable's name, never its value."""
    targets = [*_targets(settings), parse_target(settings.memory.embedder)]
    for name in dict.fromkeys(target.provider for target in targets):
        try:
            adapter = providers.adapter(name)
        except PersonaError as error:
            yield failed(f"provider {name}", error)
        else:
            key = _key(name, settings.provider(name).key_env, wants_key(adapter, providers.provider(name)), environment)
            where = "it is sent what users say" if adapter.sends_outside else "nothing leaves this machine"
            yield replace(key, found=f"{key.found}; {where}")


def _key(name: str, variable: str, needs: bool, environment: Mapping[str, str]) -> Finding:
    topic = f"provider {name}"
    if not needs or not variable:
        return Finding(topic, "ok", "needs no key" if not needs else "is sent no key: none is named for its base_url")
    if environment.get(variable, "").strip():
        return Finding(topic, "ok", f"its key is in {variable}")
    return Finding(topic, "fail", f"{variable} is not set", f"put the key into {variable}, or name another in key_env")


def routes(settings: Settings, providers: Providers) -> Iterator[Finding]:
    """Whether each route's arms lead to something that can chat."""
    try:
        known = Routes(settings)
    except PersonaError as error:
        yield failed("routes", error)
        return
    for arm in known.all():
        topic = f"route {arm.route}"
        path = " then ".join(map(str, arm.targets))
        try:
            silent = [str(one) for one in arm.targets if providers.adapter(one.provider).chat is None]
        except PersonaError as error:
            yield failed(topic, error)
            continue
        share = settings.routes[arm.route].serve.get(arm.name, 0.0)
        if silent:
            yield Finding(topic, "fail", f"{', '.join(silent)} cannot chat", "name a target whose adapter offers chat")
        else:
            yield Finding(topic, "ok", f"arm {arm.name} ({share:.0%}): {path}")


def models(settings: Settings, providers: Providers, today: date) -> Iterator[Finding]:
    """What is known of each model in use: its context, and until when it is served."""
    for target in _usable(settings, providers):
        card, topic = providers.card(target), f"model {target}"
        if card is None:
            yield Finding(topic, "ok", "nothing is known of it: window.budget alone limits it, and its cost is unknown")
            continue
        known = f"{card.context_tokens:,} tokens of context" if card.context_tokens else "context unknown"
        left = _until(card.retires, today)
        dated = f" ({card.source}, {card.checked})" if card.checked else ""
        if left is None:
            yield Finding(topic, "ok", f"{known}, no retirement is known{dated}")
        elif left <= timedelta(0):
            yield Finding(topic, "warn", f"retired on {card.retires}{dated}", "serve the route with another model")
        elif left <= _SOON:
            yield Finding(topic, "warn", f"retires on {card.retires}{dated}", "plan to serve the route with another")
        else:
            yield Finding(topic, "ok", f"{known}, retires on {card.retires}{dated}")


def limits(settings: Settings, providers: Providers) -> Iterator[Finding]:
    """Whether each limit in dollars can hold: what a model without a known price costs is not seen by it."""
    usable = set(_usable(settings, providers))
    for number, rule in enumerate(settings.limits):
        if rule.usd is None:
            continue
        asked = {target for arm in _arms(settings, rule.route) for target in arm.targets}
        unpriced = sorted(str(target) for target in asked & usable if not _is_priced(providers.card(target)))
        topic = f"limit {number}"
        if unpriced:
            said = f"{rule.usd:g} dollars a {rule.per} cannot hold: the price of {', '.join(unpriced)} is unknown"
            yield Finding(topic, "warn", said, "limit its tokens too")
        else:
            yield Finding(topic, "ok", f"{rule.usd:g} dollars a {rule.per}, and the price of each model is known")


def _arms(settings: Settings, route: str) -> list[Arm]:
    try:
        return [arm for arm in Routes(settings).all() if route in ("", arm.route)]
    except PersonaError:
        return []  # what is wrong with the routes is told of them


def _is_priced(card: ModelCard | None) -> bool:
    return card is not None and card.input_price is not None and card.output_price is not None


def counters(settings: Settings, providers: Providers) -> Iterator[Finding]:
    """How the tokens of each model are counted, and how far its provider was seen to count differently."""
    for target in _usable(settings, providers):
        counter, seen = providers.counter(target), providers.calibration(target)
        counted = Counted(
            str(target),
            counter.name,
            label(counter, seen.samples),
            seen.ratio if seen.samples else None,
            seen.error if seen.samples else None,
            seen.samples,
            seen.scale(counter.exact),
        )
        said = f"{counted.label} ({counter.name}{_why_no_vocabulary(providers, target)})"
        yield Finding(f"counter {target}", "ok", f"{said}; {_calibrated(counted)}", counted=counted)


def embedder(settings: Settings, providers: Providers, memories: Mapping[str, int]) -> Finding:
    """Whether memories can be embedded, and whether all of them (their number by embedder) were by the one in use."""
    try:
        made = providers.embedder(settings.memory.embedder)
    except PersonaError as error:
        return failed("embedder", error)
    where = "in this process" if is_local(made) else "over the network"
    said = f"{made.name}, {made.dimension} dimensions, {where}"
    if stale := sum(memories.values()) - memories.get(made.name, 0):
        said = f"{said}; {stale:,} memories have vectors of another, and are found by their words alone"
        return Finding("embedder", "warn", said, "run `persona memory reembed`")
    return Finding("embedder", "ok", said)


def learning(settings: Settings, providers: Providers) -> Finding:
    """Whether facts are learnt from what users say, and by whom."""
    route = settings.memory.learn
    if not route:
        return Finding("learning", "ok", "off: facts are kept when they are told")
    try:
        able = learns(settings, Routes(settings), providers)
    except PersonaError as error:
        return failed("learning", error)
    if able:
        return Finding("learning", "ok", f"by the route {route}, one call for each message of a user")
    said = f"nothing is learnt: the model of the route {route} follows no instructions"
    return Finding("learning", "warn", said, "name a route with a language model in memory.learn, or none")


def _why_no_vocabulary(providers: Providers, target: Target) -> str:
    offered = providers.adapter(target.provider).tokenizer
    if offered is None:
        return ", its adapter brings no vocabulary"
    return "" if offered(target.model) else ", its vocabulary is not at hand"


def _calibrated(counted: Counted) -> str:
    if counted.samples:
        after = f"after {counted.samples} request{'' if counted.samples == 1 else 's'}"
        return f"its provider counts {counted.ratio:.3f} ± {counted.error:.3f} for each, {after}"
    return "no margin" if counted.label == "exact" else f"margin {counted.scale - 1:.0%} until its provider reports"


def _until(day: str, today: date) -> timedelta | None:
    try:
        return date.fromisoformat(day) - today
    except ValueError:
        return None


def _targets(settings: Settings) -> list[Target]:
    named = [
        target
        for route in settings.routes.values()
        for target in (*(arm.target for arm in route.arms.values()), *route.fallback)
    ]
    return [parse_target(target) for target in dict.fromkeys(named)]


def _usable(settings: Settings, providers: Providers) -> Iterator[Target]:
    """The targets whose adapter is there; the others are named as failures already."""
    for target in _targets(settings):
        try:
            providers.adapter(target.provider)
        except PersonaError:
            continue
        yield target
