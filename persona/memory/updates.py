"""The newest of several statements about one thing goes first; evidence is not weighed by its age otherwise.

A newer statement goes before one of the best hits when enough speaks for it:

    own + alike + linked + later + told + answers + counts anew + corrects - behind - another >= enough

how well it answers the question by itself, how close both are, whether it names something rare that the other names
("Dropped Spanish, I'm taking Portuguese"), whether it was said on another day, whether its wording tells of a change,
whether it holds what was asked for (an amount, a name) or another number of the size of one in the other, whether it
takes back what was said right before, how far the other is behind the best hit, and whether it is about somebody else
while the question and the other are about the one who asks. The weights are those of a logistic regression over pairs
of statements from users we tuned on, rounded. Who asks about themselves asks how things are now; a question about
others may as well ask what was, and takes more, most of all one that names somebody where several speak. Who asks what
was before a change gets the older first: by the same evidence with the time turned round, and none of the change, for
the older one does not tell of it.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from persona.values.record import record

HEADS, REACH = 3, 10
"""The first three statements among the first ten hits may be found to be stale."""

_OWN, _MOST_OWN = 1.2, 3.0  # for each standard deviation
_ALIKE, _LEAST_ALIKE, _MOST_ALIKE = 7.0, -0.1, 0.4  # for a centred cosine of 1; who says more repeats it
_LINKED = 2.5  # for each of the two rarest shared terms, as rare as can be
_LATER, _LATER_US = 0.8, 86_400_000_000  # for a day and more
_BEHIND = 5.0  # for a score of 0
_ENOUGH, _ENOUGH_OF_THINGS, _ENOUGH_OF_OTHERS = 5.0, 6.5, 12.0
_MOST_MOVED, _MOST_COUNTED = 4, 8  # for each of the best
_TOLD, _ANSWERS, _COUNTS_ANEW, _CORRECTS, _ANOTHER = 1.8, 1.3, 1.0, 5.0, -5.0
_ROUNDING = 1e-9


@record(frozen=True, slots=True)
class Heads:
    """The statements that may be stale.

    Their slots; and, shape (heads, 1), when each was said, and how far each is behind the best hit, as a share of its
    score.
    """

    slots: Sequence[int]
    at_us: NDArray[np.int64]
    behind: NDArray[np.float64]


Pairs = dict[tuple[int, int], float]
"""Heads, by their places among them, each with a slot that is linked to it or corrects it right after.

How rare the terms are that both share, more than 0 to 2; 0 is for what takes something back.
"""


@record(frozen=True, slots=True)
class Pool:
    """Statements that may be newer than one of the heads, shape (rows,) each.

    Their slots, sorted; when each was said; how well each answers by itself; and, shape (heads, rows), how alike each
    is to each head, -1 to 1.
    """

    slots: NDArray[np.intp]
    at_us: NDArray[np.int64]
    own: NDArray[np.float64]
    alike: NDArray[np.float64]


def pairs_of(
    linked: Sequence[Mapping[int, float]], followers: Iterable[tuple[int, int]], wordings: Wordings, text: Text
) -> Pairs:
    """The pairs, by how rare the terms are that slots share with each head, and by what was said right after each.

    What takes nothing back of the latter, each with the place of its head, is left out.
    """
    pairs = {(head, slot): rare for head, row in enumerate(linked) for slot, rare in row.items()}
    pairs |= {(head, slot): 0.0 for head, slot in followers if corrects(wordings.of(slot, text))}
    return pairs


def least_own(intent: Intent) -> NDArray[np.float64]:
    """How well a row in no pair must answer by itself to go before a head, by its wording, shape (UNREAD + 1,).

    What answers worse could not make up for it by being as alike and as new as can be: all that may speak for such a
    row in `_evidence` is counted here.
    """
    return _least_own(intent.wanted, intent.before, _enough(intent))


def newest_first(
    pool: Pool,
    heads: Heads,
    pairs: Pairs,
    hits: NDArray[np.intp],
    wordings: Wordings,
    text: Text,
    intent: Intent,
) -> list[int]:
    """The hits in their new order, with other rows of the pool that go before one of the heads.

    `wordings` are those of the slots, whose texts `text` gives; they are read only where that decides.
    """
    pairs, enough = _among(pool.slots, pairs), _enough(intent)
    of_heads, read = [wordings.of(head, text) for head in heads.slots], wordings.known(pool.slots)
    alone, any_read = _alone(intent.wanted, intent.before), int(np.bitwise_or.reduce(read))
    evidence = _evidence(pool, heads, pairs)
    own = np.minimum(np.maximum(pool.own, 0.0), _MOST_OWN)
    own *= _OWN
    if any_read & UNREAD:
        perhaps = (evidence + (own + alone.take(read)) >= _least(enough)).any(axis=0)
        (deciding,) = ((read == UNREAD) & perhaps).nonzero()
        read[deciding] = wordings.read(pool.slots[deciding], text)
    evidence += own + alone.take(read)
    if intent.of_nobody_else and (any_read & UNREAD or about_another(any_read)):
        _weigh_another(evidence, read, of_heads, pairs)
    order: list[int] = hits.tolist()
    moved: set[int] = set()
    for head, row, of_head in zip(heads.slots, evidence, of_heads, strict=True):
        (newer,) = (row >= enough).nonzero()
        if len(newer) < _MOST_MOVED and amounts(of_head):
            _count(row, read, text(head), pool.slots, text, enough)
            (newer,) = (row >= enough).nonzero()
        if len(newer):
            best = newer.take(row.take(newer).argsort(kind="stable")[::-1][: _MOST_MOVED + len(moved)])
            _move(order, head, pool.slots.take(best).tolist(), moved)
    return order


def _among(pool: NDArray[np.intp], pairs: Pairs) -> Pairs:
    """The pairs in the pool, by their places there."""
    if not pairs:
        return pairs
    places = pool.searchsorted([slot for _, slot in pairs])
    there = zip(pairs.items(), places.tolist(), pool.take(places, mode="clip").tolist(), strict=True)
    return {(head, at): rare for ((head, slot), rare), at, found in there if found == slot}


def _move(order: list[int], head: int, better: Sequence[int], moved: set[int]) -> None:
    """Puts the best of what is newer before the head, but for what was moved before."""
    place = order.index(head)
    for slot in [one for one in better if one not in moved][:_MOST_MOVED]:
        if slot in order:
            if (at := order.index(slot)) < place:
                continue
            del order[at]
        order.insert(place, slot)
        place += 1
        moved.add(slot)


def _count(
    row: NDArray[np.float64],
    read: Read,
    before: str,
    slots: NDArray[np.intp],
    text: Text,
    enough: float,
) -> None:
    """Adds what another number of the same size weighs, where that decides: to the best that are short of enough."""
    (short,) = ((row >= enough - _COUNTS_ANEW) & (row < enough)).nonzero()
    short = short[amounts(read.take(short)) > 0]
    best = short.take((-row.take(short)).argsort(kind="stable")[:_MOST_COUNTED])
    for at, slot in zip(best.tolist(), slots.take(best).tolist(), strict=True):
        if counts_anew(before, text(slot)):
            row[at] += _COUNTS_ANEW


def _weigh_another(evidence: NDArray[np.float64], read: Read, of_heads: Sequence[int], pairs: Pairs) -> None:
    """Adds what it weighs that a row is about somebody else while a head to which no rare term links it is not."""
    unlike = (about_another(read) > 0) & np.array([[not about_another(one)] for one in of_heads])
    for pair, rare in pairs.items():
        unlike[pair] &= rare == 0
    evidence += _ANOTHER * unlike


@cache
def _alone(wanted: Wanted, before: bool) -> NDArray[np.float64]:
    """What each wording weighs by itself, shape (UNREAD + 1,); what is unread may weigh as much as any."""
    every: Read = np.arange(UNREAD, dtype=np.uint16)
    weights = _TOLD * (1.0 if before else np.maximum(told(every), 0)) + _ANSWERS * answers(wanted, every)
    weights[told(every) < 0] = -np.inf
    return np.append(weights, weights.max())


def _enough(intent: Intent) -> float:
    if intent.of_oneself:
        return _ENOUGH
    return _ENOUGH_OF_OTHERS if intent.names else _ENOUGH_OF_THINGS


def _least(enough: float) -> float:
    """The evidence without which no other number of the same size would be enough."""
    return enough - _COUNTS_ANEW - _ROUNDING


@cache
def _least_own(wanted: Wanted, before: bool, enough: float) -> NDArray[np.float64]:
    missing: NDArray[np.float64] = _least(enough) - _ALIKE * _MOST_ALIKE - _LATER - _alone(wanted, before)
    missing[missing <= 0] = -np.inf
    missing[missing > _OWN * _MOST_OWN] = np.inf
    return missing / _OWN


def _evidence(pool: Pool, heads: Heads, pairs: Pairs) -> NDArray[np.float64]:
    """What speaks for each row beside each head, shape (heads, rows); -inf where it is not later."""
    evidence = np.maximum(pool.alike, _LEAST_ALIKE)
    np.minimum(evidence, _MOST_ALIKE, out=evidence)
    evidence *= _ALIKE
    for pair, rare in pairs.items():
        evidence[pair] += _LINKED * rare if rare else _CORRECTS
    later = (pool.at_us - heads.at_us) * (_LATER / _LATER_US)
    evidence += np.minimum(later, _LATER)
    evidence -= _BEHIND * heads.behind
    np.putmask(evidence, later <= 0, -np.inf)
    return evidence
