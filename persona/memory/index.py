"""The memories of one owner, ready to be searched.

How a row is scored:

    score = dense + coverage * lexical + standing + dated + newer

`dense` is the cosine after the owner's mean vector was taken from both sides, `lexical` is BM25. Each is the sum of
two: that of the row, and that of the row together with its neighbours in the conversation as one text; all four in
standard deviations above the mean over all of the owner's live rows (`scores.standardised`). `coverage` is the best
BM25 of such a window as a share of what an ideal row would get that holds every query term: where the query's words
are not those of the memories, the lexical half fades. (Rank fusion measured worse than that.) `standing` lifts the
statements of a lasting wish when the question asks for a suggestion, and whatever was stated when it asks how things
are with the one who asks; `dated` what was said at a time that the question
names, or names it too. A row without a vector takes part lexically: its `dense` is 0, that of an average row. `newer`
puts the newest of several statements about one thing first (`updates`).

What is junk: a row that shares no term with the query, nor does its window, and whose plain cosine is under about
a quarter of the floor; and every row without a shared term when none reaches the floor. Nothing that was said in May
is junk when a question about the past names May.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from itertools import islice, pairwise, repeat
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from persona.adapter import COSINE_FLOOR
from persona.memory import dates, vectors
from persona.memory.dense import RESTS, DenseIndex
from persona.memory.embedding import searched_text
from persona.memory.intent import Intent, intent_of, lasting_keys
from persona.memory.neighbours import Neighbours
from persona.memory.postings import Postings, current, key, terms_of
from persona.memory.rows import Rows
from persona.memory.scores import Scores, standardised
from persona.memory.updates import HEADS, REACH, Heads, Pool, least_own, newest_first, pairs_of
from persona.memory.wordings import Wordings, stated, states
from persona.values.memory import MemoryColumns, MemoryRow, Recalled

_SPREADS = (0.05, 0.1, 0.05, 0.1)  # of unrelated rows: shares of an ideal row, and centred cosines
_NEAR_LEXICAL = 1.5  # how much the window's BM25 weighs beside the row's own
_STANDING, _DATED = 1.5, 3.0  # standard deviations
_ROW_FLOOR = 0.27  # of the floor for the best row: what is said near something related may be related too
_STATED, _STATING = np.array([0.0, 1.0, 1.7]), 64  # standard deviations, by `Wordings.states`, among so many hits
_SPEAKER = re.compile(r"[A-ZÀ-Ý][\w'’-]* ?: ")  # opens what is kept with the name of who says it
_NEWEST = 1_000  # so many rows are looked at for what is newer, beside the hits and what is linked to them
_NO_INTENT = Intent(suggestion=False, now=False, then=False, of_oneself=False)
_FEWEST_DEAD = 64
_MEASURED_BYTES = 82  # a row
_INDEX_BYTES = 3_000  # an empty index: without it a million owners without memories would cost nothing


class OwnerIndex:
    """One owner's memories: exact dense search in FAISS and BM25, followed change by change.

    `embedder` names whose vectors are compared; those of another are left aside. Every row has a slot; a
    replaced or removed row leaves a dead one, and when half are dead the index is compacted.
    Safe to use from several threads.
    """

    __slots__ = (
        *("__weakref__", "_dense", "_floor", "_lock", "_neighbours", "_postings", "_rows", "_wordings"),
        *("embedder", "revision"),
    )

    def __init__(self, embedder: str, *, cosine_floor: float = COSINE_FLOOR) -> None:
        self.embedder = embedder
        self.revision = -1
        self._floor = cosine_floor
        self._lock = Lock()
        self._rows = Rows()
        self._neighbours = Neighbours()
        self._dense = DenseIndex()
        self._postings = Postings()
        self._wordings = Wordings()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds, once it was searched."""
        parts = (self._rows, self._neighbours, self._dense, self._postings, self._wordings)
        measured = 0 if self._rows.slots <= RESTS else _MEASURED_BYTES * self._rows.slots
        return _INDEX_BYTES + measured + sum(part.nbytes for part in parts)

    def apply(self, rows: Sequence[MemoryRow]) -> None:
        """Takes the rows in: new ones are added, known ids replaced, tombstones removed.

        `revision` becomes the highest one seen. Raises EmbedderMismatch, and takes nothing in, when a vector
        has another dimension than those that are there.
        """
        columns = MemoryColumns.of(rows)
        newest = {columns.id[at]: at for at in sorted(range(len(columns)), key=columns.revision.__getitem__)}
        arriving = columns.taken([at for at in newest.values() if not columns.deleted[at]])
        compared = [at for at, made in enumerate(arriving.embedder) if made == self.embedder and arriving.vector[at]]
        halves = vectors.halves([arriving.vector[at] for at in compared])
        terms = [*map(_terms, arriving.terms, arriving.text, arriving.heading)]
        with self._lock:
            self._dense.check(halves)
            for slot in self._rows.found(tuple(newest)):
                self._remove(slot)
            self._append(arriving, terms, np.array(compared, np.intp), halves)
            self.revision = max([self.revision, *columns.revision])
            if self._rows.slots - len(self._rows) > max(_FEWEST_DEAD, len(self._rows)):
                self._compact()

    def search(
        self, vector: NDArray[np.float32] | None, query_terms: Sequence[str], k: int, text: str = ""
    ) -> list[Recalled]:
        """The `k` best memories for a query, best first; equal scores go by newer, then by id.

        `vector` is the query's, shape (d,), float32, unit length (None or zeros: lexical only); `query_terms`
        are those of `words.terms`. By the wording of the question's `text` lasting wishes are lifted and what was
        updated goes first; without it neither is. Raises EmbedderMismatch when d is not that of the stored vectors.
        """
        with self._lock:
            intent = intent_of(text) if text else _NO_INTENT
            asked = {*map(key, query_terms)}
            scores = self._score(vector, asked, intent, dates.named(text))
            about_them = intent.now and intent.of_oneself
            slots = self._ordered(scores, max(k, _STATING) if about_them and k else k)
            if about_them and len(slots):
                slots = self._statements_first(slots, scores)
            slots = slots[:k]
            ranked = scores.total.take(slots)
            if (intent.now or intent.before) and len(slots) > 1:
                slots, ranked = self._newest_first(slots, scores, asked, intent)
            if self._rows.slots <= RESTS:
                self._rest()
            return self._recalled(slots[:k], scores, ranked[:k])

    def _append(
        self, rows: MemoryColumns, terms: Sequence[bytes], compared: NDArray[np.intp], halves: NDArray[np.float16]
    ) -> None:
        first = self._rows.slots
        told = halves.any(axis=1)  # a text with nothing in it has a vector of zeros, which is close to nothing
        self._rows.extend(rows)
        self._wordings.extend(terms)
        self._postings.extend(terms)
        self._dense.extend(first + compared[told], halves[told], self._rows.slots)
        self._dense.regroup(self._neighbours.extend(self._rows, first))

    def _remove(self, slot: int) -> None:
        self._rows.remove(slot)
        self._dense.drop(slot)
        self._dense.regroup(self._neighbours.remove(slot))

    def _rest(self) -> None:
        for part in (self._neighbours, self._dense, self._postings):
            part.rest()

    def _compact(self) -> None:
        live = self._rows.live.copy()
        renumbered = self._rows.keep()
        self._neighbours.keep(renumbered)
        self._dense.keep(live)
        self._postings.keep(live, renumbered)
        self._wordings.keep(live)

    def _score(
        self,
        vector: NDArray[np.float32] | None,
        asked: Set[int],
        intent: Intent,
        times: Sequence[dates.Named],
    ) -> Scores:
        live, windows = self._rows.live, self._neighbours.windows(self._rows)
        found = self._postings.relevance(asked, live, len(self._rows), windows)
        coverage = min(1.0, float(np.maximum.reduce(found.near, initial=0.0)))
        alive = None if len(self._rows) == len(live) else live
        close = self._dense.closeness(vector, windows)
        values, chosen = (found.shares, close.centred, found.near, close.near), (alive, close.told, alive, close.heard)
        parts = standardised(values, chosen, _SPREADS, (coverage, 1.0, _NEAR_LEXICAL * coverage, 1.0))
        own, near = parts[::2] + parts[1::2]
        total = own + near
        eligible = found.near > 0
        if np.maximum.reduce(close.cosine, initial=0.0) >= self._floor:
            related = close.cosine >= self._floor * _ROW_FLOOR
            eligible |= related if close.told is None else related & close.told
        standing, dated = np.zeros(len(live)), np.zeros(len(live))
        if intent.suggestion:
            lasting = self._postings.holding(lasting_keys())
            standing[lasting] = _STANDING
            standing *= live & self._rows.statements
            total += standing
        if times:
            meant = live & dates.of_these_times(times, self._rows.at_us, self._holding)
            dated[meant] = _DATED
            total += dated
            if intent.then:
                eligible |= meant
        return Scores(total, own, parts, standing, dated, found.holds, coverage, eligible)

    def _holding(self, terms: Iterable[str]) -> NDArray[np.intp]:
        return self._postings.holding(np.array(sorted({*map(key, terms)}), np.int64))

    def _ordered(self, scores: Scores, k: int) -> NDArray[np.intp]:
        """The eligible slots that may be among the `k` best, best first: these, and what all but ties with the last."""
        slots = scores.candidates(k)
        behind = -scores.settle(slots)
        order = behind.argsort()
        slots, behind = slots.take(order), behind.take(order)
        if len(set(behind.tolist())) == len(behind):
            return slots
        ranked = sorted(zip(behind.tolist(), (-self._rows.at_us[slots]).tolist(), slots.tolist(), strict=True))
        if any(one[:2] == other[:2] for one, other in pairwise(ranked)):
            ranked.sort(key=lambda one: (*one[:2], self._rows.id(one[2])))
        return np.array([slot for _, _, slot in ranked], np.intp)

    def _statements_first(self, hits: NDArray[np.intp], scores: Scores) -> NDArray[np.intp]:
        """The hits in their new order: who asks about themselves is answered by what they stated, not by requests."""
        lifted = _STATED.take(states(self._wordings.read(hits, self._rows.text)))
        scores.standing[hits] += lifted
        scores.total[hits] += lifted
        order: NDArray[np.intp] = (-scores.total.take(hits)).argsort(kind="stable")
        return hits.take(order)

    def _newest_first(
        self, hits: NDArray[np.intp], scores: Scores, asked: Set[int], intent: Intent
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The hits in their new order, others perhaps among them, and what each is ranked by."""
        windows = self._neighbours.windows(self._rows)
        at_us = -self._rows.at_us if intent.before else self._rows.at_us  # then what is older goes first
        heads = self._first_statements(hits)
        if not heads:
            return hits, scores.total.take(hits)
        if intent.names and not any(_SPEAKER.match(self._rows.text(head)) for head in heads):
            intent = replace(intent, names=False)  # somebody whom the one who asks has told of
        top, said = scores.total.item(hits.item(0)), [at_us.item(head) for head in heads]
        behind = [(top - scores.total.item(head)) / max(1.0, top) for head in heads]
        linked = self._postings.linked(heads, asked, self._rows.live, len(self._rows))
        after = [(at, windows.members.item(row, head) - 1) for row in (3, 4) for at, head in enumerate(heads)]
        after = [(at, slot) for at, slot in after if slot >= 0]
        pairs = pairs_of(linked, after, self._wordings, self._rows.text)
        related = [slot for _, slot in (*pairs, *after)]
        at = self._in_question(scores.own, hits, related, least_own(intent))
        when = at_us[at]
        (later,) = (when > min(said)).nonzero()
        if not len(later):
            return hits, scores.total.take(hits)
        at = at.take(later)
        stale = Heads(heads, np.array(said)[:, None], np.array(behind)[:, None])
        pool = Pool(at, when.take(later), scores.own.take(at), self._dense.alike(heads, at, windows))
        slots = np.array(newest_first(pool, stale, pairs, hits, self._wordings, self._rows.text, intent))
        return slots, np.maximum.accumulate(scores.settle(slots)[::-1])[::-1]

    def _first_statements(self, hits: NDArray[np.intp]) -> list[int]:
        """The slots of the first few statements among the first few hits."""
        statement, read, text = self._rows.statements, self._wordings.of, self._rows.text
        first = (slot for slot in hits[:REACH].tolist() if statement.item(slot) and stated(read(slot, text)))
        return list(islice(first, HEADS))

    def _in_question(
        self,
        own: NDArray[np.float64],
        hits: NDArray[np.intp],
        related: Sequence[int],
        least: NDArray[np.float64],
    ) -> NDArray[np.intp]:
        """The live statements that may go before a hit: what is related to one, the best of the newest, of the hits."""
        chosen, known = np.zeros(len(own), np.bool_), self._wordings.known
        first = max(0, len(own) - _NEWEST)
        if first:
            chosen[hits] = own.take(hits) >= least.take(known(hits))
        np.greater_equal(own[first:], least.take(known(slice(first, None))), out=chosen[first:])
        chosen[related] = True
        chosen &= self._rows.statements
        if len(self._rows) < len(own):
            chosen &= self._rows.live
        return chosen.nonzero()[0]

    def _recalled(self, at: NDArray[np.intp], scores: Scores, ranked: NDArray[np.float64]) -> list[Recalled]:
        ids, texts, sources, message_ids, kinds = self._rows.sources(at)
        parts = scores.parts.take(at, axis=1)
        parts[::2] /= scores.coverage or 1.0
        (near_lexical, near_dense), (lexical, dense) = parts[2:].tolist(), (parts[:2] + parts[2:]).tolist()
        holds, standing, dated = [one.take(at).tolist() for one in (scores.holds, scores.standing, scores.dated)]
        newer = (ranked - scores.total.take(at)).tolist()
        why = dense, lexical, repeat(scores.coverage), holds, message_ids, kinds
        rest = near_dense, near_lexical, standing, dated, newer
        return list(map(Recalled, ids, texts, sources, ranked.tolist(), *why, *rest))


def _terms(packed: bytes, text: str, heading: str) -> bytes:
    return packed if current(packed) else terms_of(searched_text(text, heading))
