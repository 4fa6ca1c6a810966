"""The newest of several statements about one thing goes first; evidence is not weighed by its age otherwise.

A newer statement goes before one of the best hits when enough speaks for it:

    own + alike + linked + later + told + answers + counts anew + corrects - behind - another >= enough

how well it answers the question by itself, how close both are, whether it names something rare that the other names
("Dropped Spanish, I'm taking Portuguese"), whether it was said on another day, whether its wording tells of a change,
whether it holds what was asked for (an amount, a name) or another number of the size of one in the other, whether it
takes back what was said right before, how far the other is behind the best hit, and whether it is about somebody else
while the question and the other are about the one who asks. The weights are those of a logistic regression over pairs
of statements from users we tuned on, rounded. Who asks about themselves asks how things are now; a question about
others may as well ask what was, and takes more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.memory.intent import Intent
from persona.memory.wordings import Text, Wordings, counts_anew

HEADS, REACH = 3, 10
"""The first three statements among the first ten hits may be found to be stale."""

_OWN, _MOST_OWN = 1.2, 4.0  # for each standard deviation
_ALIKE, _LEAST_ALIKE, _MOST_ALIKE = 7.0, -0.1, 0.4  # for a centred cosine of 1; who says more repeats it
_LINKED = 3.0  # for each of the two rarest shared terms, as rare as can be
_LATER, _LATER_US = 0.8, 86_400_000_000  # for a day and more
_BEHIND = 5.0  # for a score of 0
_ENOUGH, _ENOUGH_OF_THINGS, _ENOUGH_OF_OTHERS = 5.0, 6.5, 12.0
_MOST_MOVED, _MOST_COUNTED = 3, 8  # for each of the best
_TOLD, _ANSWERS, _COUNTS_ANEW, _CORRECTS, _ANOTHER = 1.8, 1.0, 1.0, 5.0, -4.0


@dataclass(frozen=True, slots=True)
class Pool:
    """Statements that may be newer than one of the heads, and what is known of them but their wording.

    Their slots; how long after each head each was said, shape (heads, rows); how well each answers by itself; how
    alike each is to each head (-1 to 1) and how linked (0 to 2), shape (heads, rows); how far each head is behind the
    best hit, as a share of its score; which rows were said right after each head, shape (heads, rows).
    """

    slots: NDArray[np.intp]
    after_us: NDArray[np.int64]
    own: NDArray[np.float64]
    alike: NDArray[np.float64]
    linked: NDArray[np.float64]
    behind: NDArray[np.float64]
    follows: NDArray[np.bool_]


def newest_first(
    pool: Pool, hits: Sequence[int], heads: Sequence[int], wordings: Wordings, text: Text, intent: Intent
) -> list[int]:
    """The hits in their new order, with other rows of the pool that go before one of the heads.

    `wordings` are those of the slots, whose texts `text` gives; they are read only where that decides.
    """
    enough = _enough(intent)
    evidence = _evidence(pool)
    least = enough - _TOLD - _ANSWERS - _COUNTS_ANEW
    close = (evidence >= least) | (pool.follows & (evidence >= least - _CORRECTS))
    perhaps = np.flatnonzero(close.any(axis=0))
    if not len(perhaps):
        return list(hits)
    slots = pool.slots[perhaps]
    evidence = evidence[:, perhaps]
    evidence += _worded(pool, perhaps, heads, wordings, text, intent)
    _count(evidence, heads, slots, wordings, text, enough)
    order, moved, newer = list(hits), set[int](), evidence >= enough
    for head, row, some in zip(heads, evidence, newer, strict=True):
        found = some.nonzero()[0]
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


def _count(
    evidence: NDArray[np.float64],
    heads: Sequence[int],
    slots: NDArray[np.intp],
    wordings: Wordings,
    text: Text,
    enough: float,
) -> None:
    """Adds what another number of the same size weighs, where that decides: to the best that are short of it."""
    counting = wordings.amounts(slots, text)
    for head, row, its_own in zip(heads, evidence, wordings.amounts(np.array(heads, np.intp), text), strict=True):
        if not its_own or np.count_nonzero(row >= enough) >= _MOST_MOVED:
            continue
        short = np.flatnonzero((row >= enough - _COUNTS_ANEW) & (row < enough) & counting)
        for at in short[np.argsort(-row[short], kind="stable")][:_MOST_COUNTED].tolist():
            row[at] += _COUNTS_ANEW * counts_anew(text(head), text(int(slots[at])))


def _worded(
    pool: Pool, some: NDArray[np.intp], heads: Sequence[int], wordings: Wordings, text: Text, intent: Intent
) -> NDArray[np.float64]:
    """What the wording of some rows of the pool weighs before each head, shape (heads, rows); -inf: no statement."""
    slots = pool.slots[some]
    told = wordings.told(slots, text)
    alone = _TOLD * np.maximum(told, 0) + _ANSWERS * wordings.answers(intent.wanted, slots, text)
    alone[told < 0] = -np.inf
    weights: NDArray[np.float64] = alone + _CORRECTS * (wordings.corrects(slots, text) & pool.follows[:, some])
    if intent.of_nobody_else:
        ours = ~wordings.about_another(np.array(heads, np.intp), text)[:, None]
        weights += _ANOTHER * (ours & wordings.about_another(slots, text) & (pool.linked[:, some] == 0))
    return weights


def _enough(intent: Intent) -> float:
    if intent.of_oneself:
        return _ENOUGH
    return _ENOUGH_OF_OTHERS if intent.names else _ENOUGH_OF_THINGS


def _evidence(pool: Pool) -> NDArray[np.float64]:
    """What speaks for each row before each head but its wording, shape (heads, rows); -inf where it is not later."""
    evidence = pool.alike.clip(_LEAST_ALIKE, _MOST_ALIKE)
    evidence *= _ALIKE
    evidence += _LINKED * pool.linked
    evidence += (pool.after_us * (_LATER / _LATER_US)).clip(None, _LATER)
    evidence += _OWN * pool.own.clip(0, _MOST_OWN)
    evidence -= _BEHIND * pool.behind[:, None]
    evidence[pool.after_us <= 0] = -np.inf
    return evidence
