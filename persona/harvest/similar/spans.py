"""Where the words of many texts are, found for all of them at once in numpy."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings, signs
from persona.harvest.similar.text import BORDER

_AT_ONCE = 1 << 16  # signs: what is worked out of each of them stays in the cache of a core
_BASE = 0x9E3779B97F4A7C15  # of the hashes, odd: it has an inverse

Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class Spans(NamedTuple):
    """Words by the places in a text where they begin and end and by a hash of their signs: shape (words,) each.

    First all words, a border after those of each text; then those with a capital, with the number of the text that each
    is of, and whether it stands within a sentence. `odd` are the numbers of the texts that are to be read on their own.
    """

    start: Places
    end: Places
    hash: Hashes
    capital_start: Places
    capital_end: Places
    capital_hash: Hashes
    text: Places
    within: NDArray[np.bool_]
    odd: Places


def spans_of(texts: Sequence[str]) -> tuple[str, Spans]:
    """The texts as one, each with a border after it and one before the first, and where their words are."""
    whole = BORDER.join(("", *texts, ""))
    if whole.count(BORDER) != len(texts) + 1:
        return spans_of([text.replace(BORDER, " ") for text in texts])
    borders = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=borders[1:])
    begins = borders[:-1] + 1 + np.fromiter(map(readings.opening_end, texts), np.int64, len(texts))
    found = [_portion(whole, borders, begins, first, last) for first, last in _portions(borders)]
    return whole, Spans(*map(np.concatenate, zip(*found, strict=True)))


def _portions(borders: Places) -> Iterator[tuple[int, int]]:
    """Borders between which at most so many signs lie, or one text; one portion at least."""
    last, end = 0, len(borders) - 1
    while True:
        first = last
        near = int(np.searchsorted(borders, borders[first] + _AT_ONCE, "right")) - 1
        last = min(max(near, first + 1), end)
        yield first, last
        if last == end:
            return


def _portion(whole: str, borders: Places, begins: Places, first: int, last: int) -> Spans:
    """The words between two borders, the second one of which is a word of them."""
    at = int(borders[first])
    codes = np.frombuffer(whole[at : borders[last] + 1].encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = signs.kinds(codes)
    hashing = _Hashing(codes)
    start, end, hashes = _words(kinds, hashing)
    text_ends = borders[first + 1 : last + 1] - at
    named = _capitals(kinds, start)
    text = np.searchsorted(text_ends, start[named])
    said = start[named] >= begins[text + first] - at  # after the opening
    named, text = named[said], text[said]
    capital, capital_end, capital_hash = start[named], end[named], hashes[named]
    tied = np.flatnonzero(kinds[capital_end] & signs.TIE)
    if len(tied):
        capital_end[tied] = _ends_of(kinds, capital[tied])
        capital_hash[tied] = hashing.of(capital[tied], capital_end[tied])
    joined = _joined(whole, at, kinds, start, end)
    if len(joined):
        start, end, hashes = _merged(start, end, hashes, joined, hashing.powers)
    odd = np.flatnonzero(kinds >= signs.ODD) if kinds.max() >= signs.ODD else joined[:0]
    return Spans(
        *(start + at, end + at, hashes),
        *(capital + at, capital_end + at, capital_hash),
        *(text + first, _within(kinds, capital), np.unique(np.searchsorted(text_ends, odd)) + first),
    )


class _Hashing:
    """Hashes of runs of signs: the same of the same signs, wherever they stand. The border has 0."""

    def __init__(self, codes: NDArray[np.uint32]) -> None:
        self.powers, self._inverse = _powers(-(-len(codes) // _AT_ONCE) * _AT_ONCE)
        self._sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(codes * self.powers[: len(codes)], out=self._sums[1:])

    def of(self, start: Places, end: Places) -> Hashes:
        hashes: Hashes = (self._sums[end] - self._sums[start]) * self._inverse[start]
        return hashes


@lru_cache(maxsize=1)
def _powers(most: int) -> tuple[Hashes, Hashes]:
    """Those of the base and those of its inverse modulo 2^64, shape (most,)."""
    bases = (_BASE, pow(_BASE, -1, 1 << 64))
    one, other = (np.multiply.accumulate(np.append(np.uint64(1), np.full(most - 1, base, np.uint64))) for base in bases)
    return one, other


def _words(kinds: NDArray[np.uint16], hashing: _Hashing) -> tuple[Places, Places, Hashes]:
    """Those behind the first border, which come where a sign is alone, or is of a word and that beside it is not."""
    some = (kinds & (signs.WORD | signs.ALONE)).astype(np.uint8)
    word = some & signs.WORD
    start = np.flatnonzero(some[1:] > word[:-1]) + 1
    end = np.append(np.flatnonzero(some[1:-1] > word[2:]) + 2, len(some))
    return start, end, hashing.of(start, end)


def _joined(whole: str, at: int, kinds: NDArray[np.uint16], start: Places, end: Places) -> Places:
    """Which words begin with three digits that go with the number before them: 1,200 and 1 200 are 1200."""
    later = np.flatnonzero((kinds[start] & signs.DIGIT) > 0)  # of booleans: of numbers it takes eight times as long
    later = later[(kinds[end[later - 1] - 1] & signs.DIGIT) > 0]
    begins, before = start[later], end[later - 1]
    second, third, fourth = (kinds.take(begins + place, mode="clip") & signs.DIGIT for place in (1, 2, 3))
    beside, gap = kinds[before], begins - before
    parted = np.where(gap == 1, beside & (signs.DOT | signs.SPACE), beside & kinds[begins - 1] & signs.SPACE)
    thousands = (second > 0) & (third > 0) & (fourth == 0) & (parted > 0)
    wide = np.flatnonzero(thousands & (gap > 1)).tolist()
    thousands[wide] = [whole[at + before[one] : at + begins[one]].isspace() for one in wide]
    joined: Places = later[thousands]
    return joined


def _merged(
    start: Places, end: Places, hashes: Hashes, joined: Places, powers: Hashes
) -> tuple[Places, Places, Hashes]:
    """The words with those that are joined to the one before them as one."""
    first = np.ones(len(start), np.bool_)
    first[joined] = False
    groups = np.flatnonzero(first)
    group = groups[np.searchsorted(groups, joined) - 1]
    sizes = np.cumsum(end - start) - (end - start)
    np.add.at(hashes, group, hashes[joined] * powers[sizes[joined] - sizes[group]])
    return start[first], end[np.append(first[1:], True)], hashes[first]


def _capitals(kinds: NDArray[np.uint16], start: Places) -> Places:
    """Which words are those with a capital, as `readings.CAPITALS` says, wherever in a text."""
    capital = np.flatnonzero((kinds[start] & signs.CAPITAL) > 0)
    before, after = kinds[start[capital] - 1], kinds[start[capital] + 1]
    found: Places = capital[((before & (signs.TIE | signs.CLING)) == 0) & ((after & (signs.WORD | signs.TIE)) > 0)]
    return found


def _ends_of(kinds: NDArray[np.uint16], start: Places) -> Places:
    """Where the words that begin there end, underscores among them."""
    tied = (kinds & (signs.WORD | signs.TIE)) > 0
    ends = np.flatnonzero(tied[:-1] & ~tied[1:]) + 1
    return ends[np.searchsorted(ends, start, "right")]


def _within(kinds: NDArray[np.uint16], start: Places) -> NDArray[np.bool_]:
    """Whether the words that begin there stand within a sentence."""
    before = start - 1
    for _ in range(readings.BEFORE):
        before = before - ((kinds[before] & signs.LIGHT) > 0)
    within: NDArray[np.bool_] = ((kinds[before] & signs.END) == 0) & (start - before <= readings.BEFORE)
    return within
