"""The unit vectors of one owner in an exact FAISS index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.errors import EmbedderMismatch
from persona.memory.columns import Column
from persona.memory.neighbours import NOBODY, Windows
from persona.memory.scores import PRIOR_ROWS

_NEAREST = 0.01  # squared distance from the mean below which a direction is rounding noise
_NONE = -1
_SCATTERED = 4  # a stretch that holds so many times what is wanted is not worth going through


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close each slot is to a query, shape (slots,) each, 0 where there is no vector.

    `cosine` is the plain one, `centred` the one after the owner's mean was taken from both sides, and `near` that of
    the row with its neighbours as one text. `told` are the slots with a vector, `heard` those with one in the window.
    """

    cosine: NDArray[np.float64]
    centred: NDArray[np.float64]
    near: NDArray[np.float64]
    told: NDArray[np.bool_]
    heard: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Middle:
    """What a search needs and no query changes, as long as the rows are in these windows.

    The mean, the products of the slots with it, how far each slot and each window is from it, and which have vectors.
    """

    windows: Windows
    mean: NDArray[np.float64]
    to_mean: NDArray[np.float64]
    lengths: NDArray[np.float64]
    near_lengths: NDArray[np.float64]
    told: NDArray[np.bool_]
    heard: NDArray[np.bool_]


class DenseIndex:
    """Vectors by slot, slots in ascending order. Dead ones stay in FAISS and are in no window and no mean."""

    def __init__(self) -> None:
        self._faiss: Any = None
        self._view: NDArray[np.float32] | None = None
        self._slots = Column(np.int32)
        self._positions = Column(np.int32)
        self._squares = Column(np.float64)  # of the sum of the vectors in each slot's window
        self._stale: set[int] = set()
        self._sum = np.zeros(0)  # exact: stored vectors are float16, and float64 adds 2**29 of them without rounding
        self._rows = 0
        self._middle: _Middle | None = None

    @property
    def nbytes(self) -> int:
        """The bytes of the vectors and of what is kept beside them."""
        cached = 0 if self._middle is None else 3 * self._middle.to_mean.nbytes
        columns = (self._slots, self._positions, self._squares)
        return len(self._slots) * len(self._sum) * 4 + sum(one.nbytes for one in columns) + self._sum.nbytes + cached

    def check(self, vectors: NDArray[np.float32]) -> None:
        """Raises EmbedderMismatch where the vectors, shape (n, d), are not as wide as those already there."""
        if self._faiss is not None and len(vectors) and vectors.shape[1] != len(self._sum):
            raise EmbedderMismatch(
                f"vectors of one embedder have {len(self._sum)} and {vectors.shape[1]} dimensions",
                hint="give the changed embedder another name, and index again",
            )

    def extend(self, slots: NDArray[np.int32], vectors: NDArray[np.float32], count: int) -> None:
        """Adds one vector per slot, shape (len(slots), d), after which there are `count` slots."""
        positions = np.full(count - len(self._positions), _NONE, np.int32)
        positions[slots - len(self._positions)] = np.arange(len(self._slots), len(self._slots) + len(slots))
        self._positions.extend(positions)
        self._squares.extend(np.zeros(len(positions)))
        if not len(vectors):
            return
        if self._faiss is None:
            import faiss  # 130 ms, and only needed once somebody has a memory

            self._faiss = faiss.IndexFlatIP(vectors.shape[1])
            self._sum = np.zeros(vectors.shape[1])
        self._view = None  # FAISS may move its vectors
        self._faiss.add(vectors)
        self._slots.extend(slots)
        self._sum += vectors.sum(axis=0, dtype=np.float64)
        self._rows += len(vectors)

    def drop(self, slot: int) -> None:
        """Takes the vector of a slot, if it has one, out of the mean and of all windows."""
        position = int(self._positions.values[slot])
        if position != _NONE:
            self._sum -= self._faiss.reconstruct(position)
            self._rows -= 1
            self._positions.values[slot] = _NONE

    def regroup(self, slots: Iterable[int]) -> None:
        """Takes note that the windows of these slots are other ones."""
        self._stale.update(slots)

    def kept(self, live: NDArray[np.bool_], renumbered: NDArray[np.int32]) -> "DenseIndex":
        """The same without dead slots, the others under their new numbers."""
        smaller = DenseIndex()
        count = int(live.sum())
        chosen = np.flatnonzero((self._positions.values != _NONE) & live)
        vectors = self._stored()[self._positions.values[chosen]] if len(chosen) else np.zeros((0, 0), np.float32)
        smaller.extend(renumbered[chosen], vectors, count)
        smaller.regroup(range(count))
        return smaller

    def closeness(self, query: NDArray[np.float32], windows: Windows) -> Closeness:
        """Every slot against the unit vector `query`, shape (d,)."""
        if self._faiss is None:
            nothing = np.zeros(len(self._positions))
            return Closeness(nothing, nothing, nothing, nothing > 0, nothing > 0)
        self.check(query[None])
        if self._middle is None or self._middle.windows is not windows:
            self._middle, cosine = self._measured(windows, query)
        else:
            (cosine,) = self._products(query[None])
        middle = self._middle
        own, far = float(middle.mean @ middle.mean), float(middle.mean @ query)
        aside = np.sqrt(max(1 + own - 2 * far, _NEAREST))
        across = cosine - middle.to_mean
        across[middle.told] += own - far
        near = windows.sums(across) / (middle.near_lengths * aside)
        return Closeness(cosine, across / (middle.lengths * aside), near, middle.told, middle.heard)

    def alike(self, heads: Sequence[int], slots: NDArray[np.intp], windows: Windows) -> NDArray[np.float64]:
        """How close some slots are to others, the mean taken out, shape (heads, slots); 0 without a vector."""
        found = np.zeros((len(heads), len(slots)))
        positions = self._positions.values[slots]
        if self._faiss is None or not len(slots) or int(positions.min()) == int(positions.max()) == _NONE:
            return found
        if self._middle is None or self._middle.windows is not windows:
            self._middle, _ = self._measured(windows, np.zeros(len(self._sum), np.float32))
        middle = self._middle
        told = positions != _NONE
        to = self._positions.values[heads]
        directions = (self._stored()[to] - middle.mean) / middle.lengths[heads][:, None]
        directions[to == _NONE] = 0
        products = self._along(directions.astype(np.float32), np.maximum(positions, positions[told].min()))
        found += products - np.einsum("ij,j->i", directions, middle.mean)[:, None]
        found *= told / middle.lengths[slots]
        return found

    def _along(self, directions: NDArray[np.float32], positions: NDArray[np.int32]) -> NDArray[np.float32]:
        """The products of some vectors with those at some positions, shape (directions, positions)."""
        first, stop = int(positions.min()), int(positions.max()) + 1
        if stop - first > _SCATTERED * len(positions):
            scattered: NDArray[np.float32] = np.einsum("ij,kj->ki", self._stored()[positions], directions)
            return scattered
        products = np.empty((len(directions), stop - first), np.float32)
        for out, direction in zip(products, directions, strict=True):
            _multiply(out, direction, self._stored()[first:stop])
        return products[:, positions - first]

    def _stored(self) -> NDArray[np.float32]:
        """All vectors, dead ones too, by position; no copy."""
        if self._view is None:
            import faiss

            count, width = self._faiss.ntotal, len(self._sum)
            self._view = faiss.rev_swig_ptr(self._faiss.get_xb(), count * width).reshape(count, width)
        return self._view

    def _refresh(self, windows: Windows) -> None:
        """Measures the sums of the windows that changed."""
        if not self._stale:
            return
        slots = np.array(sorted(self._stale), np.intp)
        self._stale.clear()
        total = np.zeros((len(slots), len(self._sum)))
        positions = np.append(self._positions.values, np.int32(_NONE))
        for members in windows.members[:, slots]:
            at = np.where(members == NOBODY, _NONE, positions[members])
            there = at != _NONE
            total[there] += self._stored()[at[there]]
        self._squares.values[slots] = np.einsum("ij,ij->i", total, total)

    def _measured(self, windows: Windows, query: NDArray[np.float32]) -> tuple[_Middle, NDArray[np.float64]]:
        """What the owner's mean does to every slot, and, since that is one pass, the products with the query."""
        self._refresh(windows)
        mean = self._sum / (self._rows + PRIOR_ROWS)
        cosine, to_mean = self._products(np.stack((query, mean.astype(np.float32))))
        own = float(mean @ mean)
        told = self._positions.values != _NONE
        members = windows.sums(told.astype(np.float64))
        squares = self._squares.values + own * members**2 - 2 * members * windows.sums(to_mean)
        lengths = np.sqrt(np.maximum(1 + own - 2 * to_mean, _NEAREST))
        near_lengths = np.sqrt(np.maximum(squares, _NEAREST))
        return _Middle(windows, mean, to_mean, lengths, near_lengths, told, members > 0), cosine

    def _products(self, wanted: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        """The products of every slot with each of the vectors, shape (slots,) each, 0 without a vector."""
        stored = self._stored()
        products = np.zeros((len(wanted), len(stored) + 1), np.float32)  # the last stands for slots without a vector
        for out, one in zip(products, wanted, strict=True):
            _multiply(out, one, stored)
        return list(products[:, self._positions.values].astype(np.float64))


def _multiply(out: NDArray[np.float32], one: NDArray[np.float32], rows: NDArray[np.float32]) -> None:
    """Writes the product of each of the rows with one vector.

    By the kernel under FAISS's flat search, which would take megabytes a search to put the products in order.
    """
    import faiss

    kernel = faiss.fvec_inner_products_ny  # type: ignore[attr-defined]
    kernel(faiss.swig_ptr(out), faiss.swig_ptr(one), faiss.swig_ptr(rows), len(one), len(rows))
