"""At most so many rows of one user, of one topic and of one template."""

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.topics import topics


def topic_column(gathered: Gathered) -> NDArray[np.uint32]:
    """Each row's topic, shape (rows,)."""
    return topics(gathered.pieces("terms"), gathered.pieces("terms"))


def too_many(
    column: NDArray[np.generic], ranks: NDArray[np.int32], there: NDArray[np.bool_], most: int
) -> NDArray[np.int32]:
    """The rows, of those that are there, that come after the `most` best of the same value; a value of 0 has no cap."""
    rows = np.flatnonzero(there & (column != 0)).astype(np.int32)
    rows = rows[np.lexsort((ranks[rows], column[rows]))]
    values = column[rows]
    # one value's rows lie together, best first: a row is too many when the one `most` before it has its value
    last: NDArray[np.int32] = rows[most:][values[most:] == values[: max(len(values) - most, 0)]]
    return last
