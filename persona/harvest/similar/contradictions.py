"""Replies to one question that cannot both be right."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings
from persona.harvest.similar.claims import Claims, Slots, claims, differences
from persona.harvest.similar.columns import Gathered, Texts, in_batches
from persona.harvest.similar.duplicates import equal
from persona.harvest.similar.glance import ASKED
from persona.harvest.similar.pairing import NOBODY, Pairing, best_of, shared
from persona.harvest.similar.signature import QUESTIONS

_BATCH = 1024  # rows whose texts are in memory at a time
_VIEWS = 8  # how many different replies to one question the others are compared with
_MOST_UNLIKE = 20  # of 64 bits of the question's sketch: questions of a similarity of .7 differ in 10, give or take 3


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two rows that contradict each other, and in what; where none is kept, `kept` was dropped as well."""

    kept: int
    dropped: int
    differences: tuple[str, ...]


def find(
    gathered: Gathered,
    texts: Texts,
    ranks: NDArray[np.int32],
    there: NDArray[np.bool_],
    slots: Mapping[str, frozenset[str]],
    neither: bool,
) -> tuple[Contradiction, ...]:
    """The contradictions among the rows that are there. The better by `ranks` stays, or `neither` of the two.

    Rows are compared that ask the same question in the same context; in each group the replies are compared with the
    best ones that stay.
    """
    asked = _asked(gathered, texts, ranks, there)
    known = Slots(slots)
    found: list[Contradiction] = []
    groups = _Groups(asked, gathered.column("context"), ranks)
    said = _Said(chain.from_iterable(groups), texts, known)
    for group in groups:
        found += _in_group(group, said, neither)
    return tuple(found)


def _asked(gathered: Gathered, texts: Texts, ranks: NDArray[np.int32], there: NDArray[np.bool_]) -> NDArray[np.int32]:
    """For each row the row that stands for its question; NOBODY for rows that are not compared. Shape (rows,)."""
    digests = gathered.column("question")
    compared = there & (digests != 0)
    # the best of those there stands for a question
    to = equal(digests, np.where(compared, ranks, np.int32(len(ranks))))
    del digests
    to[~compared] = NOBODY
    out = np.flatnonzero(~compared).astype(np.int32)
    to[out] = out  # goes with itself: is not there

    def verdicts(rows: NDArray[np.int32], leaders: NDArray[np.int32]) -> NDArray[np.bool_]:
        return in_batches(rows, leaders, texts, readings.same_question)

    pairing = Pairing(ranks, to, ASKED, partial(gathered.take, "asked_look"), verdicts)
    keys = gathered.band("asked", QUESTIONS.bands - 1)
    for band in range(QUESTIONS.bands):
        orders, keys = keys, gathered.band("asked", band)
        pairing.settle(keys, orders, _MOST_UNLIKE)
    best = best_of(to)
    best[~compared] = NOBODY
    return best


class _Groups:
    """The rows that are compared with each other, best first, each list of at least two."""

    def __init__(self, asked: NDArray[np.int32], context: NDArray[np.uint64], ranks: NDArray[np.int32]) -> None:
        rows = np.flatnonzero((asked != NOBODY) & shared(asked)).astype(np.int32)
        rows = rows[np.lexsort((ranks[rows], context[rows], asked[rows]))]
        one, other = rows[1:], rows[:-1]
        self._rows = rows
        self._ends = np.flatnonzero((asked[one] != asked[other]) | (context[one] != context[other])) + 1

    def __iter__(self) -> Iterator[list[int]]:
        start = 0
        for end in chain(self._ends.tolist(), (len(self._rows),)):
            if end - start > 1:
                yield self._rows[start:end].tolist()
            start = end


def _in_group(group: Sequence[int], said: Callable[[int], Claims], neither: bool) -> Iterator[Contradiction]:
    views: list[tuple[int, Claims]] = []
    for row in group:
        mine = said(row)
        against = _contradicted(mine, views)
        if against is not None:
            kept, what = against
            yield Contradiction(kept, row, what)
            if neither:
                yield Contradiction(row, kept, what)
        elif len(views) < _VIEWS and all(mine != theirs for _, theirs in views):
            views.append((row, mine))


class _Said:
    """What rows claim, their texts read some at a time in the order in which the rows will be asked for."""

    def __init__(self, rows: Iterable[int], texts: Texts, slots: Slots) -> None:
        self._rows, self._texts, self._slots = iter(rows), texts, slots
        self._read: dict[int, tuple[str, str]] = {}

    def __call__(self, row: int) -> Claims:
        if row not in self._read:
            needed = sorted(islice(self._rows, _BATCH))
            self._read = dict(zip(needed, self._texts(needed), strict=True))
        return claims(*self._read[row], self._slots)


def _contradicted(mine: Claims, views: Sequence[tuple[int, Claims]]) -> tuple[int, tuple[str, ...]] | None:
    for row, theirs in views:
        what = differences(theirs, mine)
        if what:
            return row, what
    return None
