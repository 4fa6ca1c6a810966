"""Which rows hold a term, and how well a row answers the terms of a query (BM25).

Flat numpy arrays instead of a dict of lists: 14 bytes a posting, so that a thousand owners fit in a process.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persona.memory.columns import Column
from persona.memory.scores import PRIOR_ROWS

# Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.5
_SATURATION = 0.9
_LENGTH_SHARE = 0.4  # both low: memories are short, and their lengths alike
_MOST_REPEATS = 65_535
_TAIL, _TAIL_SHARE = 512, 64  # the tail is merged beyond 512 postings and a 64th of the sorted ones


class Postings:
    """The terms of the rows in slots 0, 1, 2 …: a part sorted by term, and a short unsorted tail of new ones.

    A term is kept as its 64-bit hash. Which slots are alive, the caller says; dead ones stay till `keep`.
    """

    def __init__(self) -> None:
        self._keys = np.empty(0, np.int64)
        self._slots = np.empty(0, np.int32)
        self._repeats = np.empty(0, np.uint16)
        self._tail_keys = Column(np.int64)
        self._tail_slots = Column(np.int32)
        self._tail_repeats = Column(np.uint16)
        self._lengths = Column(np.int32)
        self._total_length = 0

    @property
    def nbytes(self) -> int:
        """The bytes of all the arrays."""
        arrays = (self._keys, self._slots, self._repeats)
        columns = (self._tail_keys, self._tail_slots, self._tail_repeats, self._lengths)
        return sum(array.nbytes for array in arrays) + sum(column.nbytes for column in columns)

    def extend(self, rows: Sequence[Sequence[str]]) -> None:
        """Appends the rows, each given by its terms, in the next slots."""
        keys: list[int] = []
        slots: list[int] = []
        repeats: list[int] = []
        for slot, terms in enumerate(rows, start=len(self._lengths)):
            counted = Counter(terms)
            keys.extend(map(hash, counted))
            slots.extend([slot] * len(counted))
            repeats.extend(min(times, _MOST_REPEATS) for times in counted.values())
        lengths = [len(terms) for terms in rows]
        self._tail_keys.extend(keys)
        self._tail_slots.extend(slots)
        self._tail_repeats.extend(repeats)
        self._lengths.extend(lengths)
        self._total_length += sum(lengths)
        if len(self._tail_keys) > _TAIL + len(self._keys) // _TAIL_SHARE:
            self._merge()

    def drop(self, slot: int) -> None:
        """Leaves the row out of the mean length."""
        self._total_length -= int(self._lengths.values[slot])

    def keep(self, live: NDArray[np.bool_], renumbered: NDArray[np.int32]) -> None:
        """Forgets the postings of dead slots and gives the others their new numbers."""
        self._merge()
        chosen = live[self._slots]
        self._keys = self._keys[chosen]
        self._slots = renumbered[self._slots[chosen]]
        self._repeats = self._repeats[chosen]
        self._lengths.keep(live)

    def relevance(
        self, terms: Sequence[str], live: NDArray[np.bool_], rows: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """BM25 of every slot as a share of an ideal row's, and the share of the distinct terms that it holds.

        Both have the shape (slots,) and are 0 where no term is shared. The ideal row has the mean length and holds
        every query term once, also those that nobody has said. `rows` is the number of live slots.
        """
        keys = np.unique(np.fromiter(map(hash, terms), np.int64))
        if not len(keys) or not rows:
            return np.zeros(len(live)), np.zeros(len(live))
        which, slots, repeats = self._find(keys)
        alive = live[slots]
        which, slots, repeats = which[alive], slots[alive], repeats[alive]
        holders = np.bincount(which, minlength=len(keys))
        rarity = np.log1p((rows + PRIOR_ROWS - holders + 0.5) / (holders + 0.5))
        mean_length = max(self._total_length / rows, 1.0)
        longer = 1 - _LENGTH_SHARE + _LENGTH_SHARE / mean_length * self._lengths.values[slots]
        weights = rarity[which] * repeats * (_SATURATION + 1) / (repeats + _SATURATION * longer)
        shares = np.bincount(slots, weights, minlength=len(live)) / rarity.sum()
        return shares, np.bincount(slots, minlength=len(live)) / len(keys)

    def _find(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64]]:
        """Every posting of the sorted `keys`: which key, which slot, how often."""
        starts = np.searchsorted(self._keys, keys, "left")
        found = np.searchsorted(self._keys, keys, "right") - starts
        which = np.repeat(np.arange(len(keys)), found)
        at = np.arange(len(which)) + np.repeat(starts - (np.cumsum(found) - found), found)
        tail = self._tail_keys.values
        near = np.minimum(np.searchsorted(keys, tail), len(keys) - 1)
        new = np.flatnonzero(keys[near] == tail)
        return (
            np.concatenate((which, near[new])),
            np.concatenate((self._slots[at], self._tail_slots.values[new])),
            np.concatenate((self._repeats[at], self._tail_repeats.values[new])).astype(np.float64),
        )

    def _merge(self) -> None:
        order = np.argsort(self._tail_keys.values, kind="stable")
        keys = self._tail_keys.values[order]
        at = np.searchsorted(self._keys, keys, "right")
        self._keys = np.insert(self._keys, at, keys)
        self._slots = np.insert(self._slots, at, self._tail_slots.values[order])
        self._repeats = np.insert(self._repeats, at, self._tail_repeats.values[order])
        self._tail_keys = Column(np.int64)
        self._tail_slots = Column(np.int32)
        self._tail_repeats = Column(np.uint16)
