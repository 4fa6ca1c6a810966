"""Two arms as they serve, from the log: what each user met in turns of each arm, and what can be said of it by now.

A user who met both arms counts in each of them. That makes the noise look larger than it is, so never the reverse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from persona.evaluation.sequential import LEVEL, Moments, State, state
from persona.store.outcomes import Outcome
from persona.values.comparison import Better, Live, LiveMetric

_LOOKS = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Outcome:
    better: Better
    of: Callable[[Outcome], float | None]


METRICS: Mapping[str, _Outcome] = {
    "rating": _Outcome("higher", lambda one: one.rating),
    "mended": _Outcome("lower", lambda one: float(one.mended) if one.answered else None),
    "failed": _Outcome("lower", lambda one: float(not one.answered)),
    "cost_usd": _Outcome("lower", lambda one: one.cost if one.answered else None),
    "latency_ms": _Outcome("lower", lambda one: one.latency_ms if one.answered else None),
}
"""What is compared: ratings, replies that were corrected or asked for again, turns without a reply, cost, time."""


def live(route: str, arms: tuple[str, str], since_us: int, found: Sequence[Outcome]) -> Live:
    """How the arms stand, of outcomes in the order of time. Pure."""
    some = [one for one in found if one.arm in arms]
    turns = tuple(sum(one.arm == arm for one in some) for arm in arms)
    metrics = [_metric(name, arms, some) for name in METRICS]
    others = sorted({one.arm for one in found} - set(arms))
    notes: tuple[str, ...] = (f"turns of {', '.join(others)} are not compared",) if others else ()
    unpriced = sum(one.cost is None for one in some)
    if unpriced:
        notes += (f"{unpriced} turns have no known price, and are not in the cost",)
    return Live(route, arms, since_us, (turns[0], turns[1]), tuple(one for one in metrics if one), notes)


def _metric(name: str, arms: tuple[str, str], found: Sequence[Outcome]) -> LiveMetric | None:
    metric = METRICS[name]
    rows = [(one, value) for one in found if (value := metric.of(one)) is not None]
    if not rows:
        return None
    arm = np.array([arms.index(one.arm) for one, _ in rows])
    user = np.unique(np.array([one.user for one, _ in rows]), return_inverse=True)[1]
    values = np.array([each for _, each in rows], np.float64)
    looks = np.unique(np.linspace(1, len(rows), min(_LOOKS, len(rows))).astype(int))
    states: list[tuple[int, State]] = []
    for most in looks.tolist():
        base, other = (_moments(user[:most], values[:most], arm[:most] == place) for place in (0, 1))
        states.append((rows[most - 1][0].started_us, state(base, other)))
    now, p = states[-1][1], min(float(one.p) for _, one in states)
    since = next((at for at, one in states if float(one.p) <= 1 - LEVEL), 0)
    low, high = (float(end) if isfinite(end) else None for end in (now.low, now.high))
    return LiveMetric(
        *(name, metric.better, (int(base.users), int(other.users))),
        base=float(base.mean),
        other=float(other.mean),
        difference=float(now.difference),
        low=low,
        high=high,
        p=p,
        since_us=since,
    )


def _moments(users: NDArray[np.intp], values: Floats, chosen: NDArray[np.bool_]) -> Moments:
    """The moments of the users' own means."""
    sums, counts = np.bincount(users[chosen], values[chosen]), np.bincount(users[chosen])
    means = sums[counts > 0] / counts[counts > 0]
    if len(means) < 2:
        return Moments(len(means), float(means.sum()), 0.0, 0.0)
    mean = float(means.mean())
    return Moments(len(means), mean, float(means.var(ddof=1)), float(((means - mean) ** 3).mean()))
