"""The words of many texts as numbers: what is asked of a word is worked out once, then looked up for all texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import text
from persona.harvest.similar.signature import mix
from persona.harvest.similar.topics import hash_of
from persona.values import words

_MOST = 1 << 16  # words that are remembered from chunk to chunk: some 10 MB


class _Numbers(dict[str, int]):
    """Words by number, in the order in which they were met."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Read:
    """The words of rows, one after the other: those of a question, a border, those of its reply, a border.

    `words` are their numbers and `row` says whose each is, shape (words,); `asked` marks those of questions, without
    their borders, `ends` are the places of the borders after replies, shape (rows,).
    """

    words: NDArray[np.int32]
    row: NDArray[np.int64]
    asked: NDArray[np.bool_]
    ends: NDArray[np.int64]


class Lexicon:
    """Knows words by number, and of each of them: shape (words,). The border between texts is word 0."""

    def __init__(self) -> None:
        self._forget()

    def read(self, pairs: Iterable[tuple[str, str]]) -> Read:
        """The words of questions and replies."""
        if len(self._numbers) > _MOST:
            self._forget()
        found = text.tokens_of(list(chain.from_iterable(pairs)))
        said = np.fromiter(map(self._numbers.__getitem__, found), np.int32, len(found))
        self._learn(list(islice(self._numbers, len(self.digest), None)))
        border = said == 0
        part = np.cumsum(border) - border  # which text each word is of: a border ends it
        asked = (part & 1) == 0
        return Read(said, part >> 1, asked & ~border, np.flatnonzero(border & ~asked))

    def grams(self, said: NDArray[np.int32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The grams of words, one after the other, and how many each word has."""
        distinct, which = np.unique(said, return_inverse=True)
        each = [text.grams(self._words[number]) for number in distinct.tolist()]
        sizes = np.fromiter(map(len, each), np.int64, len(each))
        flat = np.fromiter(chain.from_iterable(each), np.uint32, int(sizes.sum()))
        counts = sizes[which]
        starts = (np.cumsum(sizes) - sizes)[which]
        at = np.arange(int(counts.sum())) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        return flat[at], counts

    def terms(self, said: NDArray[np.int32], language: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.uint32]:
        """The hash of each word's term, 0 for none; `language` is the place of its language among the `names`."""
        distinct, which = np.unique(said.astype(np.int64) * len(names) + language, return_inverse=True)
        number, spoken = (part.tolist() for part in np.divmod(distinct, len(names)))
        known = [hash_of(self._words[at], names[name]) for at, name in zip(number, spoken, strict=True)]
        return np.array(known, np.uint32)[which]

    def _forget(self) -> None:
        self._numbers = _Numbers()
        self._words: list[str] = []
        self.digest = np.empty(0, np.uint64)
        self.folded = np.empty(0, np.uint64)  # the digest of a word without its accents
        self.hash = np.empty(0, np.uint32)  # 32 bits; the lowest says whether it carries content
        self.numeric = np.empty(0, np.bool_)  # whether it has a digit
        self._learn([text.BORDER])
        self._numbers[text.BORDER]

    def _learn(self, new: Sequence[str]) -> None:
        """What is known of words that come after those that are known."""
        if not new:
            return
        digests = np.array([text.digest(word) for word in new], np.uint64)
        carries = np.fromiter(map(text.carries, new), np.bool_, len(new))
        folded = [text.digest(words.fold(word)) if not word.isascii() else 0 for word in new]
        plain = np.array(folded, np.uint64)
        hashes = (digests & np.uint64(0xFFFF_FFFE)).astype(np.uint32) | carries
        if not self._words:
            hashes[0] = 1
        self._words += new
        self.digest = np.concatenate((self.digest, digests))
        self.folded = np.concatenate((self.folded, np.where(plain == 0, digests, plain)))
        self.hash = np.concatenate((self.hash, hashes))
        self.numeric = np.concatenate((self.numeric, np.fromiter(map(text.is_number, new), np.bool_, len(new))))


def digests_of_sets(
    row: NDArray[np.int64], members: NDArray[np.uint64], rows: int, fewest: int = 1
) -> NDArray[np.uint64]:
    """A digest of each row's different members in any order, shape (rows,); 0 for rows with fewer than `fewest`."""
    order = np.lexsort((members, row))
    row, members = row[order], members[order]
    new = np.append(True, (row[1:] != row[:-1]) | (members[1:] != members[:-1]))[: len(row)]
    row, members = row[new], members[new]
    counts = np.bincount(row, minlength=rows)
    held = np.flatnonzero(counts)
    found = np.zeros(rows, np.uint64)
    if len(held):
        found[held] = mix(np.add.reduceat(mix(members), np.cumsum(counts)[held] - counts[held])) | np.uint64(1)
    found[counts < fewest] = 0
    return found


def digests_of_rows(
    members: NDArray[np.uint64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """A digest of each row's members in their order, shape (rows,); no row is empty."""
    place = (np.arange(len(members)) - np.repeat(starts, counts)).astype(np.uint64)
    return mix(np.add.reduceat(mix(members + place * np.uint64(0x9E3779B97F4A7C15)), starts))
