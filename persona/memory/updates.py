"""The newest of several statements about one thing goes first; evidence is not weighed by its age otherwise.

A newer statement goes before one of the best hits when enough speaks for it:

    own + alike + linked + later + told + answers + counts anew + corrects - behind - another >= enough

how well it answers the question by itself, how close both are, whether it names something rare that the other names
("Dropped Spanish, I'm taking Portuguese"), whether it was said on another day, whether its wording tells of a change,
whether it holds what was asked for (an amount, a name) or another number of the size of one in the other, whether it
takes back what was said right before, how far the other is behind the best hit, and whether it is about somebody else
while the question and the other are about the one who asks. The weights are those of a logistic regression over pairs
of statements from users we tuned on, rounded. Who asks about themselves asks how things are now; a question about
others may as well ask what was, and takes more. Who asks what was before a change gets the older first: by the same
evidence with the time turned round, and none of the change, for the older one does not tell of it.
"""

from collections.abc import Callable, Mapping, Sequence
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
    """The statements that may be stale: their slots and when each was said.

    How far each is behind the best hit, as a share of its score; how rare the terms are that others share with each (0
    to 2), by their slots; and the slots of what was said right after each, shape (2, heads), less than 0 for none.
    """

    slots: Sequence[int]
    at_us: NDArray[np.int64]
    behind: NDArray[np.float64]
    linked: Sequence[Mapping[int, float]]
    followers: NDArray[np.int32]


@record(frozen=True, slots=True)
class Pool:
    """Statements that may be newer than one of the heads, shape (rows,) each.

    Their slots, sorted; when each was said; how well each answers by itself.
    """

    slots: NDArray[np.intp]
    at_us: NDArray[np.int64]
    own: NDArray[np.float64]


Alike = Callable[[NDArray[np.intp]], NDArray[np.float64]]
"""How alike some sorted slots are to each head, -1 to 1, shape (heads, slots)."""


@record(frozen=True, slots=True)
class _Pairs:
    """Some heads, each with a slot of the pool, by their places there: how linked, or that one takes the other back."""

    head: NDArray[np.intp]
    at: NDArray[np.intp]
    linked: NDArray[np.float64]
    corrected: NDArray[np.bool_]

    def among(self, some: NDArray[np.intp]) -> "_Pairs":
        """The same pairs by their places among some places of the pool, those that are there."""
        if not len(self.at):
            return self
        at = np.minimum(some.searchsorted(self.at), len(some) - 1)
        there = some[at] == self.at
        return _Pairs(self.head[there], at[there], self.linked[there], self.corrected[there])


def newest_first(
    pool: Pool, heads: Heads, alike: Alike, hits: Sequence[int], wordings: Wordings, text: Text, intent: Intent
) -> list[int]:
    """The hits in their new order, with other rows of the pool that go before one of the heads.

    `wordings` are those of the slots, whose texts `text` gives; they are read only where that decides.
    """
    order, enough = list(hits), _enough(intent)
    least = enough - _COUNTS_ANEW - _ROUNDING
    alone = _alone(intent.wanted, intent.before)
    pairs = _pairs(pool, heads, wordings, text)
    answering = _OWN * np.minimum(np.maximum(pool.own, 0), _MOST_OWN)
    most = answering + alone.take(wordings.known(pool.slots))
    within = most >= least - _ALIKE * _MOST_ALIKE - _LATER
    within[pairs.at] = True
    (some,) = within.nonzero()
    if not len(some):
        return order
    slots, pairs = pool.slots[some], pairs.among(some)
    evidence = _evidence(alike(slots), pool.at_us[some], answering[some], heads, pairs)
    most = evidence + alone.take(wordings.known(slots))
    most[pairs.head, pairs.at] += _CORRECTS * pairs.corrected
    (some,) = (np.maximum.reduce(most) >= least).nonzero()
    if not len(some):
        return order
    slots, pairs, evidence = slots[some], pairs.among(some), evidence[:, some]
    read, of_heads = wordings.read(slots, text), wordings.read(np.array(heads.slots, np.intp), text)
    evidence += alone.take(read)
    evidence[pairs.head, pairs.at] += _CORRECTS * pairs.corrected
    if intent.of_nobody_else:
        _weigh_another(evidence, read, of_heads, pairs)
    short = (evidence >= enough - _COUNTS_ANEW) & (evidence < enough) & amounts(read) & amounts(of_heads)[:, None]
    if short.any():
        _count(evidence, short, heads, slots, text, enough)
    newer = evidence >= enough
    return _moved(order, heads, slots, evidence, newer) if newer.any() else order


def _moved(
    order: list[int],
    heads: Heads,
    slots: NDArray[np.intp],
    evidence: NDArray[np.float64],
    newer: NDArray[np.bool_],
) -> list[int]:
    moved = set[int]()
    for head, row, some in zip(heads.slots, evidence, newer, strict=True):
        (found,) = some.nonzero()
        if not len(found):
            continue
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


def _pairs(pool: Pool, heads: Heads, wordings: Wordings, text: Text) -> _Pairs:
    """The heads with what is linked to them, and with what corrects them right after."""
    of = [head for head, row in enumerate(heads.linked) for _ in row]
    slots = [slot for row in heads.linked for slot in row]
    linked = len(slots)
    for row in heads.followers.tolist():
        of += [head for head, slot in enumerate(row) if slot >= 0]
        slots += [slot for slot in row if slot >= 0]
    if not slots or not len(pool.slots):
        return _NO_PAIRS
    head, wanted = np.array(of, np.intp), np.array(slots, np.intp)
    at = np.minimum(pool.slots.searchsorted(wanted), len(pool.slots) - 1)
    there = pool.slots[at] == wanted
    values, corrected = np.zeros(len(slots)), np.zeros(len(slots), np.bool_)
    values[:linked] = [value for row in heads.linked for value in row.values()]
    corrected[linked:] = there[linked:]
    (follow,) = corrected.nonzero()
    if len(follow):
        corrected[follow] = there[follow] = corrects(wordings.read(wanted[follow], text))
    return _Pairs(head[there], at[there], values[there], corrected[there])


_NO_PAIRS = _Pairs(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0), np.zeros(0, np.bool_))


def _count(
    evidence: NDArray[np.float64],
    short: NDArray[np.bool_],
    heads: Heads,
    slots: NDArray[np.intp],
    text: Text,
    enough: float,
) -> None:
    """Adds what another number of the same size weighs, where that decides: to the best that are `short` of it."""
    for head, row, its_short in zip(heads.slots, evidence, short, strict=True):
        (found,) = its_short.nonzero()
        if not len(found) or np.count_nonzero(row >= enough) >= _MOST_MOVED:
            continue
        before = text(head)
        for at in found[(-row[found]).argsort(kind="stable")][:_MOST_COUNTED].tolist():
            row[at] += _COUNTS_ANEW * counts_anew(before, text(int(slots[at])))


def _weigh_another(evidence: NDArray[np.float64], read: Read, of_heads: Read, pairs: _Pairs) -> None:
    """Adds what it weighs that a row is about somebody else while a head to which no rare term links it is not."""
    others = about_another(read)
    if others.any():
        unlike = others & ~about_another(of_heads)[:, None]
        unlike[pairs.head, pairs.at] &= pairs.linked == 0
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


def _evidence(
    alike: NDArray[np.float64],
    at_us: NDArray[np.int64],
    answering: NDArray[np.float64],
    heads: Heads,
    pairs: _Pairs,
) -> NDArray[np.float64]:
    """What speaks for each row before each head but its wording, shape (heads, rows); -inf where it is not later."""
    evidence = np.maximum(alike, _LEAST_ALIKE)
    np.minimum(evidence, _MOST_ALIKE, out=evidence)
    evidence *= _ALIKE
    evidence[pairs.head, pairs.at] += _LINKED * pairs.linked
    later = (at_us - heads.at_us[:, None]) * (_LATER / _LATER_US)
    evidence += np.minimum(later, _LATER)
    evidence += answering
    evidence -= _BEHIND * heads.behind[:, None]
    np.putmask(evidence, later <= 0, -np.inf)
    return evidence
