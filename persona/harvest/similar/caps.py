"""At most so many rows of one user, of one topic and of one template."""

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.topics import topics


def topic_column(gathered: Gathered) -> NDArray[np.uint32]:
    """Each row's topic, shape (rows,)."""
    return topics(gathered.pieces("terms"), gathered.pieces("terms"))


def beyond(
    column: NDArray[np.generic], ranks: NDArray[np.int32], there: NDArray[np.bool_], most: int
) -> NDArray[np.int64]:
    """The rows, of those that are there, that come after the `most` best of the same value; a value of 0 has no cap."""
    rows = np.flatnonzero(there & (column != 0))
    values = column[rows]
    order = np.lexsort((ranks[rows], values))
    values = values[order]
    starts = np.append(True, values[1:] != values[:-1]) if len(values) else np.zeros(0, np.bool_)
    place = np.arange(len(values)) - np.maximum.accumulate(np.where(starts, np.arange(len(values)), 0))
    return rows[order[place >= most]]
