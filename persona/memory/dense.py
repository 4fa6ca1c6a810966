"""The unit vectors of one owner, compared one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.errors import EmbedderMismatch
from persona.memory.columns import Column
from persona.memory.neighbours import NOBODY, Windows
from persona.memory.scores import PRIOR_ROWS
from persona.memory.vectors import widened
from persona.values.record import record

_NEAREST = 0.01  # squared distance from the mean below which a direction is rounding noise
RESTS = 256  # slots: what was measured of so few is measured again, for it is of no use once a memory is added
_FEW = 512  # rows: they are kept in halves, and widening them costs a search ten microseconds
_BLOCK = 1 << 16  # numbers that are summed at a time: they stay near the processor


@record(frozen=True, slots=True)
class Closeness:
    """How close each slot is to a query, shape (slots,) each, 0 where there is no vector.

    `cosine` is the plain one, `centred` the one after the owner's mean was taken from both sides, and `near` that of
    the row with its neighbours as one text. `told` are the slots with a vector, `heard` those with one in the window;
    None for all.
    """

    cosine: NDArray[np.float64]
    centred: NDArray[np.float64]
    near: NDArray[np.float64]
    told: NDArray[np.bool_] | None
    heard: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class _Middle:
    """What a search needs and no query changes, as long as the rows are in these windows.

    The mean and its square, the products of the slots with it, 1 over how far each slot and each window is from it, and
    which have vectors.
    """

    windows: Windows
    mean: NDArray[np.float64]
    own: float
    to_mean: NDArray[np.float64]
    inverse: NDArray[np.float64]
    near_inverse: NDArray[np.float64]
    told: NDArray[np.bool_] | None
    heard: NDArray[np.bool_] | None


class DenseIndex:
    """A vector for each slot 0, 1, 2 …, of zeros where there is none.

    Few are kept as the store keeps them, in halves, and widened as they are compared: most owners have few, and few
    of those are talking. Many are kept wide, for that is quicker.
    """

    __slots__ = ("_middle", "_rows", "_squares", "_stale", "_sum", "_told", "_vectors", "_widened")

    def __init__(self) -> None:
        self._vectors: Column[Any] = Column(np.float16, (0,))
        self._told = Column(np.bool_)
        self._squares = Column(np.float64)  # of the sum of the vectors in each slot's window
        self._stale = Column(np.bool_)  # whose squares are those of another window
        self._sum = np.zeros(0)  # exact: float64 adds 2**29 halves without rounding
        self._rows = 0
        self._middle: _Middle | None = None
        self._widened: NDArray[np.float32] | None = None  # all vectors, while a search among few goes on

    @property
    def nbytes(self) -> int:
        """How many bytes it holds, but for what `rest` lets go."""
        columns = (self._vectors, self._told, self._squares, self._stale)
        return sum(one.nbytes for one in columns) + self._sum.nbytes

    def check(self, vectors: NDArray[np.float16] | NDArray[np.float32]) -> None:
        """Raises EmbedderMismatch where the vectors, shape (…, d), are not as wide as those already there."""
        if self._rows and len(vectors) and vectors.shape[-1] != len(self._sum):
            raise EmbedderMismatch(
                f"vectors of one embedder have {len(self._sum)} and {vectors.shape[-1]} dimensions",
                hint="give the changed embedder another name, and index again",
            )

    def extend(self, slots: NDArray[np.intp], vectors: NDArray[np.float16], count: int) -> None:
        """Adds one vector per slot, shape (len(slots), d), after which there are `count` slots."""
        self._widened = None
        new = count - len(self._told)
        if len(vectors) and vectors.shape[1] != len(self._sum):
            self._vectors = Column(np.float16, vectors.shape[1:])
            self._vectors.extend(np.zeros((count - new, vectors.shape[1]), np.float16))
            self._sum = np.zeros(vectors.shape[1])
        told = np.zeros(new, np.bool_)
        told[slots - (count - new)] = True
        if len(vectors) < new or not new:
            vectors, some = np.zeros((new, len(self._sum)), np.float16), vectors
            if len(some):
                vectors[told] = some
        wide = widened(vectors)
        if count > _FEW and self._halved:
            narrow, self._vectors = self._vectors.values, Column(np.float32, (len(self._sum),))
            self._vectors.extend(widened(narrow))
        self._vectors.extend(vectors if self._halved else wide)
        self._told.extend(told)
        self._squares.extend(np.zeros(new))
        self._stale.extend(np.ones(new, np.bool_))
        self._sum += wide.sum(axis=0, dtype=np.float64)
        self._rows += len(slots)

    def drop(self, slot: int) -> None:
        """Takes the vector of a slot, if it has one, out of the mean and of all windows."""
        self._widened = None
        if self._told.values[slot]:
            self._sum -= self._vectors.values[slot]
            self._vectors.values[slot] = 0
            self._told.values[slot] = False
            self._rows -= 1

    def regroup(self, slots: NDArray[np.intp]) -> None:
        """Takes note that the windows of these slots are other ones."""
        self._stale.values[slots] = True

    def keep(self, live: NDArray[np.bool_]) -> None:
        """Forgets dead slots."""
        for column in (self._vectors, self._told, self._squares, self._stale):
            column.keep(live)
        if len(self._told) <= _FEW and not self._halved:
            wide, self._vectors = self._vectors.values, Column(np.float16, (len(self._sum),))
            self._vectors.extend(wide.astype(np.float16))
        self._middle = None

    def closeness(self, query: NDArray[np.float32] | None, windows: Windows) -> Closeness:
        """Every slot against the unit vector `query`, shape (d,); None or zeros: nothing is close to it."""
        if not self._rows or query is None or not np.count_nonzero(query):
            nothing = np.zeros(len(self._told))
            return Closeness(nothing, nothing, nothing, nothing > 0, nothing > 0)
        self.check(query)
        if self._halved and len(self._told) <= RESTS:
            self._widened = widened(self._vectors.values)
        if self._middle is None or self._middle.windows is not windows:
            self._middle, cosine = self._measured(windows, query)
        else:
            (cosine,) = self._products(query[None])
        middle = self._middle
        far = float(middle.mean @ query.astype(np.float64))
        aside = sqrt(max(1 + middle.own - 2 * far, _NEAREST))
        across = cosine - middle.to_mean
        across += middle.own - far if middle.told is None else (middle.own - far) * middle.told
        across /= aside
        near = windows.sums(across) * middle.near_inverse
        return Closeness(cosine, across * middle.inverse, near, middle.told, middle.heard)

    def alike(self, heads: Sequence[int], slots: NDArray[np.intp], windows: Windows) -> NDArray[np.float64]:
        """How close some slots are to others, the mean taken out, shape (heads, slots); 0 without a vector."""
        if not self._rows:
            return np.zeros((len(heads), len(slots)))
        if self._middle is None or self._middle.windows is not windows:
            self._middle, _ = self._measured(windows, np.zeros(len(self._sum), np.float32))
        middle = self._middle
        at = np.array(heads)
        found = _multiplied(self._wide(at), self._wide(slots)).astype(np.float64)
        found -= middle.to_mean.take(slots)
        of_heads = at[:, None]
        found += middle.own - middle.to_mean.take(of_heads)
        found *= middle.inverse.take(slots)
        found *= middle.inverse.take(of_heads)
        if middle.told is not None:
            found *= middle.told.take(of_heads) & middle.told.take(slots)
        return found

    def rest(self) -> None:
        """Lets go of what can be measured anew."""
        self._middle = self._widened = None

    @property
    def _halved(self) -> bool:
        return self._vectors.values.dtype == np.float16

    def _wide(self, slots: NDArray[np.intp]) -> NDArray[np.float32]:
        """The vectors of some slots."""
        if not self._halved:
            return self._vectors.values.take(slots, axis=0)
        if self._widened is not None:
            return self._widened.take(slots, axis=0)
        return widened(self._vectors.values.take(slots, axis=0))

    def _refresh(self, windows: Windows) -> None:
        """Measures the sums of the windows that changed."""
        (stale,) = self._stale.values.nonzero()
        each = max(1, _BLOCK // max(1, windows.members.shape[0] * len(self._sum)))
        for start in range(0, len(stale), each):
            slots = stale[start : start + each]
            members = windows.members.take(slots, axis=1)
            vectors = self._wide(members - 1)
            vectors[members == NOBODY] = 0
            total = vectors.sum(axis=0, dtype=np.float64)
            self._squares.values[slots] = np.einsum("ij,ij->i", total, total)
        self._stale.values[stale] = False

    def _measured(self, windows: Windows, query: NDArray[np.float32]) -> tuple[_Middle, NDArray[np.float64]]:
        """What the owner's mean does to every slot, and, since that is one pass, the products with the query."""
        self._refresh(windows)
        mean = self._sum / (self._rows + PRIOR_ROWS)
        cosine, to_mean = self._products(np.array((query, mean), np.float32))
        own = float(mean @ mean)
        every = self._rows == len(self._told)
        told = None if every else self._told.values.copy()
        inverse = 1 / np.sqrt(np.maximum(1 + own - 2 * to_mean, _NEAREST))
        members = windows.sums(self._told.values.astype(np.float64))
        squares = self._squares.values + own * members**2 - 2 * members * windows.sums(to_mean)
        near_inverse = 1 / np.sqrt(np.maximum(squares, _NEAREST))
        heard = None if every else members > 0
        return _Middle(windows, mean, own, to_mean, inverse, near_inverse, told, heard), cosine

    def _products(self, wanted: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        """The products of every slot with each of the vectors, shape (slots,) each, 0 without a vector."""
        if not self._halved:
            every = self._vectors.values
        else:
            every = widened(self._vectors.values) if self._widened is None else self._widened
        return list(_multiplied(wanted, every).astype(np.float64))


def _multiplied(wanted: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The products of some vectors with some rows, shape (wanted, rows): by the kernel under FAISS's flat search.

    The search itself would take megabytes to put the products in order.
    """
    multiply, at = _kernel()
    products, there = np.empty((len(wanted), len(rows)), np.float32), at(rows)
    for out, one in zip(products, wanted, strict=True):
        multiply(at(out), at(one), there, len(one), len(rows))
    return products


@cache
def _kernel() -> tuple[Callable[..., None], Callable[[NDArray[np.float32]], object]]:
    """The kernel, and how it is told where an array is."""
    import faiss  # 130 ms, and only needed once somebody has a memory

    return faiss.fvec_inner_products_ny, faiss.swig_ptr  # type: ignore[attr-defined]
