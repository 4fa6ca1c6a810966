"""Many experiments at once, each looked at as users come: what a test of the sequential test stands on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from persona.evaluation.sequential import Moments, state

Floats = NDArray[np.float64]
Test = Callable[[Moments, Moments], NDArray[np.bool_]]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
EXPERIMENTS, LOOKS = 2_000, 100


def binary(share: float) -> Draw:
    """Users of whom a share passes."""
    return lambda dice, shape: (dice.random(shape) < share).astype(np.float64)


def normal(dice: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Users whose values lie around 0."""
    return dice.normal(size=shape)


def costs(dice: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Users some of whom cost much more than most."""
    return dice.lognormal(0.0, 1.0, shape)


def always_valid(base: Moments, other: Moments) -> NDArray[np.bool_]:
    """Where the sequential test says that the arms differ."""
    seen = state(base, other)
    return np.asarray((seen.low > 0) | (seen.high < 0))


def usual(base: Moments, other: Moments) -> NDArray[np.bool_]:
    """Where a z test at 5 % says so, which was made to be looked at once."""
    error = np.sqrt(base.variance / base.users + other.variance / other.users)
    return np.asarray(np.abs(other.mean - base.mean) > 1.96 * error)


def alarms(
    base: Draw,
    other: Draw,
    users: tuple[int, int],
    test: Callable[[Moments, Moments], NDArray[np.bool_]] = always_valid,
) -> float:
    """The share of experiments in which the arms differ at any look; `users` are those of each arm at the end."""
    dice = np.random.default_rng(1)
    moments = [_moments(draw(dice, (EXPERIMENTS, most))) for draw, most in zip((base, other), users, strict=True)]
    return float(test(moments[0], moments[1]).any(1).mean())


def alarms_of_returning_users(users: int, replies: int) -> float:
    """The same where nothing differs, users come back, and each one's replies resemble each other."""
    dice = np.random.default_rng(1)
    sums, counts = np.zeros((2, EXPERIMENTS, users)), np.zeros((2, users))
    nature = 0.5 * dice.normal(size=(2, EXPERIMENTS, users))
    first = np.sort(dice.integers(LOOKS, size=(2, users)), 1)
    comes = np.minimum(first[..., None] + dice.integers(1, LOOKS, size=(2, users, replies)), LOOKS)
    alarm = np.zeros(EXPERIMENTS, bool)
    for look in range(1, LOOKS + 1):
        for arm, user, _ in np.argwhere(comes == look):
            sums[arm, :, user] += nature[arm, :, user] + dice.normal(size=EXPERIMENTS) > 0
            counts[arm, user] += 1
        moments = [_of_users(sums[arm], counts[arm]) for arm in (0, 1)]
        if min(moment.users for moment in moments) > 1:
            alarm |= always_valid(moments[0], moments[1])
    return float(alarm.mean())


def _of_users(sums: Floats, counts: Floats) -> Moments:
    there = counts > 0
    means = sums[:, there] / counts[there]
    users = means.shape[1]
    if users < 2:
        return Moments(users, 0.0, 0.0, 0.0)
    mean = means.mean(1)
    return Moments(users, mean, means.var(1, ddof=1), ((means - mean[:, None]) ** 3).mean(1))


def _moments(values: Floats) -> Moments:
    """At each look, the moments of the users so far; shape (experiments, looks)."""
    at = np.arange(1, LOOKS + 1) * values.shape[1] // LOOKS
    first, second, third = (np.cumsum(values**power, 1)[:, at - 1] / at for power in (1, 2, 3))
    variance = np.maximum(second - first**2, 0) * at / np.maximum(at - 1, 1)
    return Moments(at, first, variance, third - 3 * first * second + 2 * first**3)
