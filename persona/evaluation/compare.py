"""From what was played to numbers and a verdict: the same for the same answers and seed. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite, isnan

from persona.errors import InvalidInput
from persona.evaluation.metrics import METRICS
from persona.evaluation.paired import detectable, holm, interval, mcnemar, pairs, permutation
from persona.values.comparison import Measured, Verdict

Values = Mapping[str, tuple[float, float]]
"""What the base and the other arm get for one example, by metric."""

_TOPICS = 20  # the commonest: a report with more is not read
_FEWEST = 5  # examples of a topic
_EVEN = 1e-9


def measure(values: Sequence[Values], users: Sequence[str], topics: Sequence[str], seed: int) -> tuple[Measured, ...]:
    """Every metric on all examples and, where there are several, on the commonest topics.

    Shapes: one of each for an example, in the same order.
    """
    numbered = {user: number for number, user in enumerate(dict.fromkeys(users))}
    whose = [numbered[user] for user in users]
    common = [topic for topic, number in Counter(filter(None, topics)).most_common(_TOPICS) if number >= _FEWEST]
    found: list[Measured] = []
    for name in METRICS:
        whole = _measured(name, "", values, whose, range(len(values)), seed)
        if whole is None:
            continue
        parts = [
            _measured(name, topic, values, whose, [at for at, one in enumerate(topics) if one == topic], seed)
            for topic in common
            if len(common) > 1
        ]
        found += [whole, *_corrected([part for part in parts if part is not None])]
    return tuple(found)


def verdict(measured: Measured, margin: float) -> Verdict:
    """What can be said of a metric: by its interval, from the side on which the metric is better."""
    sign = -1.0 if measured.better == "lower" else 1.0
    ends = [sign * end if end is not None else None for end in (measured.low, measured.high)]
    low, high = ends if sign > 0 else ends[::-1]
    if low is not None and low > 0:
        return "better"
    if low is not None and low > -margin:
        return "not worse"
    return "worse" if high is not None and high < 0 else "cannot tell"


def in_words(measured: Measured, margin: float, arms: tuple[str, str]) -> str:
    """The verdict as a sentence for a person, with its figures."""
    base, other = arms
    found = verdict(measured, margin)
    said = {
        "better": f"{other} is better than {base}",
        "not worse": f"{other} is not worse than {base} by {margin:g} or more",
        "worse": f"{other} is worse than {base}",
        "cannot tell": f"{measured.pairs} examples of {measured.users} users cannot tell {other} from {base}",
    }[found]
    figures = f"{measured.metric} {measured.base:.3g} -> {measured.other:.3g}"
    between = (
        "" if measured.low is None else f", the difference is between {measured.low:+.3g} and {measured.high:+.3g}"
    )
    least = measured.detectable
    enough = f"; differences from {least:.2g} on would show" if least is not None else ""
    return f"{said}: {figures}{between} (95 %){enough if found == 'cannot tell' else ''}"


def chosen(by: str, measured: Sequence[Measured]) -> Measured:
    """The metric that the verdict is about: the one asked for, or the first of the table that was measured.

    Raises InvalidInput, with those that there are.
    """
    whole = {one.metric: one for one in measured if not one.topic}
    if not whole:
        raise InvalidInput("no example was answered by both arms", hint="see what failed, and try again")
    name = by or next(name for name, one in METRICS.items() if name in whole and one.better)
    if name not in whole:
        raise InvalidInput(f"{name!r} was not measured", hint=f"--by takes one of {', '.join(whole)}")
    if not whole[name].better:
        raise InvalidInput(f"more or less {name} is neither better nor worse", hint="--by takes another metric")
    return whole[name]


def _measured(
    name: str, topic: str, values: Sequence[Values], users: Sequence[int], places: Sequence[int], seed: int
) -> Measured | None:
    some = [at for at in places if name in values[at] and not any(map(isnan, values[at][name]))]
    if not some:
        return None
    metric = METRICS[name]
    base, other = ([values[at][name][arm] for at in some] for arm in (0, 1))
    found = pairs(base, other, [users[at] for at in some])
    between, least = interval(found, seed, metric.span), detectable(found)
    sign = -1.0 if metric.better == "lower" else 1.0
    gains = [sign * (after - before) for before, after in zip(base, other, strict=True)]
    won, lost = sum(gain > _EVEN for gain in gains), sum(gain < -_EVEN for gain in gains)
    p = permutation(found, seed)
    return Measured(
        *(name, topic, metric.better, len(some), found.users),
        *(sum(base) / len(some), sum(other) / len(some), between.mean),
        low=_bounded(between.low),
        high=_bounded(between.high),
        p=p,
        corrected=p,
        detectable=_bounded(least),
        mcnemar=mcnemar(lost, won) if metric.passes else None,
        wins=won,
        losses=lost,
    )


def _corrected(parts: Sequence[Measured]) -> list[Measured]:
    corrected = holm([part.p for part in parts])
    return [replace(part, corrected=p) for part, p in zip(parts, corrected, strict=True)]


def _bounded(value: float) -> float | None:
    return value if isfinite(value) else None
