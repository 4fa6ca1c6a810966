"""Making the scores of one search comparable."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PRIOR_ROWS = 10
"""How many unrelated rows stand beside an owner's own in every mean and spread.

A mean over one, two or three rows says nothing, and a single row is always exactly its own mean. Ten rows
that have nothing to do with any query, added to every owner, make those figures sensible from the first
memory on, and weigh nothing beside hundreds.
"""


def standardised(
    values: Sequence[NDArray[np.float64]], chosen: Sequence[NDArray[np.bool_]], spreads: Sequence[float]
) -> NDArray[np.float64]:
    """The chosen of each row of values in standard deviations above their mean, 0 elsewhere, shape (rows, slots).

    `PRIOR_ROWS` unrelated values are counted into each row: their mean is 0 and their standard deviation the row's
    spread, so the divisor is never 0.
    """
    there, meant = np.array(values), np.array(chosen)
    some = not meant.all()
    if some:
        there *= meant
    count = meant.sum(axis=1) + PRIOR_ROWS
    mean = there.sum(axis=1) / count
    # no dot product: for a long row it would wake every thread of the linear algebra, for nothing
    variance = (np.einsum("ij,ij->i", there, there) + PRIOR_ROWS * np.square(spreads)) / count - mean**2
    there -= mean[:, None]
    there /= np.sqrt(np.maximum(variance, 1e-12))[:, None]
    if some:
        there *= meant
    return there
