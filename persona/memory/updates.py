"""The newest of several statements about one thing goes first; evidence is not weighed by its age otherwise.

A newer statement goes before one of the best hits when enough speaks for it:

    own + alike + linked + told + later - behind >= enough

how well it answers the question by itself, how close both are, whether it names something rare that the other names
("Dropped Spanish, I'm taking Portuguese"), whether its wording tells of a change, whether it was said on another day,
and how far the other is behind the best hit. The weights are those of a logistic regression over pairs of statements
from users we tuned on, rounded. Who asks about themselves asks how things are now; a question about others may as well
ask what was, and takes more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEADS = 2
"""So many of the best hits may be found to be stale."""

_OWN, _MOST_OWN = 0.8, 5.0  # for each standard deviation
_ALIKE = 6.0  # for a centred cosine of 1
_LINKED = 3.0  # for each of the two rarest shared terms, as rare as can be
_TOLD = 1.5
_LATER, _LATER_US = 2.5, 86_400_000_000  # for a day and more
_BEHIND = 4.0  # for a score of 0
_ENOUGH, _ENOUGH_OF_OTHERS = 6.5, 13.0
_MOST_MOVED = 3  # for each of the best


@dataclass(frozen=True, slots=True)
class Pool:
    """The best hits, best first, and after them rows that only share rare terms with one of the first `HEADS`.

    For each row: when it was said, its score, its score without its neighbours, whether it is a statement; for each
    of the heads and each row how alike they are (-1 to 1) and how they are linked (0 to 2), shape (heads, rows).
    """

    at_us: NDArray[np.int64]
    total: NDArray[np.float64]
    own: NDArray[np.float64]
    statement: NDArray[np.bool_]
    alike: NDArray[np.float32]
    linked: NDArray[np.float64]


def newest_first(pool: Pool, hits: int, told: Callable[[int], float], *, of_oneself: bool) -> list[int]:
    """The order of the first `hits` of the pool, as indexes into it, and of other rows that go before one of them.

    `told` says of a row how much its wording tells of a change, -1 to 1, and is asked only where that decides.
    `of_oneself` is whether the question is about who asks it.
    """
    enough = _ENOUGH if of_oneself else _ENOUGH_OF_OTHERS
    evidence = _evidence(pool)
    order, moved = list(range(hits)), set[int]()
    for head, row in enumerate(evidence):
        better = []
        for at in np.flatnonzero(row >= enough - _TOLD).tolist():
            if at not in moved:
                wording = told(at) if row[at] < enough + _TOLD else 1.0
                better.append((row[at] + _TOLD * wording, -at))
        better.sort(reverse=True)
        for said, at in better[:_MOST_MOVED]:
            place = order.index(head)
            if said < enough or -at in order[:place]:
                continue
            if -at in order:
                order.remove(-at)
            order.insert(place, -at)
            moved.add(-at)
    return order


def _evidence(pool: Pool) -> NDArray[np.float64]:
    """What speaks for each row before each head but its wording, shape (heads, rows); -inf where it may not go."""
    heads = len(pool.alike)
    later_us = pool.at_us - pool.at_us[:heads, None]
    behind = (pool.total[0] - pool.total[:heads]) / max(1.0, float(pool.total[0]))
    evidence = _OWN * np.clip(pool.own, 0, _MOST_OWN) + _ALIKE * pool.alike + _LINKED * pool.linked
    evidence += _LATER * np.minimum(later_us / _LATER_US, 1) - _BEHIND * behind[:, None]
    after = np.arange(len(pool.at_us)) > np.arange(heads)[:, None]
    found: NDArray[np.float64] = np.where(after & (later_us > 0) & pool.statement, evidence, -np.inf)
    return found
