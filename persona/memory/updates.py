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
from functools import cache

import numpy as np
from numpy.typing import NDArray

from persona.memory.intent import Intent, Wanted
from persona.memory.wordings import (
    UNREAD,
    Read,
    Text,
    Wordings,
    about_another,
    amounts,
    answers,
    corrects,
    counts_anew,
    told,
)

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
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Pool:
    """Statements that may be newer than one of the heads, and what is known of them but their wording.

    Their slots; how long after each head each was said, shape (heads, rows); how well each answers by itself; how
    alike each is to each head (-1 to 1) and how linked (0 to 2), shape (heads, rows); how far each head is behind the
    best hit, as a share of its score; which rows were said right after each head, shape (heads, rows), None for none.
    """

    slots: NDArray[np.intp]
    after_us: NDArray[np.int64]
    own: NDArray[np.float64]
    alike: NDArray[np.float64]
    linked: NDArray[np.float64]
    behind: NDArray[np.float64]
    follows: NDArray[np.bool_] | None


def newest_first(
    pool: Pool, hits: Sequence[int], heads: Sequence[int], wordings: Wordings, text: Text, intent: Intent
) -> list[int]:
    """The hits in their new order, with other rows of the pool that go before one of the heads.

    `wordings` are those of the slots, whose texts `text` gives; they are read only where that decides.
    """
    enough = _enough(intent)
    evidence = _evidence(pool)
    most = evidence + _alone(intent.wanted).take(wordings.known(pool.slots))
    least = enough - _COUNTS_ANEW - _ROUNDING
    close = most >= least
    if pool.follows is not None:
        close |= pool.follows & (most >= least - _CORRECTS)
    (perhaps,) = close.any(axis=0).nonzero()
    if not len(perhaps):
        return list(hits)
    slots = pool.slots[perhaps]
    evidence = evidence[:, perhaps]
    evidence += _worded(pool, perhaps, heads, wordings, text, intent)
    newer = evidence >= enough
    if _count(evidence, newer, heads, slots, wordings, text, enough):
        newer = evidence >= enough
    order, moved = list(hits), set[int]()
    if not newer.any():
        return order
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


def within_reach(own: NDArray[np.float64], known: Read, intent: Intent) -> NDArray[np.bool_]:
    """Which rows may go before a head to which no rare term links them and which they do not follow.

    By how well each answers by itself and what is known of its wording, shape (rows,) each.
    """
    most = _answering(own) + _alone(intent.wanted).take(known)
    return most >= _enough(intent) - _COUNTS_ANEW - _ALIKE * _MOST_ALIKE - _LATER - _ROUNDING


def _count(
    evidence: NDArray[np.float64],
    newer: NDArray[np.bool_],
    heads: Sequence[int],
    slots: NDArray[np.intp],
    wordings: Wordings,
    text: Text,
    enough: float,
) -> bool:
    """Adds what another number of the same size weighs, where that decides: to the best that are short of it.

    Returns whether any was.
    """
    short = (evidence >= enough - _COUNTS_ANEW) & ~newer & amounts(wordings.read(slots, text))
    short &= amounts(wordings.read(np.array(heads, np.intp), text))[:, None]
    any_short = bool(short.any())
    if any_short:
        for head, row, its_newer, its_short in zip(heads, evidence, newer, short, strict=True):
            if np.count_nonzero(its_newer) >= _MOST_MOVED:
                continue
            (at_short,) = its_short.nonzero()
            for at in at_short[np.argsort(-row[at_short], kind="stable")][:_MOST_COUNTED].tolist():
                row[at] += _COUNTS_ANEW * counts_anew(text(head), text(int(slots[at])))
    return any_short


def _worded(
    pool: Pool, some: NDArray[np.intp], heads: Sequence[int], wordings: Wordings, text: Text, intent: Intent
) -> NDArray[np.float64]:
    """What the wording of some rows of the pool weighs before each head, shape (heads, rows); -inf: no statement."""
    read = wordings.read(pool.slots[some], text)
    weights = _alone(intent.wanted).take(read)[None]
    if pool.follows is not None:
        weights = weights + _CORRECTS * (corrects(read) & pool.follows[:, some])
    if intent.of_nobody_else and (others := about_another(read)).any():
        ours = ~about_another(wordings.read(np.array(heads, np.intp), text))[:, None]
        weights = weights + _ANOTHER * (ours & others & (pool.linked[:, some] == 0))
    return weights


@cache
def _alone(wanted: Wanted) -> NDArray[np.float64]:
    """What each wording weighs by itself, shape (UNREAD + 1,); what is unread may weigh as much as any."""
    every: Read = np.arange(UNREAD, dtype=np.uint16)
    weights = _TOLD * np.maximum(told(every), 0) + _ANSWERS * answers(wanted, every)
    weights[told(every) < 0] = -np.inf
    return np.append(weights, weights.max())


def _enough(intent: Intent) -> float:
    if intent.of_oneself:
        return _ENOUGH
    return _ENOUGH_OF_OTHERS if intent.names else _ENOUGH_OF_THINGS


def _answering(own: NDArray[np.float64]) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = _OWN * np.minimum(np.maximum(own, 0), _MOST_OWN)
    return weights


def _evidence(pool: Pool) -> NDArray[np.float64]:
    """What speaks for each row before each head but its wording, shape (heads, rows); -inf where it is not later."""
    evidence = np.maximum(pool.alike, _LEAST_ALIKE)
    np.minimum(evidence, _MOST_ALIKE, out=evidence)
    evidence *= _ALIKE
    evidence += _LINKED * pool.linked
    later = pool.after_us * (_LATER / _LATER_US)
    evidence += np.minimum(later, _LATER)
    evidence += _answering(pool.own)
    evidence -= _BEHIND * pool.behind[:, None]
    np.putmask(evidence, later <= 0, -np.inf)
    return evidence
