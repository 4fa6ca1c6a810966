"""Exact and near duplicates."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings
from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.glance import PAIR
from persona.harvest.similar.pairing import NOBODY, Pairing, shared
from persona.harvest.similar.signature import PAIRS
from persona.harvest.similar.texts import Each, Texts, agreeing

_MOST_UNLIKE = 36  # of 128 bits of the sketch: rows of a similarity of .6 differ in 26, give or take 5


@dataclass(frozen=True, slots=True)
class Alike:
    """Where each row goes, NOBODY if it stays, and whether its text is exactly that row's. Shape (rows,) each."""

    to: NDArray[np.int32]
    exact: NDArray[np.bool_]


def find(gathered: Gathered, texts: Texts, ranks: NDArray[np.int32], known: frozenset[str], each: Each) -> Alike:
    """Finds the duplicates of all rows; `ranks` says which of two is kept, and `known` are values of slots."""
    to = equal(gathered.column("exact"), ranks)
    exact = to != NOBODY

    def verdicts(rows: NDArray[np.int32], leaders: NDArray[np.int32]) -> NDArray[np.bool_]:
        return agreeing(rows, leaders, texts, partial(readings.same_row, known=known), each)

    pairing = Pairing(ranks, to, PAIR, partial(gathered.take, "pair_look"), verdicts)
    keys = gathered.band("pairs", PAIRS.bands - 1)
    for band in range(PAIRS.bands):
        orders, keys = keys, gathered.band("pairs", band)
        pairing.settle(keys, orders, _MOST_UNLIKE)
    pairing.release()
    return Alike(to, exact & (to != NOBODY))


def equal(digests: NDArray[np.uint64], ranks: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each row the best row of the same digest, NOBODY for that one itself. Shape (rows,)."""
    rows = np.flatnonzero(shared(digests)).astype(np.int32)
    rows = rows[np.lexsort((ranks[rows], digests[rows]))]
    ordered = digests[rows]
    same = np.append(False, ordered[1:] == ordered[:-1])[: len(rows)]
    leaders = rows[np.maximum.accumulate(np.where(same, 0, np.arange(len(rows))))]
    to = np.full(len(digests), NOBODY, np.int32)
    to[rows[same]] = leaders[same]
    return to
