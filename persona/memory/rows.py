"""What is kept of an owner's memories beside their vectors and terms: a few bytes a row, and no object.

A Python object for each row of each cached owner would cost more than its text, and every garbage collection would
walk over all of them.
"""

import re
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persona.memory.columns import Column
from persona.values.memory import MemoryColumns, MemoryKind, MemoryRow, Source
from persona.values.time import iso_days

_KINDS: tuple[MemoryKind, ...] = ("fact", "turn", "chunk")
_KIND_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}
_NUMBERS = np.dtype(
    [
        ("id", np.int64),  # the hash of it
        ("at_us", np.int64),
        ("conversation", np.int64),
        ("end", np.int64),
        ("length", np.int32),
        ("depth", np.int32),
        ("page", np.int32),
        ("kind", np.uint8),
        ("live", np.bool_),
        ("statement", np.bool_),
    ]
)
_BETWEEN, _ITS_ID = b"\xff", b"\xfe"  # no text has these bytes in UTF-8
_BETWEEN_READ, _ITS_ID_READ = "\udcff", "\udcfe"  # as "surrogateescape" reads them
_HALF = "\udced"  # so it reads the first byte of half a surrogate pair
_STRINGS = 6  # of each row
_ASKS = re.compile(r"[^.!…\n]*\?\s*")  # one question and nothing else
_LONGEST_STATEMENT = 400  # characters; what is longer tells a story


class Rows:
    """The rows in slots 0, 1, 2 …; a slot dies with its row and is taken out by `keep`."""

    __slots__ = ("_alive", "_numbers", "_texts")

    def __init__(self) -> None:
        self._numbers: Column[np.void] = Column(_NUMBERS)
        self._texts = bytearray()
        self._alive = 0

    def __len__(self) -> int:
        """How many rows are alive."""
        return self._alive

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
    def conversations(self) -> NDArray[np.int64]:
        """In which conversation each was said, 0 for what is no message, shape (slots,)."""
        return self._numbers.values["conversation"]

    @property
    def depths(self) -> NDArray[np.int32]:
        """How deep in its conversation each was said, shape (slots,)."""
        return self._numbers.values["depth"]

    @property
    def nbytes(self) -> int:
        """How many bytes it holds."""
        return self._numbers.nbytes + sys.getsizeof(self._texts)

    def extend(self, rows: Sequence[MemoryRow]) -> None:
        """Appends rows whose ids are not there."""
        columns = MemoryColumns.of(rows)
        packed = _packed(columns)
        start = len(self._texts)
        self._texts += b"".join(packed)
        numbers = np.empty(len(columns), _NUMBERS)
        numbers["id"] = list(map(hash, columns.id))
        numbers["at_us"] = columns.at_us
        numbers["conversation"] = columns.conversation_key
        numbers["length"] = list(map(len, packed))
        numbers["end"] = start + numbers["length"].cumsum()
        numbers["depth"] = columns.depth
        numbers["page"] = columns.page
        numbers["kind"] = [_KIND_NUMBER[kind] for kind in columns.kind]
        numbers["live"] = True
        numbers["statement"] = [
            kind != "chunk" and len(text) <= _LONGEST_STATEMENT and not ("?" in text and _ASKS.fullmatch(text))
            for kind, text in zip(columns.kind, columns.text, strict=True)
        ]
        self._numbers.extend(numbers)
        self._alive += len(columns)

    def found(self, ids: Sequence[str]) -> list[int]:
        """The slots of the rows with these ids; ids that are not there have none."""
        if not self._alive:
            return []
        numbers, hashes = self._numbers.values, {hash(id): id for id in ids}
        perhaps = numbers["live"] & np.isin(numbers["id"], np.fromiter(hashes, np.int64, len(hashes)))
        wanted = set(ids)
        return [slot for slot in perhaps.nonzero()[0].tolist() if self.id(slot) in wanted]

    def remove(self, slot: int) -> None:
        """Lets a slot die that is alive."""
        self.live[slot] = False
        self._alive -= 1

    def keep(self) -> NDArray[np.int32]:
        """Takes the dead slots out; returns the new number of each old slot, meaningless for dead ones."""
        live = self.live
        renumbered = (np.cumsum(live) - 1).astype(np.int32)
        packed = [self._row(slot) for slot in live.nonzero()[0].tolist()]
        self._texts = bytearray().join(packed)
        self._numbers.keep(live)
        self._numbers.values["end"] = self._numbers.values["length"].cumsum()
        return renumbered

    def place(self, slot: int) -> tuple[int, int, int, str]:
        """What orders a row among those of its conversation: the conversation, its depth, its time, its id."""
        numbers = self._numbers.values[slot]
        return int(numbers["conversation"]), int(numbers["depth"]), int(numbers["at_us"]), self.id(slot)

    def id(self, slot: int) -> str:
        """The row's id."""
        return self._string(slot, 0)

    def text(self, slot: int) -> str:
        """The row's text."""
        return self._string(slot, 1)

    def heading(self, slot: int) -> str:
        """What the row's text stands under, or nothing."""
        return self._string(slot, 3)

    def sources(
        self, slots: NDArray[np.intp]
    ) -> tuple[Sequence[str], Sequence[str], Sequence[Source], Sequence[str], Sequence[str]]:
        """The ids, the texts, the sources, the message ids and the kinds of fact of some rows, by column."""
        if not len(slots):
            return (), (), (), (), ()
        numbers = self._numbers.values.take(slots)
        ends = numbers["end"]
        rows = map(self._texts.__getitem__, map(slice, (ends - numbers["length"]).tolist(), ends.tolist()))
        ids, texts, titles, headings, messages, fact_kinds = _unpacked(_BETWEEN.join(rows))
        kinds, days = map(_KINDS.__getitem__, numbers["kind"].tolist()), iso_days(numbers["at_us"].tolist())
        found = list(map(Source, kinds, ids, titles, headings, days, numbers["page"].tolist()))
        return ids, texts, found, messages, fact_kinds

    def _string(self, slot: int, which: int) -> str:
        return self._row(slot).split(_BETWEEN, which + 1)[which].decode("utf-8", "surrogatepass")

    def _row(self, slot: int) -> bytearray:
        numbers = self._numbers.values
        end = numbers["end"].item(slot)
        return self._texts[end - numbers["length"].item(slot) : end]


def _packed(columns: MemoryColumns) -> list[bytes]:
    """The strings of each row: its id, text, title, heading, message id and kind of fact."""
    told = (columns.id, columns.text, columns.title, columns.heading)
    messages = [  # what was said has the id of its message
        _ITS_ID if message == id else message.encode("utf-8", "surrogatepass")
        for id, message in zip(columns.id, columns.message_id, strict=True)
    ]
    encoded = (*map(_encoded, told), messages, _encoded(columns.fact_kind))
    return list(map(_BETWEEN.join, zip(*encoded, strict=True)))


def _encoded(column: Sequence[str]) -> list[bytes]:
    if not any(column):
        return [b""] * len(column)
    return [string.encode("utf-8", "surrogatepass") for string in column]


def _unpacked(rows: bytes) -> tuple[list[str], ...]:
    """The strings of some rows by column: one text is decoded and then parted, which is quicker than the reverse."""
    whole = rows.decode("utf-8", "surrogateescape")
    told = whole.split(_BETWEEN_READ)
    ids, texts, titles, headings, messages, fact_kinds = [told[at::_STRINGS] for at in range(_STRINGS)]
    messages = [id if one == _ITS_ID_READ else one for id, one in zip(ids, messages, strict=True)]
    columns = ids, texts, titles, headings, messages, fact_kinds
    return tuple(map(_with_halves, columns)) if _HALF in whole else columns


def _with_halves(column: Sequence[str]) -> list[str]:
    return [one.encode("utf-8", "surrogateescape").decode("utf-8", "surrogatepass") for one in column]
