"""What was said right before and after: the rows of one conversation, linked in the order of the talk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.memory.columns import Column
from persona.memory.rows import Rows

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Windows:
    """For each slot itself, the two before and the two after it in its conversation; `NOBODY` where there is none.

    `members` has the shape (5, slots): itself, the one before, the one before that, the one after, the one after that.
    """

    members: NDArray[np.int32]

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of a value over each slot and its neighbours, shape (slots,)."""
        padded = np.append(values, 0.0)  # NOBODY is -1, the last
        total: NDArray[np.float64] = np.add.reduce(padded[self.members])
        return total


class Neighbours:
    """The links of the slots of one owner. What is no message has none.

    A row is linked where its place is, so that any order of arrival ends in the same links. That takes a step back
    from the end of the conversation for each row that came too early, and one step for a row that is the newest.
    """

    def __init__(self) -> None:
        self._before = Column(np.int32)
        self._after = Column(np.int32)
        self._last: dict[int, int] = {}
        self._windows: Windows | None = None

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds."""
        windows = 0 if self._windows is None else self._windows.members.nbytes
        return self._before.nbytes + self._after.nbytes + 100 * len(self._last) + windows

    def extend(self, rows: Rows, first: int) -> set[int]:
        """Links the slots from `first` on; returns those whose window is another one now."""
        count = rows.slots - first
        self._before.extend([NOBODY] * count)
        self._after.extend([NOBODY] * count)
        self._windows = None
        changed: set[int] = set()
        for slot in range(first, rows.slots):
            self._link(rows, slot)
            changed.update(self._around(slot))
        return changed

    def remove(self, slot: int, conversation: int) -> set[int]:
        """Unlinks a slot; returns those whose window is another one now."""
        changed = self._around(slot)
        before, after = int(self._before.values[slot]), int(self._after.values[slot])
        if before != NOBODY:
            self._after.values[before] = after
        if after != NOBODY:
            self._before.values[after] = before
        elif self._last.get(conversation) == slot:
            if before == NOBODY:
                del self._last[conversation]
            else:
                self._last[conversation] = before
        self._before.values[slot] = self._after.values[slot] = NOBODY
        self._windows = None
        return changed

    def keep(self, live: NDArray[np.bool_], renumbered: NDArray[np.int32]) -> None:
        """Forgets dead slots and gives the others their new numbers."""
        to = np.append(renumbered, np.int32(NOBODY))
        for column in (self._before, self._after):
            column.keep(live)
            column.values[:] = to[column.values]
        self._last = {conversation: int(renumbered[slot]) for conversation, slot in self._last.items()}
        self._windows = None

    def windows(self) -> Windows:
        """The windows of all slots."""
        if self._windows is None:
            before, after = self._before.values, self._after.values
            further = [np.append(column, np.int32(NOBODY))[column] for column in (before, after)]
            itself = np.arange(len(before), dtype=np.int32)
            self._windows = Windows(np.stack((itself, before, further[0], after, further[1])))
        return self._windows

    def _link(self, rows: Rows, slot: int) -> None:
        conversation, *own = rows.place(slot)
        if not conversation:
            return
        before, after = self._last.get(conversation, NOBODY), NOBODY
        while before != NOBODY and list(rows.place(before)[1:]) > own:
            before, after = int(self._before.values[before]), before
        self._before.values[slot], self._after.values[slot] = before, after
        if before != NOBODY:
            self._after.values[before] = slot
        if after == NOBODY:
            self._last[conversation] = slot
        else:
            self._before.values[after] = slot

    def _around(self, slot: int) -> set[int]:
        found = {slot}
        for column in (self._before.values, self._after.values):
            at = slot
            for _ in range(2):
                at = int(column[at])
                if at == NOBODY:
                    break
                found.add(at)
        return found
