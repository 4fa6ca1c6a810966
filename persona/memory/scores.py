"""Making the scores of one search comparable."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

PRIOR_ROWS = 10
"""How many unrelated rows stand beside an owner's own in every mean and spread.

A mean over one, two or three rows says nothing, and a single row is always exactly its own mean. Ten rows
that have nothing to do with any query, added to every owner, make those figures sensible from the first
memory on, and weigh nothing beside hundreds.
"""


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
    there = np.concatenate(values).reshape(len(values), -1)
    # no dot product: for a long row it would wake every thread of the linear algebra, for nothing
    sums, squares = np.add.reduce(there, axis=1).tolist(), np.einsum("ij,ij->i", there, there).tolist()
    means, factors = [], []
    for meant, total, square, spread, weight in zip(chosen, sums, squares, spreads, weights, strict=True):
        count = PRIOR_ROWS + (there.shape[1] if meant is None else int(np.count_nonzero(meant)))
        mean = total / count
        variance = (square + PRIOR_ROWS * spread * spread) / count - mean * mean
        means.append([mean])
        factors.append([weight / sqrt(max(variance, 1e-12))])
    there -= means
    there *= factors
    for row, meant in zip(there, chosen, strict=True):
        if meant is not None:
            row *= meant
    return there
