"""What was said right before and after: the rows of one conversation, in the order of the talk."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.memory.columns import Column
from persona.memory.rows import Rows

NOBODY = 0
"""The place of no slot; that of a slot is the slot and 1."""

_REACH = 2  # neighbours on either side
_FEW_NEW = 8  # so many are put where they belong one by one
_NOTHING = np.zeros(1)  # of nobody


@dataclass(frozen=True, slots=True)
class Windows:
    """For each slot itself, the two before and the two after it in its conversation, by places.

    `members` has the shape (5, slots): itself, the one before, the one before that, the one after, the one after that;
    `NOBODY` where there is none. `alone`: nobody has a neighbour.
    """

    members: NDArray[np.intp]
    alone: bool

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of a value over each slot and its neighbours, shape (slots,)."""
        if self.alone:
            return values
        total: NDArray[np.float64] = np.add.reduce(np.concatenate((_NOTHING, values)).take(self.members))
        return total


class Neighbours:
    """The slots of one owner's messages in the order of the talk: by conversation, depth, time and id.

    Any order of arrival ends in the same order. What is no message is not in it.
    """

    __slots__ = ("_order", "_windows")

    def __init__(self) -> None:
        self._order = Column(np.int32)
        self._windows: Windows | None = None

    @property
    def nbytes(self) -> int:
        """How many bytes it holds, but for what `rest` lets go."""
        return self._order.nbytes

    def extend(self, rows: Rows, first: int) -> NDArray[np.intp]:
        """Puts the slots from `first` on in their places; returns those whose window is another one now."""
        self._windows = None
        new = (first + rows.conversations[first:].nonzero()[0]).astype(np.int32)
        if len(new) > _FEW_NEW:
            self._order.extend(new)
            self._order.values[:] = _sorted(self._order.values, rows)
            return np.arange(rows.slots)
        changed = [np.arange(first, rows.slots)]
        for slot in new.tolist():
            at = bisect(self._order.values, rows.place(slot), key=lambda other: rows.place(int(other)))
            self._order.extend([slot])
            self._order.values[at:] = np.append(np.int32(slot), self._order.values[at:-1])
            changed.append(self._around(at))
        return np.concatenate(changed)

    def remove(self, slot: int) -> NDArray[np.intp]:
        """Takes a slot out; returns those whose window is another one now."""
        self._windows = None
        (found,) = (self._order.values == slot).nonzero()
        if not len(found):
            return np.array([slot])
        at = int(found[0])
        changed = self._around(at)
        self._order.keep(self._order.values != slot)
        return changed

    def keep(self, renumbered: NDArray[np.int32]) -> None:
        """Gives the slots, all of them alive, their new numbers."""
        self._order.values[:] = renumbered[self._order.values]
        self._windows = None

    def windows(self, rows: Rows) -> Windows:
        """The windows of all slots."""
        if self._windows is None:
            order = self._order.values
            members = np.zeros((1 + 2 * _REACH, rows.slots), np.intp)
            members[0] = np.arange(1, 1 + rows.slots)
            if len(order) > 1:
                conversations, near = rows.conversations[order], np.zeros((1 + 2 * _REACH, len(order)), np.intp)
                near[0] = places = 1 + order
                for away in range(1, _REACH + 1):
                    together = conversations[away:] == conversations[:-away]
                    np.copyto(near[away, away:], places[:-away], where=together)
                    np.copyto(near[_REACH + away, :-away], places[away:], where=together)
                members[:, order] = near
            self._windows = Windows(members, alone=len(order) <= 1)
        return self._windows

    def rest(self) -> None:
        """Lets go of what can be measured anew."""
        self._windows = None

    def _around(self, at: int) -> NDArray[np.intp]:
        """The slots within reach of a place in the order, some of another conversation perhaps."""
        return self._order.values[max(0, at - _REACH) : at + _REACH + 1].astype(np.intp)


def _sorted(slots: NDArray[np.int32], rows: Rows) -> Sequence[int] | NDArray[np.int32]:
    """The slots by their places."""
    keys = rows.at_us[slots], rows.depths[slots], rows.conversations[slots]
    order = np.lexsort(keys)
    alike = np.logical_and.reduce([key[order[1:]] == key[order[:-1]] for key in keys])
    if alike.any():  # the ids decide
        return sorted(slots.tolist(), key=rows.place)
    return slots[order]
