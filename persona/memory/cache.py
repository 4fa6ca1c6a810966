"""The indexes kept in memory, one per owner: a cache that follows the store by the owner's revision."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from persona.adapter import COSINE_FLOOR
from persona.memory.index import OwnerIndex
from persona.store import receipts
from persona.store.transaction import Transaction
from persona.values.memory import MemoryRow

_FEW_ROWS, _FEW_CHANGES = 2_000, 16
_SOON_MADE = 200  # rows: six microseconds each

Load = Callable[[int], Sequence[MemoryRow]]
"""The owner's rows changed after a revision, tombstones included; after -1: all of them."""


@dataclass(slots=True)
class _Entry:
    """An owner's index, and up to which revision of the owner it was brought."""

    index: OwnerIndex
    seen: int = -1
    nbytes: int = 0
    lock: Lock = field(default_factory=Lock)


class IndexCache:
    """The most recently used indexes of one embedder, within `max_bytes`; the one asked for last stays.

    There is no way in without an owner's key in the store, which is never given to another, and no index holds rows
    of two. Safe to use from several threads: two of them load for the same owner one after the other, and for
    different owners side by side.
    """

    def __init__(self, max_bytes: int, embedder: str, cosine_floor: float = COSINE_FLOOR) -> None:
        self.embedder = embedder
        self._floor = cosine_floor
        self.on_erased: Callable[[], None] = lambda: None
        self._erasures: int | None = None
        self._max_bytes = max_bytes
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._nbytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, owner: int) -> bool:
        return owner in self._entries

    @property
    def nbytes(self) -> int:
        """About how many bytes all the indexes hold."""
        return self._nbytes

    def get(self, owner: int, revision: int, load: Load) -> OwnerIndex:
        """The owner's index, not older than `revision`, which the store says is the owner's.

        `load` is called with the revision that the cached index already has when that is behind, and with -1
        when there is none. An index *ahead* of the store is thrown away and loaded anew: the owner was erased
        and came back, or the database was restored. Waits in a thread for whoever brings it up to date; raises
        RuntimeError rather than wait for that in an event loop's.
        """
        entry = self._entry(owner)
        if not entry.lock.acquire(blocking=False):
            _check_may_wait()
            entry.lock.acquire()
        return self._brought(owner, entry, revision, load)

    def at_once(self, owner: int, revision: int, load: Load) -> OwnerIndex | None:
        """As `get`, or None while somebody else brings the index up to date."""
        entry = self._entry(owner)
        return self._brought(owner, entry, revision, load) if entry.lock.acquire(blocking=False) else None

    def _brought(self, owner: int, entry: _Entry, revision: int, load: Load) -> OwnerIndex:
        """The index of an entry whose lock was just taken; it is held while the store answers."""
        try:
            if revision < entry.seen:
                entry.index, entry.seen = self._empty(), -1
            if revision > entry.seen:
                entry.index.apply(load(entry.seen))
                entry.seen = max(revision, entry.index.revision)
            index = entry.index
        finally:
            entry.lock.release()
        self._account(owner, entry)
        return index

    def is_quick(self, owner: int, revision: int, more_than: Callable[[int], bool]) -> bool:
        """Whether a search takes a millisecond or two at most: the index is small, and nearly up to date or soon made.

        `more_than` says whether the store has more than so many rows of the owner. The first index of all is slow: it
        loads libraries.
        """
        entry = self._entries.get(owner)
        if entry is not None and revision - entry.seen <= _FEW_CHANGES:
            return len(entry.index) <= _FEW_ROWS
        return bool(self._entries) and not more_than(_SOON_MADE)

    def follow(self, owner: int, row: MemoryRow) -> None:
        """Adds a row that was just stored, if the index has everything before it; if not, `get` will catch up."""
        entry = self._entries.get(owner)
        if entry is None or not entry.lock.acquire(blocking=False):
            return
        try:
            if entry.seen == row.revision - 1:
                entry.index.apply([row])
                entry.seen = row.revision
        finally:
            entry.lock.release()
        self._account(owner, entry)

    def catch_up(self, erasures: int, owners_since: Callable[[int], Iterable[int]]) -> None:
        """Drops what is kept of everybody of whom something was erased since the last call, here or elsewhere.

        An owner who was erased never asks again, so no revision would tell. `erasures` counts those in the store, as
        the transaction sees it; `owners_since` names the owners of those after a number. `on_erased` lets other caches
        follow.
        """
        seen, self._erasures = self._erasures, erasures
        if seen == erasures:
            return
        for owner in list(self._entries) if seen is None else owners_since(seen):
            self.forget(owner)
        self.on_erased()

    def settle(self, owner: int, erasures: int) -> None:
        """Drops what was loaded of the owner by a transaction that sees fewer erasures than another one has seen."""
        if self._erasures is not None and self._erasures > erasures:
            self.forget(owner)

    def forget(self, owner: int) -> None:
        """Drops what is kept of the owner."""
        with self._lock:
            entry = self._entries.pop(owner, None)
            self._nbytes -= entry.nbytes if entry else 0

    def _empty(self) -> OwnerIndex:
        return OwnerIndex(self.embedder, cosine_floor=self._floor)

    def _entry(self, owner: int) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(owner, _Entry(self._empty()))
            self._entries.move_to_end(owner)
            return entry

    def _account(self, owner: int, entry: _Entry) -> None:
        nbytes = entry.index.nbytes
        with self._lock:
            if self._entries.get(owner) is not entry:
                return  # forgotten meanwhile
            self._nbytes += nbytes - entry.nbytes
            entry.nbytes = nbytes
            while self._nbytes > self._max_bytes and len(self._entries) > 1:
                coldest = next(name for name in self._entries if name != owner)
                self._nbytes -= self._entries.pop(coldest).nbytes


def _check_may_wait() -> None:
    """Whoever loads an index may be work of this very loop, which stands still until the store answers."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "an index that is being loaded is waited for in the event loop's thread: this is a bug in persona"
    )


def follow_erasures(tx: Transaction, indexes: IndexCache) -> int:
    """Lets this process drop what it cached of what was erased; others do so before their next turn or task.

    Returns how many erasures this transaction sees: whoever then loads an index in it lets that `settle`.
    """
    erasures = receipts.newest(tx)
    indexes.catch_up(erasures, lambda since: receipts.erased_since(tx, since))
    return erasures
