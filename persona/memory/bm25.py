"""BM25 over flat numpy arrays: of rows, and of rows with their neighbours as one text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.memory.neighbours import Windows
from persona.memory.scores import PRIOR_ROWS

# Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), 3.5
_SATURATION = 0.9
_LENGTH_SHARE = 0.4  # both low: memories are short, and their lengths alike


@dataclass(frozen=True, slots=True)
class Lengths:
    """What BM25 adds to a term's count for the length of each slot, shape (slots,), and of its window.

    The latter by places (`neighbours`), shape (1 + slots,).
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
    own_holders, own_said = np.bincount(which, minlength=terms), repeats + lengths.own.take(slots)
    if lengths.windows.alone:
        weights = _weights(own_holders, rows).take(which) * repeats
        alone: NDArray[Any] = np.bincount(slots, weights / own_said, minlength=len(lengths.own))
        return alone, alone
    # a row lends its terms to those it is a neighbour of: all that is lent is counted, and each brings its part of that
    lent, each = lengths.windows.members.take(slots, axis=1), len(lengths.near)
    places = lent + which * each
    counts = np.bincount(places.ravel(), np.concatenate([repeats] * len(lent)), minlength=terms * each)
    counts[::each] = np.inf
    said: NDArray[Any] = counts.take(places)
    # the parts of each window add up to one, in whatever order the rows came
    holders = np.rint(np.bincount(which, np.add.reduce(repeats / said), minlength=terms))
    weights = _weights(np.array((own_holders, holders)), rows).take(which, axis=1)
    weights *= repeats
    own: NDArray[Any] = np.bincount(slots, weights[0] / own_said, minlength=len(lengths.own))
    said += lengths.near.take(lent)
    np.divide(weights[1], said, out=said)
    near: NDArray[Any] = np.bincount(lent.ravel(), said.ravel(), minlength=each)[1:]
    return own, near


def _weights(holders: NDArray[Any], rows: int) -> NDArray[np.float64]:
    """What each term weighs in an ideal row, by how many rows hold it. Shape (…, terms)."""
    rarity = np.log1p((rows + PRIOR_ROWS + 0.5 - holders) / (holders + 0.5))
    rarity *= (_SATURATION + 1) / np.add.reduce(rarity, axis=-1, keepdims=True)
    return rarity
