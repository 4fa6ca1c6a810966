"""Writes the files of a dataset from its chunks, in their order."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from operator import call
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from persona.adapter import Container, DatasetFormat
from persona.harvest.formats.containers import SUFFIXES, RowWriter
from persona.harvest.gather import NAMES, Pile
from persona.harvest.shelf import Lines
from persona.harvest.similar.pairing import NOBODY
from persona.harvest.similar.texts import Each
from persona.values.example import Shape
from persona.values.harvest import SIDES, Contradiction

ROWS = "rows.jsonl"
"""A line for every exchange that was looked at: where its example lies, or which check took it out."""

CONTRADICTIONS = "contradictions.jsonl"
"""A line for each example that was taken out because another one contradicts it, with both texts."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Written:
    """A file of a dataset."""

    sha256: str
    bytes: int
    examples: int


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class Hashed:
    """A file that is being written, and the digest of its bytes."""

    file: BinaryIO
    digest: "_Hash" = field(default_factory=sha256)
    size: int = 0

    def write(self, piece: bytes) -> int:
        """Writes some bytes."""
        self.digest.update(piece)
        self.size += len(piece)
        return self.file.write(piece)


class Shards:
    """The files of one side in one format: one, or several of at most `most` examples each."""

    def __init__(self, folder: Path, side: str, container: Container, total: int, most: int) -> None:
        self._folder = folder
        self._side = side
        self._container = container
        self._most = most or total
        self._files = -(-total // self._most) if total else 0
        self._begun = 0
        self._file: BinaryIO | None = None
        self._writer: RowWriter | None = None
        self._hashed: Hashed | None = None
        self.written: dict[str, Written] = {}

    def extend(self, pieces: Sequence[bytes], columns: tuple[str, ...]) -> None:
        """Writes examples that are pieces already, as many as a file takes at a time."""
        at = 0
        while at < len(pieces):
            writer = self._current()
            room = self._most - writer.rows
            writer.extend(pieces[at : at + room], columns)
            at += room

    def write(self, row: Mapping[str, object]) -> None:
        """Writes one example."""
        self._current().write(row)

    def _current(self) -> RowWriter:
        """The file that the next example goes into."""
        if self._writer is None or self._writer.rows == self._most:
            self.close()
            self._open()
        assert self._writer is not None, "it was just opened"  # noqa: S101 - narrows the type
        return self._writer

    def close(self) -> None:
        """Ends the file that is open."""
        if self._file and self._writer and self._hashed:
            self._writer.finish()
            self._file.close()
            digest = self._hashed.digest.hexdigest()
            self.written[self._name()] = Written(digest, self._hashed.size, self._writer.rows)
        self._file = self._writer = self._hashed = None

    def _open(self) -> None:
        self._begun += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = (self._folder / self._name()).open("wb")
        self._hashed = Hashed(self._file)
        self._writer = RowWriter(self._hashed, self._container)  # type: ignore[arg-type]

    def _name(self) -> str:
        shard = f"-{self._begun:05d}-of-{self._files:05d}" if self._files > 1 else ""
        return f"{self._side}{shard}{SUFFIXES[self._container]}"


def line_of(row: Mapping[str, object]) -> bytes:
    """A line of the list of rows."""
    return f"{_encode(row)}\n".encode()


def write_all(
    out: Path,
    chunks: Sequence[Path],
    piles: Mapping[Shape, Pile],
    formats: Mapping[Shape, Sequence[DatasetFormat]],
    columns: Mapping[str, Sequence[str]],
    most: int,
    each: Each,
) -> dict[str, dict[str, Written]]:
    """Writes the examples that are kept, and the list of all: the files by their format, which the list has none of.

    `columns` are those of tables, by their format. A file has at most `most` examples, 0 for no bound.
    """
    tasks: dict[str, Callable[[], dict[str, Written]]] = {}  # what takes longest first
    for shape, some in formats.items():
        for one in some:
            place = (out, one.name, one.container)
            tasks[one.name] = partial(_examples, *place, piles[shape], tuple(columns.get(one.name, ())), most)
    tasks[""] = partial(_rows, out, chunks, piles)
    return dict(zip(tasks, each(call, list(tasks.values())), strict=True))


def _examples(
    out: Path, form: str, container: Container, pile: Pile, columns: tuple[str, ...], most: int
) -> dict[str, Written]:
    """Writes the examples that are kept in one format; the files by their path within the dataset."""
    name = f"as-{form}"
    totals = [0] * len(SIDES)
    kept = pile.kept
    for folder, where in pile.parts():
        said = np.diff(Lines(folder, name).ends) > 0
        counts = np.bincount(pile.side[where][kept[where] & said], minlength=len(SIDES))
        totals = [total + int(number) for total, number in zip(totals, counts, strict=True)]
    shards = [Shards(out / form, side, container, total, most) for side, total in zip(SIDES, totals, strict=True)]
    for folder, where in pile.parts():
        pieces = list(Lines(folder, name))
        for side, each in enumerate(shards):
            rows = np.flatnonzero(kept[where] & (pile.side[where] == side)).tolist()
            each.extend([pieces[row] for row in rows if pieces[row]], columns)
    for each in shards:
        each.close()
    return {f"{form}/{name}": told for each in shards for name, told in each.written.items()}


def _rows(out: Path, chunks: Sequence[Path], piles: Mapping[Shape, Pile]) -> dict[str, Written]:
    """Writes the list of all that was looked at, chunk by chunk."""
    parts = {shape: dict(pile.parts()) for shape, pile in piles.items()}
    with (out / ROWS).open("wb") as file:
        hashed, lines = Hashed(file), 0
        for chunk in chunks:
            for shape, pile in piles.items():
                where = parts[shape].get(chunk / shape)
                if where is not None:
                    hashed.write(b"".join(_placed(pile, chunk / shape, where)))
                    lines += where.stop - where.start
            refused = (chunk / "refused.jsonl").read_bytes()
            hashed.write(refused)
            lines += refused.count(b"\n")
        return {ROWS: Written(hashed.digest.hexdigest(), hashed.size, lines)}


def write_contradictions(out: Path, found: Sequence[Contradiction]) -> dict[str, Written]:
    """Writes the list of contradictions, where there are any."""
    if not found:
        return {}
    with (out / CONTRADICTIONS).open("wb") as file:
        hashed = Hashed(file)
        for one in found:
            hashed.write(line_of(asdict(one)))
        return {CONTRADICTIONS: Written(hashed.digest.hexdigest(), hashed.size, len(found))}


_SIDED = tuple(b"," + line_of({"side": side})[1:] for side in SIDES)


def _placed(pile: Pile, folder: Path, where: slice) -> Iterator[bytes]:
    """The origins of a chunk's examples, each with its side, or with the check that took it out and what for.

    In pieces that make the lines when they are joined.
    """
    checks, sides, lost = (column[where].tolist() for column in (pile.check, pile.side, pile.lost_to))
    winners = sorted({row for row in lost if row != NOBODY})
    named = dict(zip(winners, (json.loads(line)["example"] for line in pile.lines("origins", winners)), strict=True))
    for at, origin in enumerate(Lines(folder, "origins")):
        yield origin[:-1]
        if not checks[at]:
            yield _SIDED[sides[at]]
            continue
        taken = {"dropped": NAMES[checks[at]]}
        if lost[at] != NOBODY:
            taken["for"] = named[lost[at]]
        if differs := pile.differs.get(where.start + at):
            taken["differs"] = ", ".join(differs)
        yield b"," + line_of(taken)[1:]
