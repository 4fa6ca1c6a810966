"""Two arms on the same examples: how large the difference is, how sure, and what so many examples could show.

Pure, and the same for the same seed. Examples of one user resemble each other, so the user is the unit everywhere: a
hundred examples of three users say little more than three.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

from persona.evaluation.quantiles import below, normal, student

Floats = NDArray[np.float64]

LEVEL = 0.95
POWER = 0.8
_DRAWS = 4_000  # of the bootstrap: a limit of the interval moves by some hundredths of its width from seed to seed
_SHUFFLES = 9_999
_EXACT = 14  # users whose signs are all tried: 16,384 ways
_AT_ONCE = 4_000_000  # numbers in memory
_ROUNDING = 1e-9
_NEVER_SEEN = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Differences between two arms (the other minus the first), summed by user.

    `differences` has the shape (examples,), `sums` and `counts` (users,); all are float64.
    """

    differences: Floats
    sums: Floats
    counts: Floats

    @property
    def users(self) -> int:
        """How many there are."""
        return len(self.sums)

    @property
    def mean(self) -> float:
        """The mean difference over the examples."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def error(self) -> float:
        """The standard error of the mean, robust to what the examples of a user have in common.

        Linearised ratio with the factor k/(k-1): Cameron and Miller, A Practitioner's Guide to Cluster-Robust
        Inference (2015), section II.
        """
        if self.users < 2:
            return float("inf")
        left = self.sums - self.mean * self.counts
        factor = self.users / (self.users - 1)
        return sqrt(factor * float(left @ left)) / float(self.counts.sum())


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference and what it lies between at the usual level (95 %)."""

    mean: float
    low: float
    high: float


def pairs(base: Sequence[float], other: Sequence[float], users: Sequence[int]) -> Pairs:
    """The pairs of values that both arms have on the same examples, and whose example each is; none may be empty."""
    differences = np.asarray(other, np.float64) - np.asarray(base, np.float64)
    _, whose = np.unique(np.asarray(users), return_inverse=True)
    return Pairs(differences, np.bincount(whose, differences).astype(np.float64), np.bincount(whose).astype(np.float64))


def interval(found: Pairs, seed: int, span: float | None = None) -> Interval:
    """The mean difference with its confidence interval: users drawn with replacement, as often as there are users.

    The percentile interval, widened as Student's t is for few users (Hesterberg, What Teachers Should Know About the
    Bootstrap, 2015, section 5.3). Where all users differ alike no draw shows what was not seen: there the interval
    reaches as far as `span`, the most a difference can be, with a probability of 3/users (the rule of three: Hanley
    and Lippman-Hand, 1983).
    """
    mean, k = found.mean, found.users
    if k < 2:
        return Interval(mean, -span if span else -np.inf, span or np.inf)
    means = np.concatenate(list(_drawn(found, np.random.default_rng([seed, k, 1]))))
    tail = below(-sqrt(k / (k - 1)) * student((1 + LEVEL) / 2, k - 1))
    low, high = (float(value) for value in np.quantile(means, [tail, 1 - tail]))
    if span and high - low < _ROUNDING:
        unseen = min(1.0, _NEVER_SEEN / k)
        low, high = mean - unseen * (span + mean), mean + unseen * (span - mean)
    return Interval(mean, low, high)


def _drawn(found: Pairs, dice: np.random.Generator) -> Iterator[Floats]:
    """The mean difference of each draw, some thousand draws at a time."""
    rows = max(1, _AT_ONCE // found.users)
    for start in range(0, _DRAWS, rows):
        who = dice.integers(found.users, size=(min(rows, _DRAWS - start), found.users))
        yield found.sums[who].sum(1) / found.counts[who].sum(1)


def permutation(found: Pairs, seed: int) -> float:
    """The two-sided p of no difference: the arms' names are swapped user by user.

    All ways of swapping are tried for up to 14 users who differ, else 9,999 drawn ones, which count with the one that
    was seen: Phipson and Smyth, Permutation P-values Should Never Be Zero (2010).
    """
    sums = found.sums[np.abs(found.sums) > _ROUNDING]
    seen = abs(float(sums.sum())) - _ROUNDING
    if not len(sums):
        return 1.0
    if len(sums) <= _EXACT:
        ways = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float(np.mean(np.abs((1 - 2 * ways) @ sums) >= seen))
    dice, beyond = np.random.default_rng([seed, len(sums), 2]), 0
    rows = max(1, _AT_ONCE // len(sums))
    for start in range(0, _SHUFFLES, rows):
        ways = dice.integers(2, size=(min(rows, _SHUFFLES - start), len(sums)), dtype=np.int8)
        beyond += int(np.sum(np.abs(sums.sum() - 2 * (ways.astype(np.float64) @ sums)) >= seen))
    return (beyond + 1) / (_SHUFFLES + 1)


def mcnemar(lost: int, won: int) -> float:
    """McNemar's exact two-sided p, of the examples that one arm alone passed, and those that the other alone did.

    The binomial form (McNemar 1947; exact: Fagerland, Lydersen and Laake 2013). It takes examples for independent.
    """
    differing = lost + won
    ways = sum(comb(differing, passed) for passed in range(min(lost, won) + 1))
    return min(1.0, float(2 * ways / 2**differing))


def detectable(found: Pairs) -> float:
    """The smallest true difference that so many users show with a probability of 80 % at the 5 % level.

    (t + z) standard errors: Cohen, Statistical Power Analysis (1988), section 2. Infinite, which is to say unknown,
    for one user, and where all of them differ alike.
    """
    if found.users < 2 or found.error < _ROUNDING**2:
        return float("inf")
    return (student((1 + LEVEL) / 2, found.users - 1) + normal(POWER)) * found.error


def detectable_with(users: int, deviation: float) -> float:
    """The same before anything was compared: for so many users whose differences have this standard deviation."""
    if users < 2:
        return float("inf")
    return (student((1 + LEVEL) / 2, users - 1) + normal(POWER)) * deviation / sqrt(users)


def holm(values: Sequence[float]) -> list[float]:
    """p-values corrected for being several, in their order (Holm 1979): some are wrong in 5 % of families at most."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    corrected, reached = [1.0] * len(values), 0.0
    for rank, at in enumerate(order):
        reached = max(reached, min(1.0, (len(values) - rank) * values[at]))
        corrected[at] = reached
    return corrected
