"""Takes files into a knowledge base: read in a thread, embedded together, stored one by one."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b

import stamina

from persona.adapter import Embedder
from persona.errors import ProviderError, RateLimited
from persona.knowledge.apart import Apart
from persona.knowledge.chunks import Chunk, chunks
from persona.knowledge.documents import Document, read
from persona.knowledge.files import Found, Listing, stamp
from persona.knowledge.unreadable import Gone, Unreadable
from persona.memory.embedding import embed, searched_text
from persona.memory.postings import terms_of
from persona.memory.vectors import pack
from persona.store import documents
from persona.store.documents import Piece
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.document import (
    DocumentChange,
    DocumentEntry,
    DocumentOrigin,
    DocumentOutcome,
    KnowledgeReport,
)
from persona.values.memory import MemoryRow

_SLICE_S = 0.2  # of reading, between two looks at whether to go on
_TEXTS = 1_024  # embedded at a time, before their vectors are packed
_PATIENCE_S = 60.0  # for a database that others write to
_TRIES = 6  # at an embedder that is busy


@dataclass(frozen=True, slots=True)
class _Looked:
    """One file as it was found. With chunks it is to be indexed; `writes` says that its entry changed."""

    entry: DocumentEntry
    outcome: DocumentOutcome
    chunks: tuple[Chunk, ...] = ()
    pieces: tuple[Piece, ...] = ()
    reason: str = ""
    writes: bool = True


@dataclass(frozen=True, slots=True)
class _Searched:
    """What a piece is found by, as it is stored."""

    vector: bytes
    terms: bytes


@dataclass(slots=True)
class Intake:
    """One run over the files of a knowledge base. `stored` are its documents by their paths, as they were before."""

    database: Database
    embedder: Embedder
    now_us: Callable[[], int]
    owner_key: int
    stored: Mapping[str, DocumentEntry]
    most_bytes: int
    apart: Apart
    origin: DocumentOrigin
    say: Callable[[DocumentChange], None] | None = None
    _counts: Counter[str] = field(default_factory=Counter)
    _refused: list[tuple[str, str]] = field(default_factory=list)
    _total: int = 0

    @property
    def report(self) -> KnowledgeReport:
        """What was done so far."""
        done = {name: self._counts[name] for name in ("added", "updated", "unchanged", "removed")}
        return KnowledgeReport(**done, refused=tuple(self._refused))

    async def bring(self, listing: Listing, gone: Sequence[str]) -> None:
        """Takes in what changed, and drops what is gone. Raises StoreError, and what a remote embedder raises."""
        self._total = len(listing.files) + len(listing.refused) + len(gone)
        for path in gone:
            await self._done(_Looked(DocumentEntry(path, ""), "removed"))
        for found, why in listing.refused:
            await self._done(self._refusal(found, why))
        files = iter(listing.files)
        while looked := await asyncio.to_thread(self._look_at_some, files):
            made = await self._searched([one for one in looked if one.outcome in ("added", "updated")])
            for one in looked:
                await self._done(one, made)

    def _look_at_some(self, files: Iterator[Found]) -> list[_Looked]:
        """The next files, until there is enough to embed or some time has gone by; none at the end."""
        looked: list[_Looked] = []
        texts, until = 0, time.monotonic() + _SLICE_S
        for found in files:
            looked.append(self._look(found))
            texts += len(looked[-1].chunks)
            if texts >= max(self.embedder.batch_size, 1) or time.monotonic() > until:
                break
        return looked

    def _look(self, found: Found) -> _Looked:
        known = self.stored.get(found.key)
        origin: DocumentOrigin = "hand" if known and known.origin == "hand" else self.origin
        if known and known.mtime_ns and stamp(found.path) == (known.size, known.mtime_ns):
            return _Looked(replace(known, origin=origin), "unchanged", writes=known.origin != origin)
        try:
            document = read(found, self.most_bytes, self.apart.content)
        except Gone:
            return _Looked(DocumentEntry(found.key, found.title), "removed", writes=known is not None)
        except Unreadable as error:
            return self._refusal(found, error)
        if known and known.sha256 == document.sha256:
            entry = replace(known, origin=origin, mtime_ns=document.mtime_ns, size=document.size, problem="")
            return _Looked(entry, "unchanged", writes=entry != known)
        return self._read(document, origin, "updated" if known and known.indexed_us else "added")

    def _read(self, document: Document, origin: DocumentOrigin, outcome: DocumentOutcome) -> _Looked:
        parts = chunks(document)
        entry = DocumentEntry(
            document.key,
            document.title,
            origin,
            len(parts),
            document.size,
            self.now_us(),
            remark=document.remark or ("" if parts else "holds no text"),
            sha256=document.sha256,
            mtime_ns=document.mtime_ns,
        )
        return _Looked(entry, outcome, parts, tuple(Piece(_digest(part), part.page) for part in parts))

    def _refusal(self, found: Found, why: Unreadable) -> _Looked:
        """A file that is not taken in. What an earlier time read of it stays; it is looked at again every time."""
        known = self.stored.get(found.key, DocumentEntry(found.key, found.title, self.origin))
        size = stamp(found.path)
        entry = replace(known, problem=why.reason, mtime_ns=0, size=size[0] if size else 0)
        return _Looked(entry, "refused", reason=why.reason, writes=entry != self.stored.get(found.key))

    async def _searched(self, looked: Sequence[_Looked]) -> dict[str, _Searched]:
        """What the texts that the knowledge base does not hold yet are found by, by digest."""
        texts = {
            piece.digest: searched_text(part.text, part.heading)
            for one in looked
            for part, piece in zip(one.chunks, one.pieces, strict=True)
        }
        if not texts:
            return {}
        held = await self.database.run(lambda tx: documents.held(tx, self.owner_key, texts), write=False)
        return await self._embedded({digest: text for digest, text in texts.items() if digest not in held})

    async def _embedded(self, texts: Mapping[str, str]) -> dict[str, _Searched]:
        found: dict[str, _Searched] = {}
        digests = list(texts)
        for start in range(0, len(digests), _TEXTS):
            some = digests[start : start + _TEXTS]
            said = [texts[one] for one in some]
            async for attempt in stamina.retry_context(on=_again, attempts=_TRIES, timeout=None, wait_max=30.0):
                with attempt:
                    vectors = pack(await embed(self.embedder, said))
            terms = await asyncio.to_thread(lambda said=said: [terms_of(one) for one in said])  # type: ignore[misc]
            found.update(zip(some, map(_Searched, vectors, terms), strict=True))
        return found

    async def _done(self, one: _Looked, made: Mapping[str, _Searched] | None = None) -> None:
        if one.writes:
            await self._write(one, made or {})
        elif one.outcome == "removed":  # it went away since it was listed, and nobody knew of it
            self._total -= 1
            return
        self._counts[one.outcome] += 1
        if one.reason:
            self._refused.append((one.entry.path, one.reason))
        if self.say:
            self.say(DocumentChange(one.entry.path, one.outcome, self._counts.total(), self._total, one.reason))

    async def _write(self, one: _Looked, made: Mapping[str, _Searched]) -> None:
        key, entry = self.owner_key, one.entry
        run = partial(self.database.run, patience_s=_PATIENCE_S)
        if one.outcome == "removed":
            await run(lambda tx: documents.drop(tx, key, entry.path))
        elif one.outcome == "refused":
            await run(lambda tx: documents.refuse(tx, key, entry))
        elif one.outcome == "unchanged":
            await run(lambda tx: documents.confirm(tx, key, entry))
        else:
            while not await run(partial(_keep, key, one, _rows(one, made, self.embedder.name))):
                # somebody dropped a document that held one of its texts
                made = {**made, **await self._searched([one])}


def _keep(owner_key: int, one: _Looked, rows: Mapping[str, MemoryRow], tx: Transaction) -> bool:
    return documents.keep(tx, owner_key, one.entry, one.pieces, rows)


def _rows(one: _Looked, made: Mapping[str, _Searched], embedder: str) -> dict[str, MemoryRow]:
    """The memories of a document's pieces that are new, by digest; the first of the same ones gives its page."""
    rows: dict[str, MemoryRow] = {}
    for part, piece in zip(one.chunks, one.pieces, strict=True):
        searched = made.get(piece.digest)
        if searched is not None and piece.digest not in rows:
            rows[piece.digest] = MemoryRow(
                new_id("mem"),
                "chunk",
                part.text,
                revision=0,
                embedder=embedder,
                vector=searched.vector,
                terms=searched.terms,
                title=one.entry.title,
                heading=part.heading,
                page=part.page,
            )
    return rows


def _digest(part: Chunk) -> str:
    return blake2b(f"{part.heading}\0{part.text}".encode(), digest_size=20).hexdigest()


def _again(error: Exception) -> bool | float:
    if not isinstance(error, ProviderError) or not error.retryable:
        return False
    wait = error.retry_after_s if isinstance(error, RateLimited) else None
    return True if wait is None else max(wait, 0.001)
