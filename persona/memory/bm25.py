"""BM25 over flat numpy arrays: of rows, and of rows with their neighbours as one text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.memory.neighbours import NOBODY, Windows
from persona.memory.scores import PRIOR_ROWS

# Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.5
_SATURATION = 0.9
_LENGTH_SHARE = 0.4  # both low: memories are short, and their lengths alike


@dataclass(frozen=True, slots=True)
class Lengths:
    """What BM25 adds to a term's count for the length of each slot, and of its window, shape (slots,) each."""

    windows: Windows
    own: NDArray[np.float64]
    near: NDArray[np.float64]

    @classmethod
    def of(cls, lengths: NDArray[np.int32], rows: int, windows: Windows) -> "Lengths":
        """By the number of terms in each slot, 0 for dead ones; `rows` are alive."""
        alone = lengths.astype(np.float64)
        near = windows.sums(alone)
        return cls(windows, _of_length(alone, rows), _of_length(near, rows))


def _of_length(lengths: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    mean = max(float(lengths.sum()) / rows, 1.0)
    added: NDArray[np.float64] = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE / mean * lengths)
    return added


def bm25(
    terms: int,
    which: NDArray[np.intp],
    slots: NDArray[np.integer[Any]],
    repeats: NDArray[np.float64],
    lengths: NDArray[np.float64],
    rows: int,
) -> NDArray[np.float64]:
    """BM25 of every slot as a share of an ideal row's; a (term, slot) comes once. `lengths`: those of `Lengths`."""
    holders = np.bincount(which, minlength=terms)
    rarity = np.log1p((rows + PRIOR_ROWS + 0.5 - holders) / (holders + 0.5))
    rarity *= (_SATURATION + 1) / np.add.reduce(rarity)
    weights = rarity.take(which)
    weights *= repeats
    weights /= repeats + lengths.take(slots)
    return np.bincount(slots, weights, minlength=len(lengths))


def spread(
    terms: int,
    which: NDArray[np.intp],
    slots: NDArray[np.int32],
    repeats: NDArray[np.float64],
    windows: Windows,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """The postings of each row with its neighbours as one text: a row lends its terms to those it is a neighbour of."""
    lent = windows.members.take(slots, axis=1)
    each = 1 + windows.members.shape[1]  # a term's row begins with what is lent to NOBODY
    places = which * each - NOBODY + lent
    sums: NDArray[Any] = np.bincount(places.ravel(), np.concatenate([repeats] * len(lent)), minlength=terms * each)
    sums[::each] = 0
    (filled,) = (sums > 0).nonzero()
    which = filled // each
    return which, filled - which * each + NOBODY, sums[filled]
