"""The words of many texts as numbers: what is asked of a word is worked out once, then looked up for all texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings, text
from persona.harvest.similar.sets import SPREAD, told_apart
from persona.harvest.similar.spans import spans_of
from persona.harvest.similar.topics import hash_of, term_hashes
from persona.values import words

_MOST = 1 << 16  # words that are remembered from chunk to chunk: some 20 MB
_SLOTS = 18  # bits of a hash that say where a word is looked for: the first of those that have the same is there

Words = NDArray[np.int32]
Places = NDArray[np.int64]


class Capitals(NamedTuple):
    """Words with a capital: whose each is, its number, whether a question has it, and within a sentence or not."""

    row: Places
    words: Words
    asked: NDArray[np.bool_]
    within: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Read:
    """The words of rows, one after the other: those of a question, a border, those of its reply, a border.

    `words` are their numbers and `row` says whose each is, shape (words,); `asked` has the places of those of
    questions, without their borders, `ends` those of the borders after replies, shape (rows,).
    """

    words: Words
    row: Places
    asked: Places
    ends: Places
    capitals: Capitals


class Lexicon:
    """Knows words by number, and of each of them: shape (words,). The border between texts is word 0."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._words = [text.BORDER]  # one that is spelled in two ways is there twice
        self._alone = {text.BORDER: 0}  # the numbers of those that were read on their own
        self._crowded = {0: 0}  # by the hash of their signs, those of words whose slot another one has
        self._hash_in, self._number_in = np.zeros(1 << _SLOTS, np.uint64), np.zeros(1 << _SLOTS, np.int32)
        self._terms: dict[str, Places] = {}  # by language, -1 for those that nobody asked for; as the start of grams
        self._term_anywhere = _NOTHING  # of words with a digit, which are the same in every language; -1 for others
        self._gram_start, self._gram_count = _NOTHING, _NOTHING
        self._grams: NDArray[np.uint32] = np.empty(0, np.uint32)
        self.digest = np.empty(0, np.uint64)
        self.folded = np.empty(0, np.uint64)  # the digest of a word without its accents
        self.hash = np.empty(0, np.uint32)  # 32 bits; the lowest says whether it carries content
        self.numeric = np.empty(0, np.bool_)  # whether it has a digit
        self.telling = np.empty(0, np.bool_)  # whether it carries content without its accents
        self._learn()
        self.hash[0] = 1

    def read(self, pairs: Iterable[tuple[str, str]]) -> Read:
        """The words of questions and replies."""
        if len(self._words) > _MOST:
            self._forget()
        texts = list(chain.from_iterable(pairs))
        whole, spans = spans_of(texts)
        said = self._numbers(whole, spans.start, spans.end, spans.hash)
        capital = self._numbers(whole, spans.capital_start, spans.capital_end, spans.capital_hash)
        part, of, within = _parts(said), spans.text, spans.within
        if len(spans.odd):
            alone, named = zip(*(self._read_alone(number, texts[number]) for number in spans.odd.tolist()), strict=True)
            part, said = _spliced((part, said), spans.odd, alone)
            of, capital, within = _spliced((of, capital, within), spans.odd, named)
        self._learn()
        border, asked = said == 0, (part & 1) == 0
        capitals = Capitals(of >> 1, capital, (of & 1) == 0, within)
        return Read(said, part >> 1, np.flatnonzero(asked & ~border), np.flatnonzero(border & ~asked), capitals)

    def grams(self, said: Words) -> tuple[NDArray[np.uint32], Places]:
        """The grams of words, one after the other, and how many each word has."""
        new = self._new(said, self._gram_start)
        content = (self.hash[new] & 1).tolist()
        learnt, sizes = text.grams(
            words.fold(self._words[number]) if some else "" for number, some in zip(new, content, strict=True)
        )
        self._gram_start[new] = len(self._grams) + np.cumsum(sizes) - sizes
        self._gram_count[new] = sizes
        self._grams = np.concatenate((self._grams, learnt))
        counts = self._gram_count[said]
        at = np.arange(int(counts.sum())) + np.repeat(self._gram_start[said] - (np.cumsum(counts) - counts), counts)
        return self._grams[at], counts

    def terms(self, said: Words, language: Places, names: Sequence[str]) -> NDArray[np.uint32]:
        """The hash of each word's term, 0 for none; `language` is the place of its language among the `names`."""
        found = np.zeros(len(said), np.uint32)
        for place, name in enumerate(names):
            mine = np.flatnonzero(language == place)
            known = self._terms.get(name, _NOTHING)
            known = self._terms[name] = np.append(known, self._term_anywhere[len(known) :])
            new = self._new(said[mine], known)
            known[new] = [hash_of(self._words[number], name) for number in new]
            found[mine] = known[said[mine]]
        return found

    def _new(self, said: Words, known: Places) -> list[int]:
        """Those words of which nothing is known there, each once."""
        new = np.zeros(len(known), np.bool_)
        new[said[known[said] < 0]] = True
        numbers: list[int] = np.flatnonzero(new).tolist()
        return numbers

    def _numbers(self, whole: str, start: Places, end: Places, hashes: NDArray[np.uint64]) -> Words:
        """The numbers of words of a text, by the hashes of their signs."""
        slots = (hashes * np.uint64(SPREAD) >> np.uint64(64 - _SLOTS)).astype(np.int32)
        found, held = self._number_in[slots], self._hash_in[slots]
        others = np.flatnonzero(held != hashes)
        if not len(others):
            return found
        one, which = told_apart(hashes[others])
        places = others[one]
        distinct, slot = hashes[places], slots[places]
        free = self._hash_in[slot] == 0  # of words never met
        numbers = np.full(len(places), -1, np.int32)
        numbers[~free] = [self._crowded.get(spelled, -1) for spelled in distinct[~free].tolist()]
        new = np.flatnonzero(numbers < 0)
        numbers[new] = np.arange(len(self._words), len(self._words) + len(new))
        begins, ends = start[places[new]].tolist(), end[places[new]].tolist()
        self._words += text.small([whole[begin:end] for begin, end in zip(begins, ends, strict=True)])
        self._hash_in[slot[free]], self._number_in[slot[free]] = distinct[free], numbers[free]
        self._crowded.update(zip(distinct[~free].tolist(), numbers[~free].tolist(), strict=True))
        found[others] = numbers[which]
        return found

    def _read_alone(
        self, number: int, said: str
    ) -> tuple[tuple[Places, Words], tuple[Places, Words, NDArray[np.bool_]]]:
        """The words of a text that is read on its own, and those with a capital; `number` is that of the text."""
        said = said.replace(text.BORDER, " ")
        found = self._numbers_alone((*text.tokens(said), text.BORDER))
        named = list(readings.with_capitals(said))
        return (np.full(len(found), number, np.int64), found), (
            np.full(len(named), number, np.int64),
            self._numbers_alone([word for word, _ in named]),
            np.array([inside for _, inside in named], np.bool_),
        )

    def _numbers_alone(self, said: Sequence[str]) -> Words:
        """The numbers of words that are read on their own."""
        known = self._alone
        new = [word for word in dict.fromkeys(said) if word not in known]
        known.update(zip(new, count(len(self._words))))
        self._words += new
        return np.array([known[word] for word in said], np.int32)

    def _learn(self) -> None:
        """What is known of words that come after those that are known."""
        new = self._words[len(self.digest) :]
        if not new:
            return
        digests, folded = text.digests(new), [word if word.isascii() else words.fold(word) for word in new]
        plain = digests.copy()
        accented = [at for at, word in enumerate(new) if not word.isascii()]
        plain[accented] = text.digests([folded[at] for at in accented])
        numeric = np.fromiter(map(text.is_number, new), np.bool_, len(new))
        whole, digits = (np.fromiter(map(is_one, new), np.bool_, len(new)) for is_one in (str.isalnum, str.isdigit))
        carries = numeric & whole  # as no stop word does
        carries[~carries] = [text.carries(new[at]) for at in np.flatnonzero(~carries).tolist()]
        telling = carries.copy()
        telling[accented] = [text.carries(folded[at]) for at in accented]
        self.digest = np.append(self.digest, digests)
        self.folded = np.append(self.folded, plain)
        self.hash = np.append(self.hash, (digests & np.uint64(0xFFFF_FFFE)).astype(np.uint32) | carries)
        self.numeric = np.append(self.numeric, numeric)
        self.telling = np.append(self.telling, telling)
        anywhere = np.where(digits, 0, term_hashes(plain).astype(np.int64))
        self._term_anywhere = np.append(self._term_anywhere, np.where(numeric & whole, anywhere, -1))
        self._gram_start = _grown(self._gram_start, len(self._words))
        self._gram_count = _grown(self._gram_count, len(self._words))


_NOTHING: Places = np.empty(0, np.int64)


def _grown(known: Places, size: int) -> Places:
    return np.append(known, np.full(size - len(known), -1, np.int64)) if size > len(known) else known


def _parts(said: Words) -> Places:
    """Which text each word is of: a border ends it."""
    border = said == 0
    part: Places = np.cumsum(border) - border
    return part


def _spliced(
    columns: Sequence[NDArray[Any]], odd: Places, alone: Sequence[Sequence[NDArray[Any]]]
) -> list[NDArray[Any]]:
    """Columns with those of odd texts in their place; the first one has the number of the text."""
    kept = ~np.isin(columns[0], odd)
    whole = [np.concatenate((column[kept], *others)) for column, *others in zip(columns, *alone, strict=True)]
    order = np.argsort(whole[0], kind="stable")
    return [column[order] for column in whole]
