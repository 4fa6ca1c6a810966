"""Prompt, retrieval or fine-tuning? Answered from the log: for an operator."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean, median

from persona.assistant.operator import prepared
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.errors import AdapterMissing, NotFound
from persona.promotion.advice import Advice, Judged, Prices, Seen, advise
from persona.settings import Settings
from persona.settings.fields import parse_target
from persona.store import advice
from persona.store.advice import Feedback, Totals
from persona.store.engine import Transaction
from persona.values.plan import Plan, SectionName

_DAY_US = 86_400_000_000


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
    environment: Mapping[str, str] | None = None,
) -> Advice:
    """What comes first on a route, by the turns of so many days.

    Prices are US dollars: of a million trained tokens, and of an hour of hosting a tuned model; None is unknown.
    Raises NotFound.
    """
    if route not in settings.routes:
        raise NotFound(f"no route named {route!r}", hint=f"the settings have {', '.join(settings.routes)}")
    since_us = utc_now_us() - int(timedelta(days=days).total_seconds() * 1_000_000)
    liked_from = settings.harvest.liked_from

    def read(tx: Transaction) -> _Read:
        told = advice.feedback(tx, route, since_us)
        good = liked_from if liked_from is not None else _middle(told)
        counts = advice.totals(tx, route, since_us), advice.plans(tx, route, since_us), told
        return _Read(*counts, advice.malformed(tx, route, since_us), advice.usable(tx, route, since_us, good))

    with prepared(settings) as database:
        found = database.run_now(read, write=False)
    prices = _prices(settings, route, os.environ if environment is None else environment)
    known = Prices(*prices, training_price, hosting_price)
    return advise(_seen(settings, route, found, known))


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


def _prices(settings: Settings, route: str, environment: Mapping[str, str]) -> tuple[float | None, float | None]:
    """What reading costs on the arm that serves most, afresh and from the cache."""
    table = settings.routes[route]
    arm = table.arms[max(table.serve, key=lambda name: table.serve[name])]
    try:
        card = Providers(settings, environment).card(parse_target(arm.target))
    except AdapterMissing:  # it is installed where the route is served
        return None, None
    return (card.input_price, card.cache_read_price) if card else (None, None)
