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
    if len(joined := _joined(whole, at, kinds)):
        start, end, hashes = _merged(start, end, hashes, np.searchsorted(start, joined), hashing.powers)
    begins = begins[first:last] - at
    text_ends = borders[first + 1 : last + 1] - at
    capital, text = _capitals(kinds, begins, text_ends)
    capital_end = _ends_of(kinds, capital)
    odd = np.unique(np.searchsorted(text_ends, np.flatnonzero((kinds & signs.ODD) > 0)))
    return Spans(
        *(start + at, end + at, hashes),
        *(capital + at, capital_end + at, hashing.of(capital, capital_end)),
        *(text + first, _within(kinds, capital), odd + first),
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
    word, alone = (kinds & signs.WORD) > 0, (kinds & signs.ALONE) > 0
    alone[0] = False  # the border before all
    opens, closes = word.copy(), word.copy()
    opens[1:] &= ~word[:-1]
    closes[:-1] &= ~word[1:]
    start, end = np.flatnonzero(opens | alone), np.flatnonzero(closes | alone) + 1
    return start, end, hashing.of(start, end)


def _joined(whole: str, at: int, kinds: NDArray[np.uint16]) -> Places:
    """Where three digits begin that go with the number before them: 1,200 and 1 200 are 1200."""
    digits = np.flatnonzero((kinds & signs.DIGIT) > 0)  # of booleans: of numbers it takes eight times as long
    apart = np.flatnonzero(np.diff(digits) > 1)
    before, begins = digits[apart], digits[apart + 1]
    ends = digits[np.append(apart[1:], len(digits) - 1)] if len(apart) else begins
    gap = begins - before - 1
    beside = kinds[before + 1]
    thousands = (ends - begins == 2) & np.where(
        gap == 1, beside & (signs.DOT | signs.SPACE), beside & kinds[begins - 1] & signs.SPACE
    ).astype(np.bool_)
    wide = np.flatnonzero(thousands & (gap > 1)).tolist()
    thousands[wide] = [whole[at + before[one] + 1 : at + begins[one]].isspace() for one in wide]
    found: Places = begins[thousands]
    return found


def _merged(
    start: Places, end: Places, hashes: Hashes, joined: Places, powers: Hashes
) -> tuple[Places, Places, Hashes]:
    """The words with those that are joined to the one before them as one."""
    first = np.ones(len(start), np.bool_)
    first[joined] = False
    groups = np.flatnonzero(first)
    sizes = np.cumsum(end - start) - (end - start)
    sizes -= np.repeat(sizes[groups], np.diff(groups, append=len(start)))  # of what stands before it in its group
    whole = np.add.reduceat(hashes * powers[sizes], groups)
    return start[groups], end[np.append(groups[1:], len(start)) - 1], whole


def _capitals(kinds: NDArray[np.uint16], begins: Places, ends: Places) -> tuple[Places, Places]:
    """Where words with a capital begin, as `readings.CAPITALS` says, and of which text each is."""
    tied = (kinds & (signs.WORD | signs.TIE)) > 0
    found = (kinds & signs.CAPITAL) > 0
    found[:-1] &= tied[1:]
    found[1:] &= (kinds[:-1] & (signs.WORD | signs.TIE | signs.CLING)) == 0
    capital = np.flatnonzero(found)
    text = np.searchsorted(ends, capital)
    said = capital >= begins[text]  # after the opening
    return capital[said], text[said]


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
