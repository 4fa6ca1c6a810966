"""Two arms that serve at the same time, looked at as often as one likes: a test that stays valid.

A usual p-value is wrong as soon as somebody looks early and stops when it is small. This is the mixture sequential
probability ratio test for the difference of two means: Johari, Koomen, Pekelis and Walsh, Always Valid Inference:
Continuous Monitoring of A/B Tests (Operations Research 70, 2022, section 4), with variances as they are seen, for which
it holds in the limit: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform Central Limit Theory and Asymptotic
Confidence Sequences (Annals of Statistics 52, 2024). Pure numpy: numbers or arrays of any one shape.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

LEVEL = 0.95
FEWEST = 30
"""Users that each arm must have before anything is said: variances of fewer are not to be trusted."""

_MIXTURE = 0.2  # standard deviations: the test is quickest for effects of this size, at some 400 users in each arm
_SKEWED = 0.2  # skewness of the difference up to which it is taken for normal


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is known of one arm: users, the mean of their values, and the second and third moment around it."""

    users: Any
    mean: Any
    variance: Any
    third: Any


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The difference (the other arm minus the first), the interval that holds it at every look, and the p-value.

    `told` is False where there are too few users for either: the interval is infinite, and p is 1.
    """

    difference: Any
    low: Any
    high: Any
    p: Any
    told: Any


def state(base: Moments, other: Moments) -> State:
    """How it stands. The true difference is outside the interval at some look in 5 % of experiments at most.

    A small arm may not have met the rare values yet (a canary's first errors). So nothing is told while the difference
    is too skewed to be taken for normal, by Cochran's rule for one mean (Sampling Techniques, 1977, section 2.15: more
    than 25 skewness² users), with the skewness of both arms together.
    """
    users = [np.maximum(one.users, 1) for one in (base, other)]
    noise = base.variance / users[0] + other.variance / users[1]
    skewed = np.abs(_third(base, other) * (1 / users[1] ** 2.0 - 1 / users[0] ** 2.0)) > _SKEWED * noise**1.5
    told = (np.minimum(*users) >= FEWEST) & (noise > 0) & ~skewed
    noise = np.where(told, noise, 1.0)
    mixture = _MIXTURE**2 * np.where(told, (base.variance + other.variance) / 2, 1.0)
    grown = 1 + mixture / noise
    difference = other.mean - base.mean
    log_ratio = difference**2 * mixture / (2 * noise**2 * grown) - np.log(grown) / 2
    reach = np.sqrt(2 * noise**2 * grown / mixture * (np.log(grown) / 2 - np.log(1 - LEVEL)))
    reach = np.where(told, reach, np.inf)
    p = np.where(told, np.exp(-np.maximum(log_ratio, 0.0)), 1.0)
    return State(difference, difference - reach, difference + reach, p, told)


def _third(base: Moments, other: Moments) -> Any:
    """The third moment of the users of both arms around their common mean."""
    users = np.maximum(base.users + other.users, 1)
    mean = (base.users * base.mean + other.users * other.mean) / users
    third = 0.0
    for one in (base, other):
        apart = one.mean - mean
        third = third + one.users * (one.third + 3 * apart * one.variance + apart**3) / users
    return third
