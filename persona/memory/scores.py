"""Making the scores of one search comparable."""

import numpy as np
from numpy.typing import NDArray

PRIOR_ROWS = 10
"""How many unrelated rows stand beside an owner's own in every mean and spread.

A mean over one, two or three rows says nothing, and a single row is always exactly its own mean. Ten rows
that have nothing to do with any query, added to every owner, make those figures sensible from the first
memory on, and weigh nothing beside hundreds.
"""


def standardised(values: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """The values in standard deviations above their mean, shape and order kept.

    `PRIOR_ROWS` unrelated rows are counted in: their mean is 0 and their standard deviation `spread`, so the
    divisor is never 0.
    """
    rows = len(values) + PRIOR_ROWS
    mean = values.sum() / rows
    # no dot product: for a long column it would wake every thread of the linear algebra, for nothing
    variance = (np.einsum("i,i->", values, values) + PRIOR_ROWS * spread**2) / rows - mean**2
    deviations: NDArray[np.float64] = (values - mean) / np.sqrt(max(variance, 1e-12))
    return deviations
