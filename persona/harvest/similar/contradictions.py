"""Replies to one question that cannot both be right."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, pairwise

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings
from persona.harvest.similar.claims import Claims, Slots, claims, differences
from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.duplicates import equal
from persona.harvest.similar.glance import ASKED
from persona.harvest.similar.pairing import NOBODY, Pairing, best_of, shared
from persona.harvest.similar.signature import QUESTIONS
from persona.harvest.similar.texts import Each, Texts, agreeing, size_of_part

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
    each: Each,
) -> tuple[Contradiction, ...]:
    """The contradictions among the rows that are there. The better by `ranks` stays, or `neither` of the two.

    Rows are compared that ask the same question in the same context; in each group the replies are compared with the
    best ones that stay.
    """
    asked = _asked(gathered, texts, ranks, there, each)
    groups = _Groups.of(asked, gathered.column("context"), ranks)
    return tuple(chain.from_iterable(each(partial(_within, texts, Slots(slots), neither), groups.parts())))


def _asked(
    gathered: Gathered, texts: Texts, ranks: NDArray[np.int32], there: NDArray[np.bool_], each: Each
) -> NDArray[np.int32]:
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
        return agreeing(rows, leaders, texts, readings.same_question, each)

    pairing = Pairing(ranks, to, ASKED, partial(gathered.take, "asked_look"), verdicts)
    keys = gathered.band("asked", QUESTIONS.bands - 1)
    for band in range(QUESTIONS.bands):
        orders, keys = keys, gathered.band("asked", band)
        pairing.settle(keys, orders, _MOST_UNLIKE)
    best = best_of(to)
    best[~compared] = NOBODY
    return best


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows, group after group and the best of each first; those of a group are compared with each other.

    `starts` is where each group begins, shape (groups,).
    """

    rows: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, asked: NDArray[np.int32], context: NDArray[np.uint64], ranks: NDArray[np.int32]) -> "_Groups":
        """Those that ask the same in the same context, of all rows."""
        rows = np.flatnonzero((asked != NOBODY) & shared(asked)).astype(np.int32)
        rows = rows[np.lexsort((ranks[rows], context[rows], asked[rows]))]
        one, other = rows[1:], rows[:-1]
        new = (asked[one] != asked[other]) | (context[one] != context[other])
        return cls(rows, np.flatnonzero(np.append(True, new)[: len(rows)]))

    def parts(self) -> list["_Groups"]:
        """The same in parts of whole groups, in their order."""
        number = self.starts // size_of_part(len(self.rows))
        first = np.flatnonzero(np.append(True, number[1:] != number[:-1])[: len(number)])
        pieces = zip(np.split(self.rows, self.starts[first[1:]]), np.split(self.starts, first[1:]), strict=True)
        return [_Groups(some, at - at[0]) for some, at in pieces if len(at)]

    def __iter__(self) -> Iterator[list[int]]:
        for start, end in pairwise((*self.starts.tolist(), len(self.rows))):
            if end - start > 1:
                yield self.rows[start:end].tolist()


def _within(texts: Texts, slots: Slots, neither: bool, groups: _Groups) -> list[Contradiction]:
    said = _Said(chain.from_iterable(groups), texts, slots)
    return [one for group in groups for one in _in_group(group, said, neither)]


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
