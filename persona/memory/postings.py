"""Which rows hold a term, and how well a row answers the terms of a query (BM25).

Flat numpy arrays instead of a dict of lists: 10 to 22 bytes a posting, so that a thousand owners fit in a process.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

from persona.memory.bm25 import Lengths, bm25
from persona.memory.columns import Column
from persona.memory.neighbours import Windows
from persona.values import words
from persona.values.record import record

_MOST_REPEATS = 65_535
_ALL_TAIL = 4_096  # postings: few rows are not sorted
_TAIL, _TAIL_SHARE = 512, 64  # later the tail is merged beyond 512 postings and a 64th of the sorted ones
_SIEVE, _SIFTED = 4_096, 256  # a tail that is longer goes through the sieve
_FEW, _FEW_SHARE, _MOST_FEW = 4, 100, 20  # rows: a term is rare that no more hold, or no more than a hundredth
_KEY, _REPEATS = np.dtype("<i8"), np.dtype("<u2")
_PACKED = _KEY.itemsize + _REPEATS.itemsize
_NOWHERE = np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.intp)
_VERSION = b"\x01"  # another one when `words.terms` finds other terms: what was stored is then made anew


@record(frozen=True, slots=True)
class Relevance:
    """How well each slot answers a query, shape (slots,) each, 0 where no term is shared.

    `shares` is BM25 as a share of an ideal row's, `near` the same of the row with its neighbours as one text, and
    `holds` the share of the distinct terms that the row holds. The ideal row has the mean length and holds every
    query term once, also those that nobody has said.
    """

    shares: NDArray[np.float64]
    near: NDArray[np.float64]
    holds: NDArray[np.float64]


@lru_cache(maxsize=1 << 13)  # words that come again; names and numbers pass through
def key(term: str) -> int:
    """What a term is kept as: 64 bits of a hash, the same in every process."""
    digest = blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def terms_of(text: str) -> bytes:
    """The terms of a text and how often it holds each, as the store keeps them: a version, all keys, all counts."""
    counted = Counter(words.terms(text))
    keys = np.fromiter(map(key, counted), _KEY, len(counted))
    repeats = np.minimum(np.fromiter(counted.values(), np.int64, len(counted)), _MOST_REPEATS)
    return _VERSION + keys.tobytes() + repeats.astype(_REPEATS).tobytes()


def current(packed: bytes) -> bool:
    """Whether these are terms as `terms_of` packs them now."""
    return packed.startswith(_VERSION)


class Postings:
    """The terms of the rows in slots 0, 1, 2 …: as they came, and all but those of a tail of new rows sorted by term.

    Few rows are all tail: to look through it costs less than to sort it. Which slots are alive, the caller says; dead
    ones stay till `keep`.
    """

    __slots__ = ("_ends", "_first", "_keys", "_lengths", "_measured", "_repeats", "_said", "_slots", "_tail_repeats")

    def __init__(self) -> None:
        self._keys = np.empty(0, np.int64)
        self._slots = np.empty(0, np.int32)
        self._repeats = np.empty(0, np.uint16)
        self._said = Column(np.int64)  # the keys of each row; as many as are sorted belong to the rows before the tail
        self._ends = Column(np.int32)  # where those of each row end
        self._tail_repeats = Column(np.uint16)
        self._first = 0  # the first slot whose terms are in the tail
        self._lengths = Column(np.int32)
        self._measured: Lengths | None = None

    @property
    def nbytes(self) -> int:
        """The bytes of all the arrays but those that `rest` lets go."""
        arrays = (self._keys, self._slots, self._repeats)
        columns = (self._said, self._ends, self._tail_repeats, self._lengths)
        return sum(array.nbytes for array in arrays) + sum(column.nbytes for column in columns)

    def extend(self, rows: Sequence[bytes]) -> None:
        """Appends the rows, each given by its packed terms and what is behind them, in the next slots."""
        counts = [(len(packed) - 1) // _PACKED for packed in rows]
        parts = [
            (packed[1 : (at := 1 + count * _KEY.itemsize)], packed[at : 1 + count * _PACKED])
            for packed, count in zip(rows, counts, strict=True)
        ]
        keys = np.frombuffer(b"".join([part for part, _ in parts]), _KEY)
        repeats = np.frombuffer(b"".join([part for _, part in parts]), _REPEATS)
        self._ends.extend([*accumulate(counts, initial=len(self._said))][1:])
        self._said.extend(keys)
        self._tail_repeats.extend(repeats)
        which = np.repeat(np.arange(len(rows)), counts)
        self._lengths.extend(np.bincount(which, repeats, minlength=len(rows)).astype(np.int32))
        if len(self._tail_repeats) > (_TAIL if len(self._keys) else _ALL_TAIL) + len(self._keys) // _TAIL_SHARE:
            self._merge()

    def keep(self, live: NDArray[np.bool_], renumbered: NDArray[np.int32]) -> None:
        """Forgets the postings of dead slots and gives the others their new numbers."""
        chosen = live[self._slots]
        self._keys = self._keys[chosen]
        self._slots = renumbered[self._slots[chosen]]
        self._repeats = self._repeats[chosen]
        counts = np.diff(self._ends.values, prepend=np.int32(0))
        kept = np.repeat(live, counts)
        self._said.keep(kept)
        self._tail_repeats.keep(kept[len(chosen) :])
        self._ends.keep(live)
        self._ends.values[:] = counts[live].cumsum()
        self._first = int(np.count_nonzero(live[: self._first]))
        self._lengths.keep(live)
        self._measured = None

    def rest(self) -> None:
        """Lets go of what can be measured anew."""
        self._measured = None

    def holding(self, keys: NDArray[np.int64]) -> NDArray[np.intp]:
        """The slots, dead ones too, that hold any of the sorted keys."""
        return self._find(keys)[1]

    def linked(
        self, heads: Sequence[int], asked: Set[int], live: NDArray[np.bool_], rows: int
    ) -> list[dict[int, float]]:
        """How rare the two rarest terms are that a slot shares with each head, more than 0 to 2, by the slot.

        A term counts that a few of the live rows hold and that was not asked for. `rows` is how many live.
        """
        ends, keys = self._ends.values, self._said.values
        said = [keys[ends[head - 1] if head else 0 : ends[head]].tolist() for head in heads]
        most = min(max(_FEW, rows // _FEW_SHARE), _MOST_FEW)
        holders = self._few_holders(sorted({*chain(*said)}.difference(asked)), most, live, rows)
        rare = []
        for one, slots in holders.items():
            if 1 < (count := len(slots)) <= most:
                rarity = math.log1p((rows - count + 0.5) / (count + 0.5)) / math.log1p((rows - 0.5) / 1.5)
                rare.append((one, rarity, slots))
        return [_two_best(rare, of_head, head) for of_head, head in zip(said, heads, strict=True)]

    def _few_holders(self, keys: Sequence[int], most: int, live: NDArray[np.bool_], rows: int) -> dict[int, list[int]]:
        """The live slots that hold each of the sorted keys, but for what one slot holds or many more than `most`."""
        wanted, dead = np.array(keys, np.int64), rows < len(live)
        starts, found = self._held(wanted)
        which, _, slots = self._find_in_tail(wanted)
        if dead:
            alive = live[slots]
            which, slots = which[alive], slots[alive]
        new = np.bincount(which, minlength=len(keys))
        each = zip(keys, starts.tolist(), found.tolist(), new.tolist(), strict=True)
        holders = {
            one: self._slots[start : start + count].tolist()
            for one, start, count, later in each
            if count + later > 1 and count <= 2 * most and later <= most  # up to half of the former may be dead
        }
        if dead:
            holders = {one: [slot for slot in holding if live[slot]] for one, holding in holders.items()}
        if len(which):
            few = (new <= most).take(which)
            for one, slot in zip(which[few].tolist(), slots[few].tolist(), strict=True):
                if keys[one] in holders:
                    holders[keys[one]].append(slot)
        return holders

    def _held(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the postings of each key begin in the sorted part, and how many there are."""
        starts = self._keys.searchsorted(keys, "left")
        return starts, self._keys.searchsorted(keys, "right") - starts

    def relevance(self, asked: Set[int], live: NDArray[np.bool_], rows: int, windows: Windows) -> Relevance:
        """How well every slot answers the terms of these keys. `rows` is the number of live slots."""
        keys = np.array(sorted(asked), np.int64)
        which, slots, repeats = self._find(keys)
        if rows < len(live):
            alive = live[slots]
            which, slots, repeats = which[alive], slots[alive], repeats[alive]
        if not len(which):
            nothing = np.zeros(len(live))
            return Relevance(nothing, nothing, nothing)
        if self._measured is None or self._measured.windows is not windows:
            self._measured = Lengths.of(np.where(live, self._lengths.values, 0), rows, windows)
        shares, near = bm25(len(keys), which, slots, repeats, self._measured, rows)
        return Relevance(shares, near, np.bincount(slots, minlength=len(live)) / len(keys))

    def _find(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Every posting of the sorted `keys`: which key, which slot, how often; by key, and then by slot.

        So the same rows add up to the same scores, to the last bit, whatever part of them is sorted.
        """
        starts, found = self._held(keys)
        which = np.arange(len(keys)).repeat(found)
        parts = [slice(0), *map(slice, starts.tolist(), (starts + found).tolist())]
        slots = np.concatenate([self._slots[part] for part in parts])
        repeats = np.concatenate([self._repeats[part] for part in parts])
        new, at_new, new_slots = self._find_in_tail(keys)
        if len(new):
            which = np.concatenate((which, new))
            order = which.astype(np.uint16).argsort(kind="stable")  # of a key, the tail's slots are the last
            which, slots = which.take(order), np.concatenate((slots, new_slots)).take(order)
            repeats = np.concatenate((repeats, self._tail_repeats.values.take(at_new))).take(order)
        return which, slots.astype(np.intp), repeats.astype(np.float64)

    def _find_in_tail(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """The postings of the tail: which key, where, which slot. Most of the tail is left out by a few bits."""
        tail, at = self._said.values[len(self._keys) :], None
        if len(tail) > _SIFTED:
            wanted = np.zeros(_SIEVE, np.bool_)
            wanted[keys & (_SIEVE - 1)] = True
            (at,) = wanted.take(tail & (_SIEVE - 1)).nonzero()
            tail = tail.take(at)
        if not len(keys) or not len(tail):
            return _NOWHERE
        which = keys.searchsorted(tail)
        (found,) = (keys.take(which, mode="clip") == tail).nonzero()
        if not len(found):
            return _NOWHERE
        which, at = which.take(found), found if at is None else at.take(found)
        return which, at, self._ends.values.searchsorted(at + len(self._keys), "right")

    def _merge(self) -> None:
        tail, ends = self._said.values[len(self._keys) :], self._ends.values[self._first :]
        order = tail.argsort(kind="stable")  # of a term, the slots rise
        counts = np.diff(ends, prepend=np.int32(len(self._keys)))
        slots = np.repeat(np.arange(self._first, len(self._lengths), dtype=np.int32), counts)
        new = tail[order], slots[order], self._tail_repeats.values[order]
        if len(self._keys):
            at = np.searchsorted(self._keys, new[0], "right")
            self._keys = np.insert(self._keys, at, new[0])
            self._slots = np.insert(self._slots, at, new[1])
            self._repeats = np.insert(self._repeats, at, new[2])
        else:
            self._keys, self._slots, self._repeats = new
        self._first = len(self._lengths)
        self._tail_repeats = Column(np.uint16)


def _two_best(rare: Iterable[tuple[int, float, Sequence[int]]], keys: Sequence[int], head: int) -> dict[int, float]:
    """The sum of the two rarest of the head's keys that each other slot holds, by the rare keys and their holders."""
    best: dict[int, tuple[float, float]] = {}
    for one, rarity, slots in rare:
        if one in keys:
            for slot in slots:
                first, second = best.get(slot, (0.0, 0.0))
                if rarity > second:
                    best[slot] = (rarity, first) if rarity > first else (first, rarity)
    best.pop(head, None)
    return {slot: first + second for slot, (first, second) in best.items()}
