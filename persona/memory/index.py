"""The memories of one owner, ready to be searched.

How a row is scored:

    score = dense + coverage * lexical

`dense` is the cosine after the owner's mean vector was taken from both sides, `lexical` is BM25; both in
standard deviations above the mean over all of the owner's live rows (`scores.standardised`). `coverage` is
the best BM25 of the search as a share of what an ideal row would get that holds every query term: where the
query's words are not those of the memories, the lexical half fades. (Rank fusion measured worse than that.)
A row without a vector takes part lexically: its `dense` is 0, that of an average row.

What is junk: a row that shares no term with the query and whose plain cosine is under the floor is no hit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from sys import getsizeof
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from persona.memory import vectors
from persona.memory.columns import Column
from persona.memory.dense import DenseIndex
from persona.memory.embedding import searched_text
from persona.memory.postings import Postings
from persona.memory.scores import standardised
from persona.values import words
from persona.values.memory import MemoryRow, Recalled, Source
from persona.values.time import iso_day

COSINE_FLOOR = 0.25
"""With the embedded embedder 99.9 % of the unrelated pairs of question and text that share no term are under
0.23 (LoCoMo and PrefEval, in English); two short French texts with forms of one word are at 0.3 to 0.6."""

_DENSE_SPREAD, _LEXICAL_SPREAD = 0.1, 0.05  # of unrelated rows: centred cosines, and shares of an ideal row
_DIGITS = 9  # scores closer than that are ties
_FEWEST_DEAD = 64
_INDEX_BYTES = 3_000  # an empty index: without it a million owners without memories would cost nothing
_ROW_BYTES = 600  # a row, the headers of its strings, its entries in the list and the dict


@dataclass(frozen=True, slots=True)
class _Scores:
    """The scores of one search by slot, shape (slots,); `eligible` slots may be hits."""

    total: NDArray[np.float64]
    dense: NDArray[np.float64]
    lexical: NDArray[np.float64]
    holds: NDArray[np.float64]
    coverage: float
    eligible: NDArray[np.bool_]


class OwnerIndex:
    """One owner's memories: exact dense search in FAISS and BM25, followed change by change.

    `embedder` names whose vectors are compared; those of another are left aside. Every row has a slot; a
    replaced or removed row leaves a dead one, and when half are dead the index is compacted.
    Safe to use from several threads.
    """

    def __init__(self, embedder: str, *, cosine_floor: float = COSINE_FLOOR) -> None:
        self.embedder = embedder
        self.revision = -1
        self._floor = cosine_floor
        self._lock = Lock()
        self._rows: list[MemoryRow | None] = []
        self._slots: dict[str, int] = {}
        self._live = Column(np.bool_)
        self._dense = DenseIndex()
        self._postings = Postings()
        self._text_bytes = 0

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds."""
        rows = len(self._rows) * _ROW_BYTES + self._text_bytes
        return _INDEX_BYTES + rows + self._dense.nbytes + self._postings.nbytes

    def apply(self, rows: Sequence[MemoryRow]) -> None:
        """Takes the rows in: new ones are added, known ids replaced, tombstones removed.

        `revision` becomes the highest one seen. Raises EmbedderMismatch, and takes nothing in, when a vector
        has another dimension than those that are there.
        """
        newest = {row.id: row for row in sorted(rows, key=lambda row: row.revision)}
        arriving = [row for row in newest.values() if not row.deleted]
        unpacked = vectors.unpack([row.vector for row in arriving if self._compares(row)])
        terms = [words.terms(searched_text(row.text, row.heading)) for row in arriving]
        with self._lock:
            self._dense.check(unpacked)
            for row_id in newest:
                self._remove(row_id)
            self._append(arriving, terms, unpacked)
            self.revision = max([self.revision, *(row.revision for row in rows)])
            if len(self._rows) - len(self._slots) > max(_FEWEST_DEAD, len(self._slots)):
                self._compact()

    def search(self, vector: NDArray[np.float32] | None, query_terms: Sequence[str], k: int) -> list[Recalled]:
        """The `k` best memories for a query, best first; equal scores go by newer, then by id.

        `vector` is the query's, shape (d,), float32, unit length (None or zeros: lexical only); `query_terms`
        are those of `words.terms`. Raises EmbedderMismatch when d is not that of the stored vectors.
        """
        with self._lock:
            scores = self._score(vector, query_terms)
            slots = _best(scores, k)
            found = _recalled([self._rows[slot] for slot in slots.tolist()], slots, scores)
        return found[:k]

    def _compares(self, row: MemoryRow) -> bool:
        return bool(row.vector) and row.embedder == self.embedder

    def _append(self, rows: Sequence[MemoryRow], terms: Sequence[Sequence[str]], unpacked: NDArray[np.float32]) -> None:
        first = len(self._rows)
        slots = np.array([slot for slot, row in enumerate(rows, start=first) if self._compares(row)], np.int32)
        told = unpacked.any(axis=1)  # a text with nothing in it has a vector of zeros, which is close to nothing
        self._dense.extend(slots[told], unpacked[told])
        self._postings.extend(terms)
        self._live.extend([True] * len(rows))
        self._slots.update((row.id, slot) for slot, row in enumerate(rows, start=first))
        self._rows.extend(replace(row, vector=b"", embedder="") for row in rows)
        self._text_bytes += sum(getsizeof(row.text) for row in rows)

    def _remove(self, row_id: str) -> None:
        slot = self._slots.pop(row_id, None)
        if slot is None:
            return
        if row := self._rows[slot]:
            self._text_bytes -= getsizeof(row.text)
        self._rows[slot] = None
        self._live.values[slot] = False
        self._dense.drop(slot)
        self._postings.drop(slot)

    def _compact(self) -> None:
        live = self._live.values
        renumbered = (np.cumsum(live) - 1).astype(np.int32)
        self._dense = self._dense.kept(live, renumbered)
        self._postings.keep(live, renumbered)
        self._rows = [row for row in self._rows if row]
        self._slots = {row.id: slot for slot, row in enumerate(self._rows) if row}
        self._live = Column(np.bool_)
        self._live.extend([True] * len(self._rows))

    def _score(self, vector: NDArray[np.float32] | None, query_terms: Sequence[str]) -> _Scores:
        live = self._live.values
        shares, holds = self._postings.relevance(query_terms, live, len(self._slots))
        lexical = np.zeros(len(live))
        lexical[live] = standardised(shares[live], _LEXICAL_SPREAD)
        coverage = min(1.0, float(shares.max(initial=0.0)))
        dense, eligible = np.zeros(len(live)), shares > 0
        if vector is not None and vector.any():
            close = self._dense.closeness(vector, live)
            dense[close.slots] = standardised(close.centred, _DENSE_SPREAD)
            eligible[close.slots[close.cosine >= self._floor]] = True
        return _Scores((dense + coverage * lexical).round(_DIGITS), dense, lexical, holds, coverage, eligible)


def _best(scores: _Scores, k: int) -> NDArray[np.intp]:
    """The eligible slots that may be among the `k` best: these, and what ties with the last of them."""
    slots = np.flatnonzero(scores.eligible)
    if k < 1:
        return slots[:0]
    if len(slots) > k:
        total = scores.total[slots]
        slots = slots[total >= np.partition(total, len(slots) - k)[len(slots) - k]]
    return slots


def _recalled(rows: Sequence[MemoryRow | None], slots: NDArray[np.intp], scores: _Scores) -> list[Recalled]:
    """The rows as hits, best first; equal scores go by newer, then by id."""
    columns = [column[slots].tolist() for column in (scores.total, scores.dense, scores.lexical, scores.holds)]
    hits = [(-total, -row.at_us, row.id, row, *rest) for row, total, *rest in zip(rows, *columns, strict=True) if row]
    hits.sort()  # ids differ, so nothing after them is compared
    coverage = scores.coverage
    return [
        Recalled(
            *(row.id, row.text, Source(row.kind, row.id, row.title, row.heading, iso_day(row.at_us), row.page)),
            *(-total, dense, lexical, coverage, holds, row.message_id, row.fact_kind),
        )
        for total, _, _, row, dense, lexical, holds in hits
    ]
