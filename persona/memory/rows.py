"""What is kept of an owner's memories beside their vectors and terms: a few bytes a row, and no object.

A Python object for each row of each cached owner would cost more than its text, and every garbage collection would
walk over all of them.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from persona.memory.columns import Column
from persona.values.memory import MemoryKind, MemoryRow, Source
from persona.values.time import iso_day

_KINDS: tuple[MemoryKind, ...] = ("fact", "turn", "chunk")
_KIND_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}
_LENGTHS = Struct("<7I")  # where each string ends, in characters, and how many bytes all of them are
_NUMBERS = np.dtype(
    [
        ("at_us", np.int64),
        ("conversation", np.int64),
        ("start", np.int64),
        ("depth", np.int32),
        ("page", np.int32),
        ("kind", np.uint8),
        ("live", np.bool_),
        ("statement", np.bool_),
    ]
)
_ASKS = re.compile(r"[^.!…\n]*\?\s*")  # one question and nothing else
_LONGEST_STATEMENT = 400  # characters; what is longer tells a story


class Rows:
    """The rows in slots 0, 1, 2 …; a slot dies with its row and is taken out by `keep`."""

    def __init__(self) -> None:
        self._slots: dict[str, int] = {}
        self._numbers: Column[np.void] = Column(_NUMBERS)
        self._texts = bytearray()

    def __len__(self) -> int:
        """How many rows are alive."""
        return len(self._slots)

    @property
    def slots(self) -> int:
        """How many slots there are, dead ones too."""
        return len(self._numbers)

    @property
    def live(self) -> NDArray[np.bool_]:
        """Which slots are alive, shape (slots,)."""
        return self._numbers.values["live"]

    @property
    def statements(self) -> NDArray[np.bool_]:
        """Which slots hold something short that the user said and that does not ask alone, shape (slots,)."""
        return self._numbers.values["statement"]

    @property
    def at_us(self) -> NDArray[np.int64]:
        """When each was said, shape (slots,)."""
        return self._numbers.values["at_us"]

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds: an entry of the dict with its id takes two hundred."""
        return self._numbers.nbytes + len(self._texts) + 200 * len(self._slots)

    def extend(self, rows: Sequence[MemoryRow]) -> None:
        """Appends rows whose ids are not there."""
        start, made = len(self._texts), []
        for slot, row in enumerate(rows, start=self.slots):
            strings = (row.id, row.text, row.title, row.heading, row.message_id, row.fact_kind)
            packed = "".join(strings).encode("utf-8", "surrogatepass")
            self._texts += _LENGTHS.pack(*accumulate(map(len, strings)), len(packed)) + packed
            statement = row.kind != "chunk" and len(row.text) <= _LONGEST_STATEMENT and not _ASKS.fullmatch(row.text)
            kind = _KIND_NUMBER[row.kind]
            made.append((row.at_us, row.conversation_key, start, row.depth, row.page, kind, True, statement))
            self._slots[row.id] = slot
            start = len(self._texts)
        self._numbers.extend(np.array(made, _NUMBERS))

    def remove(self, row_id: str) -> int | None:
        """Lets the row's slot die, and returns it; None when there is no such row."""
        slot = self._slots.pop(row_id, None)
        if slot is not None:
            self.live[slot] = False
        return slot

    def keep(self) -> NDArray[np.int32]:
        """Takes the dead slots out; returns the new number of each old slot, meaningless for dead ones."""
        live = self.live
        renumbered = (np.cumsum(live) - 1).astype(np.int32)
        texts, starts = bytearray(), []
        for slot in np.flatnonzero(live).tolist():
            starts.append(len(texts))
            texts += self._packed(slot)
        self._numbers.keep(live)
        self._numbers.values["start"] = starts
        self._texts = texts
        self._slots = {row_id: int(renumbered[slot]) for row_id, slot in self._slots.items()}
        return renumbered

    def place(self, slot: int) -> tuple[int, int, int, str]:
        """What orders a row among those of its conversation: the conversation, its depth, its time, its id."""
        numbers = self._numbers.values[slot]
        return int(numbers["conversation"]), int(numbers["depth"]), int(numbers["at_us"]), self.strings(slot)[0]

    def strings(self, slot: int) -> list[str]:
        """The row's id, text, title, heading, message id and kind of fact."""
        return self._strings(int(self._numbers.values["start"][slot]))

    def sources(self, slots: Sequence[int]) -> Iterator[tuple[str, str, Source, str, str]]:
        """The id, the text, the source, the message id and the kind of fact of each row."""
        for numbers in self._numbers.values[slots].tolist():
            at_us, _, start, _, page, kind, _, _ = numbers
            row_id, text, title, heading, message_id, fact_kind = self._strings(start)
            yield (
                row_id,
                text,
                Source(_KINDS[kind], row_id, title, heading, iso_day(at_us), page),
                message_id,
                fact_kind,
            )

    def _strings(self, start: int) -> list[str]:
        a, b, c, d, e, f, size = _LENGTHS.unpack_from(self._texts, start)
        at = start + _LENGTHS.size
        text = self._texts[at : at + size].decode("utf-8", "surrogatepass")
        return [text[:a], text[a:b], text[b:c], text[c:d], text[d:e], text[e:f]]  # of forty rows a turn: no loop

    def _packed(self, slot: int) -> bytes:
        start = int(self._numbers.values["start"][slot])
        length = _LENGTHS.size + _LENGTHS.unpack_from(self._texts, start)[-1]
        return bytes(self._texts[start : start + length])
