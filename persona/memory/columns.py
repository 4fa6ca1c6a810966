"""A numpy array that grows at its end."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

_GROWTH = 1.125  # a little room: an index that nobody asks for keeps it


class Column(Generic[Scalar]):
    """One value per slot, or one array of the shape `each`; appending costs what is appended, not what is there."""

    __slots__ = ("_room", "values")

    values: NDArray[Scalar]
    """A view of what is there, shape (len, *each): writing to it writes here, until the next `extend`."""

    def __init__(self, dtype: type[Scalar] | np.dtype[Scalar], each: tuple[int, ...] = ()) -> None:
        self._room = self.values = np.empty((0, *each), dtype)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """The bytes it holds, spare room and all."""
        return self._room.nbytes

    def extend(self, values: Sequence[int] | NDArray[Scalar]) -> None:
        """Appends the values."""
        used = len(self.values)
        needed = used + len(values)
        if needed > len(self._room):
            room = np.empty((max(needed, int(len(self._room) * _GROWTH)), *self._room.shape[1:]), self._room.dtype)
            room[:used] = self.values
            self._room = room
        self._room[used:needed] = values
        self.values = self._room[:needed] if needed < len(self._room) else self._room  # a view has its price, too

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Drops what is not chosen, and the spare room."""
        self._room = self.values = self.values[chosen]
