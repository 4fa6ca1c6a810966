"""The scores of one search, made comparable."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from persona.values.record import record

PRIOR_ROWS = 10
"""How many unrelated rows stand beside an owner's own in every mean and spread.

A mean over one, two or three rows says nothing, and a single row is always exactly its own mean. Ten rows
that have nothing to do with any query, added to every owner, make those figures sensible from the first
memory on, and weigh nothing beside hundreds.
"""

_TICKS = 1e9  # to a standard deviation: scores of the same tick are ties


@record(frozen=True, slots=True)
class Scores:
    """The scores of one search by slot, shape (slots,); `eligible` slots may be hits.

    `own` is how well each answers without its neighbours. `parts`, shape (4, slots), are added up to it and to `total`:
    what the row gets for its terms, and for its vector, and the same for its window.
    """

    total: NDArray[np.float64]
    own: NDArray[np.float64]
    parts: NDArray[np.float64]
    standing: NDArray[np.float64]
    dated: NDArray[np.float64]
    holds: NDArray[np.float64]
    coverage: float
    eligible: NDArray[np.bool_]

    def settle(self, at: NDArray[np.intp]) -> NDArray[np.float64]:
        """Rounds the totals of some slots, and returns them: what is almost a tie is one. Shape (len(at),)."""
        self.total[at] = ranked = np.rint(self.total.take(at) * _TICKS) / _TICKS
        return ranked

    def candidates(self, k: int) -> NDArray[np.intp]:
        """The eligible slots that may be among the `k` best: these, and what all but ties with the last of them."""
        (slots,) = self.eligible.nonzero()
        if len(slots) <= k or k < 1:
            return slots[: max(k, 0)]
        total, last = self.total.take(slots), len(slots) - k
        ranked = total.copy()
        ranked.partition(last)
        (best,) = (total > ranked[last] - 1 / _TICKS).nonzero()
        found: NDArray[np.intp] = slots.take(best)
        return found


def standardised(
    values: Sequence[NDArray[np.float64]],
    chosen: Sequence[NDArray[np.bool_] | None],
    spreads: Sequence[float],
    weights: Sequence[float],
) -> NDArray[np.float64]:
    """The chosen of each row of values in standard deviations above their mean, 0 elsewhere, shape (rows, slots).

    None chooses all of a row. What is not chosen is 0 in `values` too. Each row is multiplied by its weight.

    `PRIOR_ROWS` unrelated values are counted into each row: their mean is 0 and their standard deviation the row's
    spread, so the divisor is never 0.
    """
    there = np.array(values)
    # no dot product: for a long row it would wake every thread of the linear algebra, for nothing
    sums, squares = np.add.reduce(there, axis=1).tolist(), np.einsum("ij,ij->i", there, there).tolist()
    moves = []
    for meant, total, square, spread, weight in zip(chosen, sums, squares, spreads, weights, strict=True):
        count = PRIOR_ROWS + (there.shape[1] if meant is None else int(np.count_nonzero(meant)))
        mean = total / count
        variance = (square + PRIOR_ROWS * spread * spread) / count - mean * mean
        moves.append((mean, weight / sqrt(max(variance, 1e-12))))
    by = np.array(moves)
    there -= by[:, :1]
    there *= by[:, 1:]
    for row, meant in zip(there, chosen, strict=True):
        if meant is not None:
            row *= meant
    return there
