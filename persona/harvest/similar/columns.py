"""What is kept of every row for comparing it with all others: numbers in columns, a folder of files for each chunk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import signature, text
from persona.harvest.similar.context import LITTLE, goes_on
from persona.harvest.similar.glance import ASKED, PAIR, Names
from persona.harvest.similar.lexicon import Lexicon, Read
from persona.harvest.similar.sets import digests_of_rows, digests_of_sets, groups_of, keys_of, sets_of
from persona.harvest.similar.topics import TERMS, first_terms, template
from persona.values import words
from persona.values.record import record

_SEPARATOR = "\x1f"
_WITHIN, _ASKED_FIRST, _TOLD_FIRST, _TELLING = 1, 2, 4, 8  # of a word with a capital
_ON_BOTH = _ASKED_FIRST | _TOLD_FIRST | _TELLING


@record(frozen=True, slots=True)
class Row:
    """A row to compare. The texts are as they will be written, personal data replaced.

    `user` is whoever it is of; `rating`, higher is better; `at_us` when the reply was given; `side` of the split, a
    higher one is kept when rows of two sides are alike (train 0, validation 1, test 2). `context` stands for what the
    reply rests on beside the question (`persona.harvest.similar.context`), 0 for nothing; where the question goes on
    from what was said `before`, that stands for it, with whatever else the reply rests on.
    """

    user: str
    question: str
    reply: str
    rating: int = 0
    at_us: int = 0
    side: int = 0
    context: int = 0
    language: str | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one chunk, shape (rows,) but where said otherwise. Digests of 0 mean none."""

    user: NDArray[np.uint64]
    rating: NDArray[np.int16]
    at_us: NDArray[np.int64]
    side: NDArray[np.int8]
    context: NDArray[np.uint64]
    exact: NDArray[np.uint64]
    question: NDArray[np.uint64]
    template: NDArray[np.uint64]
    terms: NDArray[np.uint32]  # (rows, TERMS): the question's terms, 0 where there are fewer
    pair_look: NDArray[np.uint64]  # (rows, 6): question with reply at a glance
    pairs: NDArray[np.uint32]  # (bands, rows): their keys
    asked_look: NDArray[np.uint64]  # (rows, 5): the question alone at a glance
    asked: NDArray[np.uint32]  # (bands, rows): its keys

    def write(self, folder: Path) -> None:
        """Writes each column to a file of its own in a folder that exists: its numbers, and nothing else."""
        for name, kind in _KINDS.items():
            getattr(self, name).astype(kind.base, order="C", copy=False).tofile(_file(folder, name))


# of one row, or of one row in one band
_KINDS: Mapping[str, np.dtype[Any]] = {
    "user": np.dtype("<u8"), "rating": np.dtype("<i2"), "at_us": np.dtype("<i8"), "side": np.dtype("i1"),
    "context": np.dtype("<u8"), "exact": np.dtype("<u8"), "question": np.dtype("<u8"), "template": np.dtype("<u8"),
    "terms": np.dtype(("<u4", (TERMS,))), "pair_look": np.dtype(("<u8", (PAIR.width,))), "pairs": np.dtype("<u4"),
    "asked_look": np.dtype(("<u8", (ASKED.width,))), "asked": np.dtype("<u4"),
}  # fmt: skip


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.column"


def columns_of(rows: Sequence[Row], lexicon: Lexicon | None = None, templates: bool = True) -> Columns:
    """The columns of a chunk's rows, in their order; without `templates` all of them have the template 0."""
    lexicon = lexicon or Lexicon()
    read = lexicon.read((row.question, row.reply) for row in rows)
    counts = np.diff(read.ends, prepend=-1)
    starts = read.ends + 1 - counts
    pair_keys, pair_sketches = _pairs(read, lexicon, len(rows))
    asked_keys, asked_sketches = _questions(read, lexicon, len(rows))
    names = names_of(read, lexicon)
    held = read.asked[(lexicon.hash[read.words[read.asked]] & 1) == 1]
    whose, content = sets_of(read.row[held], lexicon.folded[read.words[held]])
    exact = digests_of_rows(lexicon.digest[read.words], starts, counts)
    silent = np.flatnonzero(read.words[read.ends - 1] == 0)  # the reply has signs only
    exact[silent] = [text.digest(_SEPARATOR.join((rows[row].question, rows[row].reply))) for row in silent.tolist()]
    return Columns(
        user=text.digests([row.user for row in rows]),
        rating=np.array([row.rating for row in rows], np.int16),
        at_us=np.array([row.at_us for row in rows], np.int64),
        side=np.array([row.side for row in rows], np.int8),
        context=_contexts(rows, np.bincount(whose, minlength=len(rows)) <= LITTLE),
        exact=exact,
        question=digests_of_sets(whose, content, len(rows), text.FEWEST),
        template=_unsigned([template(row.question) if templates else 0 for row in rows]),
        terms=_terms(read, lexicon, rows),
        pair_look=PAIR.look(pair_sketches, names, names.held),
        pairs=pair_keys,
        asked_look=ASKED.look(asked_sketches, names, names.held & names.asked),
        asked=asked_keys,
    )


def _unsigned(values: list[int]) -> NDArray[np.uint64]:
    return np.array(values, np.uint64)


def _contexts(rows: Sequence[Row], little: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """What replies rest on: what was said before, where the question has `little` content and goes on from that."""
    found = [row.context for row in rows]
    for at in np.flatnonzero(little).tolist():
        if rows[at].before and goes_on(rows[at].question):
            found[at] = text.digest(_SEPARATOR.join(rows[at].before))
    return _unsigned(found)


def names_of(read: Read, lexicon: Lexicon) -> Names:
    """The words with a capital of each row, without accents: `readings.capitals` of all rows at once.

    A name is one within a sentence, or one that opens sentences on both sides and carries content.
    """
    row, said, asked, within = read.capitals
    word = lexicon.folded[said]
    signs = np.where(within, _WITHIN, np.where(asked, _ASKED_FIRST, _TOLD_FIRST)) | lexicon.telling[said] * _TELLING
    order, starts = groups_of(row, word)
    signs = np.bitwise_or.reduceat(signs[order], starts) if len(starts) else signs
    first = order[starts]
    held = ((signs & _WITHIN) > 0) | ((signs & _ON_BOTH) == _ON_BOTH)
    row, word = row[first], word[first]
    there = np.sort(keys_of(read.row[read.asked], lexicon.folded[read.words[read.asked]]))
    sought = keys_of(row, word)
    at = np.minimum(np.searchsorted(there, sought), max(len(there) - 1, 0))
    return Names(row, word, held, there[at] == sought if len(there) else np.zeros(len(row), np.bool_))


def _terms(read: Read, lexicon: Lexicon, rows: Sequence[Row]) -> NDArray[np.uint32]:
    """The first terms of the questions, each in its language."""
    spoken = [words.language(row.question) if row.language is None else row.language for row in rows]
    names = sorted({"", *spoken})
    place = {name: at for at, name in enumerate(names)}
    language = np.array([place[name] for name in spoken], np.int64)
    where = read.row[read.asked]
    return first_terms(where, lexicon.terms(read.words[read.asked], language[where], names), len(rows))


def _pairs(read: Read, lexicon: Lexicon, rows: int) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Band keys and sketches of question with reply: the words with content, and every two neighbouring words."""
    said = read.words > 0
    said[read.ends] = True  # no row is empty
    number, where = read.words[said], read.row[said]
    hashes = lexicon.hash[number]
    members = np.empty((len(hashes), 2), np.uint32)  # each word alone, and with its neighbour
    members[:, 0] = hashes
    members[:-1, 1] = hashes[:-1] * np.uint32(0x9E3779B1) + hashes[1:]
    some = np.zeros(members.shape, np.bool_)
    some[:, 0] = hashes & 1
    some[:-1, 1] = where[:-1] == where[1:]
    first = 2 * np.searchsorted(where, np.arange(rows))
    starts: NDArray[np.int64] = np.cumsum(some)[first] - some.ravel()[first]
    signed = signature.minima(np.compress(some.ravel(), members), starts, signature.PAIRS)
    apart = _numbers(read.row, read.words, lexicon, rows)
    return signature.bands(signed, apart, signature.PAIRS), signature.sketch(signed)


def _questions(read: Read, lexicon: Lexicon, rows: int) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Band keys and sketches of the questions: runs of letters, so that a word misspelt stays close to itself."""
    number, where = read.words[read.asked], read.row[read.asked]
    grams, sizes = lexicon.grams(number)
    counts = np.bincount(where, sizes, minlength=rows).astype(np.int64)
    room = np.maximum(counts, 1)  # a question without any has a 0
    members = np.insert(grams, (np.cumsum(counts) - counts)[counts == 0], 0)
    signed = signature.minima(members, np.cumsum(room) - room, signature.QUESTIONS)
    apart = _numbers(where, number, lexicon, rows)
    return signature.bands(signed, apart, signature.QUESTIONS), signature.sketch(signed[:64])


def _numbers(row: NDArray[np.int64], said: NDArray[np.int32], lexicon: Lexicon, rows: int) -> NDArray[np.uint64]:
    """A digest of the tokens with a digit in each row, 0 for none."""
    numeric = np.flatnonzero(lexicon.numeric[said])
    return digests_of_sets(*sets_of(row[numeric], lexicon.digest[said[numeric]]), rows)


class Gathered:
    """The columns of all chunks, in order; a column or a band is read when it is asked for, and nothing is kept."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self.sizes = tuple(_file(folder, "side").stat().st_size for folder in self._folders)  # a byte a row
        self._ends = np.cumsum(self.sizes, dtype=np.int64)
        self._firsts = np.append(0, self._ends[:-1])
        self.rows = sum(self.sizes)

    def column(self, name: str) -> NDArray[Any]:
        """A column over all rows."""
        pieces = self.pieces(name)
        first = next(pieces)
        out = np.empty((self.rows, *first.shape[1:]), first.dtype)
        at = 0
        for piece in chain((first,), pieces):
            out[at : at + len(piece)] = piece
            at += len(piece)
        return out

    def pieces(self, name: str) -> Iterator[NDArray[Any]]:
        """A column chunk by chunk."""
        for folder in self._folders:
            yield _column(folder, name)

    def band(self, name: str, band: int) -> NDArray[np.uint32]:
        """The keys of one band over all rows."""
        out = np.empty(self.rows, np.uint32)
        for folder, first, rows in zip(self._folders, self._firsts.tolist(), self.sizes, strict=True):
            out[first : first + rows] = np.fromfile(_file(folder, name), "<u4", rows, offset=4 * band * rows)
        return out

    def take(self, name: str, rows: NDArray[np.int32]) -> NDArray[Any]:
        """A column's values of some rows, in any order; the files are read one by one."""
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        ends = np.searchsorted(ordered, self._ends)
        starts = np.append(0, ends[:-1])
        parts = [
            _column(folder, name)[ordered[start:end] - first]
            for folder, first, start, end in zip(self._folders, self._firsts, starts, ends, strict=True)
            if end > start
        ]
        out = np.empty((len(rows), *parts[0].shape[1:]), parts[0].dtype)
        out[order] = np.concatenate(parts)
        return out


def _column(folder: Path, name: str) -> NDArray[Any]:
    return np.fromfile(_file(folder, name), _KINDS[name])
