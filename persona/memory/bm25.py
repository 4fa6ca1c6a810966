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
    """What BM25 adds to a term's count for the length of each slot, shape (slots,), and of its window.

    The latter begin with one for `NOBODY`, shape (1 + slots,).
    """

    windows: Windows
    own: NDArray[np.float64]
    near: NDArray[np.float64]

    @classmethod
    def of(cls, lengths: NDArray[np.int32], rows: int, windows: Windows) -> "Lengths":
        """By the number of terms in each slot, 0 for dead ones; `rows` are alive."""
        alone = lengths.astype(np.float64)
        near = np.concatenate((np.zeros(1), windows.sums(alone)))
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
    lengths: Lengths,
    rows: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BM25 of every slot, and of every slot with its neighbours as one text, each as a share of an ideal row's.

    By the postings: which of the `terms`, in which slot, how often; a (term, slot) comes once.
    """
    weights = _weights(np.bincount(which, minlength=terms), rows).take(which)
    weights *= repeats
    shares = weights / (repeats + lengths.own.take(slots))
    own: NDArray[Any] = np.bincount(slots, shares, minlength=len(lengths.own))
    if lengths.windows.alone:
        return own, own
    # a row lends its terms to those it is a neighbour of: all that is lent is counted, and each brings its part of that
    lent = lengths.windows.members.take(slots, axis=1) - np.intp(NOBODY)  # from 1 on: 0 is nobody
    each = len(lengths.near)
    places = lent + which * each
    counts = np.bincount(places.ravel(), np.concatenate([repeats] * len(lent)), minlength=terms * each)
    counts[::each] = np.inf
    said: NDArray[Any] = counts.take(places)
    # the parts of each window add up to one, in whatever order the rows came
    holders = np.rint(np.bincount(which, np.add.reduce(repeats / said), minlength=terms))
    weights = _weights(holders, rows).take(which)
    weights *= repeats
    said += lengths.near.take(lent)
    np.divide(weights, said, out=said)
    near: NDArray[Any] = np.bincount(lent.ravel(), said.ravel(), minlength=each)[1:]
    return own, near


def _weights(holders: NDArray[Any], rows: int) -> NDArray[np.float64]:
    """What each term weighs in an ideal row, by how many rows hold it."""
    rarity = np.log1p((rows + PRIOR_ROWS + 0.5 - holders) / (holders + 0.5))
    rarity *= (_SATURATION + 1) / np.add.reduce(rarity)
    return rarity
