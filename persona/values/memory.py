"""What is known about a user, and what a search brings back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal, overload

from persona.values.record import record

MemoryKind = Literal["fact", "turn", "chunk"]
Told = Literal["app", "user"]
"""Who may tell a fact outright."""
Origin = Literal["app", "user", "learnt"]


@record(frozen=True, slots=True)
class Fact:
    """One entry of a user's profile, with the time it was true and where it came from.

    `kind` is free ("preference", "instruction", "fact" …). Times are UTC microseconds; `valid_to_us` is 0 while
    the fact holds; `created_us` is when it was stored. `origin` says who told it: the app, the user, or a model that
    quoted the user, in the message `message_id`. What fills a slot of the profile has its name in `slot` and what it
    was set to, in JSON types, in `value`; `text` then says both.
    """

    id: str
    text: str
    kind: str = "fact"
    origin: Origin = "app"
    created_us: int = 0
    valid_from_us: int = 0
    valid_to_us: int = 0
    message_id: str = ""
    slot: str = ""
    value: object = None


@record(frozen=True, slots=True)
class Source:
    """Where a recalled text comes from, so that a reply can name it.

    `title` is a file for knowledge and empty for what the user said; `date` is an ISO day. `page` is 0
    where there is none.
    """

    kind: MemoryKind
    memory_id: str
    title: str = ""
    heading: str = ""
    date: str = ""
    page: int = 0


@record(frozen=True, slots=True)
class Recalled:
    """One memory that a search brought back, and why it came.

    `score`, what it was ranked by, is `dense + coverage * lexical + standing + dated + newer`. `dense` and `lexical`
    are in standard deviations above the owner's mean, and `near_dense` and `near_lexical` the share in them of the row
    read together with its neighbours in the conversation. `coverage` (0 to 1) is how much of the query's vocabulary
    the best match holds, `standing` what a lasting wish gets when a suggestion is asked for, and what was stated when
    it is asked how things are, `dated` what a memory of the time gets that the question names, `newer` what puts a
    statement before an older one of the same thing, and `holds` (0 to 1) the share of the query's distinct terms that
    this one has. `message_id` is the message it was made from, or empty.
    """

    id: str
    text: str
    source: Source
    score: float
    dense: float = 0.0
    lexical: float = 0.0
    coverage: float = 0.0
    holds: float = 1.0
    message_id: str = ""
    fact_kind: str = ""
    near_dense: float = 0.0
    near_lexical: float = 0.0
    standing: float = 0.0
    dated: float = 0.0
    newer: float = 0.0


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """One memory as the store keeps it: a text with a vector and an owner.

    `vector` is little-endian float16, unit length, made by `embedder`; empty until it is indexed. `terms` are those of
    its text, packed (`memory.postings`), and perhaps what its wording tells (`memory.wordings`), so that a load need
    not read the text again; empty where nobody packed them. `revision` is the owner's revision at which the row last
    changed; a `deleted` row is a tombstone without text or vector. `at_us` is when it was said or added.
    `conversation_key` and `depth` are the message's place, 0 for what is no message; `page` counts from 1,
    0 where a document has none.
    """

    id: str
    kind: MemoryKind
    text: str
    revision: int
    embedder: str = ""
    vector: bytes = b""
    title: str = ""
    heading: str = ""
    at_us: int = 0
    message_id: str = ""
    fact_kind: str = ""
    conversation_key: int = 0
    depth: int = 0
    page: int = 0
    terms: bytes = b""
    deleted: bool = False


_IN_ORDER = attrgetter(*(field.name for field in fields(MemoryRow)))


@dataclass(frozen=True, slots=True)
class MemoryColumns(Sequence[MemoryRow]):
    """Memory rows kept by column, as a database hands over many: a row is made only when one is asked for.

    Each column has the name and the place of a MemoryRow's field.
    """

    id: Sequence[str]
    kind: Sequence[MemoryKind]
    text: Sequence[str]
    revision: Sequence[int]
    embedder: Sequence[str]
    vector: Sequence[bytes]
    title: Sequence[str]
    heading: Sequence[str]
    at_us: Sequence[int]
    message_id: Sequence[str]
    fact_kind: Sequence[str]
    conversation_key: Sequence[int]
    depth: Sequence[int]
    page: Sequence[int]
    terms: Sequence[bytes]
    deleted: Sequence[bool]

    @classmethod
    def of(cls, rows: Sequence[MemoryRow]) -> "MemoryColumns":
        """The same rows by column."""
        return rows if isinstance(rows, cls) else cls.read(map(_IN_ORDER, rows))

    @classmethod
    def read(cls, rows: Iterable[Sequence[Any]]) -> "MemoryColumns":
        """Rows that are given by their fields, in the order of a MemoryRow's."""
        columns = tuple(zip(*rows, strict=True))
        return cls(*(columns or [()] * len(fields(cls))))

    def taken(self, at: Sequence[int]) -> "MemoryColumns":
        """The rows at these places, in this order."""
        return self if list(at) == list(range(len(self))) else self.of([self[one] for one in at])

    def __len__(self) -> int:
        return len(self.id)

    @overload
    def __getitem__(self, at: int) -> MemoryRow: ...
    @overload
    def __getitem__(self, at: slice) -> "MemoryColumns": ...
    def __getitem__(self, at: int | slice) -> "MemoryRow | MemoryColumns":
        if isinstance(at, slice):
            return self.taken(range(len(self))[at])
        return MemoryRow(*(column[at] for column in _IN_ORDER(self)))
