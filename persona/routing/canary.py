"""When a canary is clearly worse than the arm beside it, though somebody looks again and again. Pure.

Users are assigned to arms by a hash, so while the arms serve equally well, which users have a failure (a complaint, a
dear turn) has nothing to do with their arm, however their own turns hang together. The number of such users among the
canary's is then hypergeometric: Fisher's exact test, one-sided (Statistical Methods for Research Workers, 1934, section
21.02), valid from the first user on. The k-th look may use 6/(πk)² of the level, which sums to it over all looks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from persona.values.promotion import Lived

LEVEL = 0.05
"""How often a canary that is no worse is taken back, over all measures and looks together: at most."""

_NEGLIGIBLE = 1e-17


@dataclass(frozen=True, slots=True)
class Alarm:
    """One measure in which a canary is clearly worse; `p` is that of this look, which `allowed` may at most have."""

    measure: str
    words: str
    p: float
    allowed: float


Bad = tuple[Sequence[bool], Sequence[bool]]
"""Which users of the base and of the canary have it."""


def alarm(base: Sequence[Lived], canary: Sequence[Lived], look: int, cost_ratio: float) -> Alarm | None:
    """What is clear of a canary at its k-th look, the first one being 1: the clearest measure, or None."""
    measures: Mapping[str, tuple[str, Callable[[], Bad]]] = {
        "failures": (
            "had a turn that its model did not answer",
            lambda: _each(base, canary, lambda one: one.failed > 0),
        ),
        "complaints": ("corrected or regenerated a reply", lambda: _each(base, canary, lambda one: one.complaints > 0)),
        "ratings": ("rated below the median", lambda: _ratings(base, canary)),
        "cost": (
            f"cost more than the median, at {cost_ratio:g} times the other's",
            lambda: _costs(base, canary, cost_ratio),
        ),
    }
    allowed = LEVEL / len(measures) * 6 / (math.pi * look) ** 2
    found = [_alarm(name, words, bad(), allowed) for name, (words, bad) in measures.items()]
    return min((one for one in found if one.p <= allowed), key=lambda one: one.p, default=None)


def exact(bad_base: int, base: int, bad_canary: int, canary: int) -> float:
    """The chance of so many or more of the bad users among the canary's, when the arm has nothing to do with it."""
    bad, everybody = bad_base + bad_canary, base + canary
    whole, total = _log_choose(everybody, bad), 0.0
    for number in range(bad_canary, min(bad, canary) + 1):
        if bad - number <= base:
            term = math.exp(_log_choose(canary, number) + _log_choose(base, bad - number) - whole)
            total += term
            if number * everybody > bad * canary and term < total * _NEGLIGIBLE:  # past the middle they only shrink
                break
    return min(total, 1.0)


def _alarm(measure: str, words: str, bad: Bad, allowed: float) -> Alarm:
    base, canary = bad
    p = exact(sum(base), len(base), sum(canary), len(canary))
    told = f"{sum(canary)} of {len(canary)} users {words}, and {sum(base)} of {len(base)} beside it"
    return Alarm(measure, f"{told} (p = {p:.1g}; {allowed:.1g} at this look was enough)", p, allowed)


def _each(base: Sequence[Lived], canary: Sequence[Lived], is_bad: Callable[[Lived], bool]) -> Bad:
    return [is_bad(one) for one in base], [is_bad(one) for one in canary]


def _ratings(base: Sequence[Lived], canary: Sequence[Lived]) -> Bad:
    given = [[one.rating for one in arm if one.rating is not None] for arm in (base, canary)]
    if not all(given):
        return [], []
    middle = median([*given[0], *given[1]])
    return [one < middle for one in given[0]], [one < middle for one in given[1]]


def _costs(base: Sequence[Lived], canary: Sequence[Lived], ratio: float) -> Bad:
    """The median test (Mood, 1950), with the base's costs as high as the canary's may be."""
    paid = [[one.cost for one in arm if one.cost is not None] for arm in (base, canary)]
    if not all(paid):
        return [], []
    may = [cost * ratio for cost in paid[0]]
    middle = median([*may, *paid[1]])
    return [cost > middle for cost in may], [cost > middle for cost in paid[1]]


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
