"""The newest of several statements about one thing goes first; evidence is not weighed by its age otherwise.

A newer statement goes before one of the best hits when enough speaks for it:

    own + alike + linked + told + answers + later - behind >= enough

how well it answers the question by itself, how close both are, whether it names something rare that the other names
("Dropped Spanish, I'm taking Portuguese"), whether its wording tells of a change, whether it holds what was asked for
(an amount, a name), whether it was said on another day, and how far the other is behind the best hit. The weights are
those of a logistic regression over pairs of statements from users we tuned on, rounded. Who asks about themselves asks
how things are now; a question about others may as well ask what was, and takes more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.memory.intent import Intent

HEADS, REACH = 2, 10
"""The first two statements among the first ten hits may be found to be stale."""

_OWN, _MOST_OWN = 1.0, 4.0  # for each standard deviation
_ALIKE = 5.0  # for a centred cosine of 1
_LINKED = 3.0  # for each of the two rarest shared terms, as rare as can be
_TOLD = 2.0
_ANSWERS = 1.5
_LATER, _LATER_US = 1.5, 86_400_000_000  # for a day and more
_BEHIND = 6.0  # for a score of 0
_ENOUGH, _ENOUGH_OF_THINGS, _ENOUGH_OF_OTHERS = 6.5, 8.0, 13.0
_MOST_MOVED = 3  # for each of the best


@dataclass(frozen=True, slots=True)
class Pool:
    """Statements that may be newer than one of the heads, and what is known of them but their wording.

    Their slots; how long after each head each was said, shape (heads, rows); how well each answers by itself; how
    alike each is to each head (-1 to 1) and how linked (0 to 2), shape (heads, rows); how far each head is behind the
    best hit, as a share of its score.
    """

    slots: NDArray[np.intp]
    after_us: NDArray[np.int64]
    own: NDArray[np.float64]
    alike: NDArray[np.float64]
    linked: NDArray[np.float64]
    behind: NDArray[np.float64]


Worded = Callable[[NDArray[np.intp]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Of some slots, how far their wording tells of a change and whether it could answer the question, -1 to 1 each."""


def newest_first(pool: Pool, hits: Sequence[int], heads: Sequence[int], worded: Worded, intent: Intent) -> list[int]:
    """The hits in their new order, with other rows of the pool that go before one of the heads.

    `worded` is asked only where that decides.
    """
    enough = _enough(intent)
    evidence = _evidence(pool)
    perhaps = np.flatnonzero((evidence >= enough - _TOLD - _ANSWERS).any(axis=0))
    slots = pool.slots[perhaps]
    told, answers = worded(slots)
    evidence = evidence[:, perhaps] + _TOLD * told + _ANSWERS * answers
    order, moved = list(hits), set[int]()
    for head, row in zip(heads, evidence, strict=True):
        found = np.flatnonzero(row >= enough)
        better = sorted(zip(row[found].tolist(), slots[found].tolist(), strict=True), reverse=True)
        for _, slot in [one for one in better if one[1] not in moved][:_MOST_MOVED]:
            place = order.index(head)
            if slot in order[:place]:
                continue
            if slot in order:
                order.remove(slot)
            order.insert(place, slot)
            moved.add(slot)
    return order


def _enough(intent: Intent) -> float:
    if intent.of_oneself:
        return _ENOUGH
    return _ENOUGH_OF_OTHERS if intent.names else _ENOUGH_OF_THINGS


def _evidence(pool: Pool) -> NDArray[np.float64]:
    """What speaks for each row before each head but its wording, shape (heads, rows); -inf where it is not later."""
    evidence = _OWN * np.clip(pool.own, 0, _MOST_OWN) + _ALIKE * pool.alike + _LINKED * pool.linked
    evidence += _LATER * np.minimum(pool.after_us / _LATER_US, 1) - _BEHIND * pool.behind[:, None]
    evidence[pool.after_us <= 0] = -np.inf
    return evidence
