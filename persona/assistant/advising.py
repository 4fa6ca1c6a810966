"""Prompt, retrieval or fine-tuning? Answered from the log: for an operator."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import mean, median

from persona.adapter import Adapter
from persona.assistant.database import prepared
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.errors import AdapterMissing, InvalidInput, NotFound, TuningClosed
from persona.promotion.advice import Advice, Judged, Prices, Seen, advise
from persona.settings import Settings
from persona.settings.fields import is_target, parse_target
from persona.store import advice
from persona.store.advice import Feedback, Totals
from persona.store.transaction import Transaction
from persona.tuning.bench import card_of
from persona.tuning.dates import check_open, warnings
from persona.values.plan import Plan, SectionName
from persona.values.request import Target
from persona.values.time import from_us

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Tunable:
    """What is known of tuning a model: prices in US dollars, words, and whether it is over."""

    training: float | None = None
    idle: float | None = None
    words: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    totals: Totals
    plans: Sequence[Plan]
    feedback: Sequence[Feedback]
    malformed: int
    usable: tuple[int, int, int]


def advise_on(
    settings: Settings,
    route: str,
    *,
    days: int = 90,
    training_price: float | None = None,
    hosting_price: float | None = None,
    base: str = "",
    environment: Mapping[str, str] | None = None,
    adapters: Sequence[Adapter] = (),
) -> Advice:
    """What comes first on a route, by the turns of so many days.

    Prices are US dollars: of a million trained tokens, and of an hour of hosting a tuned model; None is what the
    backend's card says, if it does. `base` is the target that would be tuned: without it, the one that serves most.
    Raises NotFound, and InvalidInput for what is no target.
    """
    if route not in settings.routes:
        raise NotFound(f"no route named {route!r}", hint=f"the settings have {', '.join(settings.routes)}")
    if base and not is_target(base):
        raise InvalidInput(f"the base {base!r} is no target", hint='it is written "provider:model"')
    since_us = utc_now_us() - int(timedelta(days=days).total_seconds() * 1_000_000)
    liked_from = settings.harvest.liked_from

    def read(tx: Transaction) -> _Read:
        told = advice.feedback(tx, route, since_us)
        good = liked_from if liked_from is not None else _middle(told)
        counts = advice.totals(tx, route, since_us), advice.plans(tx, route, since_us), told
        return _Read(*counts, advice.malformed(tx, route, since_us), advice.usable(tx, route, since_us, good))

    with prepared(settings) as database:
        found = database.run_now(read, write=False)
    providers = Providers(settings, os.environ if environment is None else environment, adapters)
    table = settings.routes[route]
    serving = parse_target(table.arms[max(table.serve, key=lambda name: table.serve[name])].target)
    tuned = parse_target(base) if base else serving
    known = _tunable(providers, tuned)
    prices = Prices(
        *_prices(providers, serving),
        known.training if training_price is None else training_price,
        known.idle if hosting_price is None else hosting_price,
    )
    return advise(
        replace(_seen(settings, route, found, prices), base=str(tuned), tuning=known.words, closed=known.closed)
    )


def _tunable(providers: Providers, base: Target) -> _Tunable:
    try:
        card = card_of(providers, base)
    except (AdapterMissing, NotFound) as error:
        return _Tunable(words=(f"unknown: {error}",))
    today, source = from_us(utc_now_us()).date(), f" ({card.source}, read {card.checked})" if card.source else ""
    if not card.methods and not card.closed:
        return _Tunable(words=(f"no method is known{source}",), closed=True)
    try:
        check_open(card, base.provider, card.methods[0] if card.methods else "sft", today)
    except TuningClosed as error:
        return _Tunable(words=(str(error),), closed=True)
    said = f"open, by {' or '.join(card.methods)}{source}"
    return _Tunable(card.training_price, card.idle_price, (said, *warnings(card, today)))


def _seen(settings: Settings, route: str, found: _Read, prices: Prices) -> Seen:
    totals, (usable, users, waiting) = found.totals, found.usable
    bad = [*_bad(found.feedback, settings.harvest.liked_from), *[Judged(malformed=True)] * found.malformed]
    return Seen(
        route=route,
        turns=totals.turns,
        days=max(1.0, (totals.last_us - totals.first_us) / _DAY_US),
        instructions=_tokens(found.plans, "instructions"),
        shots=_tokens(found.plans, "shots"),
        total=totals.planned,
        output=totals.output,
        cached=totals.cached,
        judged=len({one.reply_id for one in found.feedback}) + found.malformed,
        bad=bad,
        usable=usable,
        waiting=waiting,
        users=users,
        has_knowledge=bool(settings.routes[route].knowledge),
        prices=prices,
        test_share=settings.harvest.split.test,
    )


def _bad(feedback: Iterable[Feedback], liked_from: float | None) -> list[Judged]:
    """The replies that were corrected, asked for again, or rated worse than the others; each once."""
    given = list(feedback)
    least = liked_from if liked_from is not None else _middle(given)
    found: dict[str, Judged] = {}
    for one in given:
        low = one.kind == "rating" and one.rating is not None and one.rating < least
        if low or one.kind in ("correction", "regeneration"):
            recalled = any(shown.included for shown in one.plan.section("recall").candidates)
            correction = one.text if one.kind == "correction" else ""
            known = found.get(one.reply_id)
            found[one.reply_id] = Judged(one.reply, correction or (known.correction if known else ""), recalled)
    return list(found.values())


def _middle(feedback: Iterable[Feedback]) -> float:
    """Where nothing says which ratings are good: the median, below which a rating is bad."""
    return median([one.rating for one in feedback if one.rating is not None] or [0.0])


def _tokens(plans: Sequence[Plan], section: SectionName) -> float:
    return mean(plan.section(section).tokens for plan in plans) if plans else 0.0


def _prices(providers: Providers, serving: Target) -> tuple[float | None, float | None]:
    """What reading costs on the arm that serves most, afresh and from the cache."""
    try:
        card = providers.card(serving)
    except AdapterMissing:  # it is installed where the route is served
        return None, None
    return (card.input_price, card.cache_read_price) if card else (None, None)
