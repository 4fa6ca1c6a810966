"""The unit vectors of one owner in an exact FAISS index."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.errors import EmbedderMismatch
from persona.memory.columns import Column
from persona.memory.scores import PRIOR_ROWS

_EVERYTHING = -2.0  # below every cosine
_NEAREST = 0.01  # squared distance from the mean below which a direction is rounding noise


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close each live vector is to a query. `slots`, `cosine` and `centred` run in parallel.

    `cosine` is the plain one, `centred` the one after the owner's mean was taken from both sides.
    """

    slots: NDArray[np.int32]
    cosine: NDArray[np.float64]
    centred: NDArray[np.float64]


class DenseIndex:
    """Vectors by slot, slots in ascending order. Dead ones stay in FAISS: `kept` leaves them out."""

    def __init__(self) -> None:
        self._faiss: Any = None
        self._slots = Column(np.int32)
        self._sum = np.zeros(0)  # exact: stored vectors are float16, and float64 adds 2**29 of them without rounding
        self._rows = 0
        self._to_mean: NDArray[np.float64] | None = None

    @property
    def nbytes(self) -> int:
        """The bytes of the vectors and of what is kept beside them."""
        cached = 0 if self._to_mean is None else self._to_mean.nbytes
        return len(self._slots) * len(self._sum) * 4 + self._slots.nbytes + self._sum.nbytes + cached

    def check(self, vectors: NDArray[np.float32]) -> None:
        """Raises EmbedderMismatch where the vectors, shape (n, d), are not as wide as those already there."""
        if self._faiss is not None and len(vectors) and vectors.shape[1] != len(self._sum):
            raise EmbedderMismatch(
                f"vectors of one embedder have {len(self._sum)} and {vectors.shape[1]} dimensions",
                hint="give the changed embedder another name, and index again",
            )

    def extend(self, slots: Sequence[int] | NDArray[np.int32], vectors: NDArray[np.float32]) -> None:
        """Adds one vector per slot, shape (len(slots), d)."""
        if not len(vectors):
            return
        if self._faiss is None:
            import faiss  # 130 ms, and only needed once somebody has a memory

            self._faiss = faiss.IndexFlatIP(vectors.shape[1])
            self._sum = np.zeros(vectors.shape[1])
        self._faiss.add(vectors)
        self._slots.extend(slots)
        self._sum += vectors.sum(axis=0, dtype=np.float64)
        self._rows += len(vectors)
        self._to_mean = None

    def drop(self, slot: int) -> None:
        """Takes the vector of a slot, if it has one, out of the mean."""
        position = int(np.searchsorted(self._slots.values, slot))
        if position < len(self._slots) and self._slots.values[position] == slot:
            self._sum -= self._faiss.reconstruct(position)
            self._rows -= 1
            self._to_mean = None

    def kept(self, live: NDArray[np.bool_], renumbered: NDArray[np.int32]) -> "DenseIndex":
        """The same without dead slots, the others under their new numbers."""
        smaller = DenseIndex()
        if self._faiss is not None:
            slots = self._slots.values
            chosen = live[slots]
            smaller.extend(renumbered[slots[chosen]], self._faiss.reconstruct_n(0, len(slots))[chosen])
        return smaller

    def closeness(self, query: NDArray[np.float32], live: NDArray[np.bool_]) -> Closeness:
        """Every live vector against the unit vector `query`, shape (d,)."""
        if self._faiss is None:
            return Closeness(self._slots.values, np.zeros(0), np.zeros(0))
        self.check(query[None])
        cosine = self._products(query)
        mean = self._sum / (self._rows + PRIOR_ROWS)
        if self._to_mean is None:
            self._to_mean = self._products(mean.astype(np.float32))
        own, far = float(mean @ mean), float(mean @ query)
        across = cosine - self._to_mean + (own - far)
        lengths = np.maximum(1 + own - 2 * self._to_mean, _NEAREST) * max(1 + own - 2 * far, _NEAREST)
        alive = live[self._slots.values]
        return Closeness(self._slots.values[alive], cosine[alive], (across / np.sqrt(lengths))[alive])

    def _products(self, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """The product with every vector, in the order they were added, shape (n,)."""
        _, products, positions = self._faiss.range_search(vector[None], _EVERYTHING)
        ordered = np.empty(len(self._slots))
        ordered[positions] = products
        return ordered
