"""What tells two rows apart at a glance: bits of their signatures, and the names in them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import text
from persona.harvest.similar.readings import Capitals

NAMES, CAPITALS = 4, 12  # of a row, 16 bits of a hash of each
_ANYTHING = 0xFFFF  # in the last place of the capitals: there were more
_NONE = [0] * CAPITALS


@dataclass(frozen=True, slots=True)
class Glance:
    """Looks of 64-bit words: first `sketch` of a signature's bits, then the names, then all words with a capital."""

    sketch: int

    def look(self, sketches: NDArray[np.uint64], capitals: Iterable[Capitals]) -> NDArray[np.uint64]:
        """The looks of rows, shape (rows, width)."""
        held = [(*_short(one.names, NAMES), *_short(one.names | one.opening, CAPITALS)) for one in capitals]
        found = np.array(held, "<u2").reshape(len(held), NAMES + CAPITALS)
        return np.concatenate((sketches, found.view("<u8")), axis=1)

    def unlike(
        self, sketches: NDArray[np.uint64], one: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        """In how many bits the sketches of rows differ; `sketches` has the shape (sketch, rows)."""
        differ = np.zeros(len(one), np.uint8)
        for bits in sketches:
            differ += np.bitwise_count(bits[one] ^ bits[other])
        return differ

    def of_others(self, one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether each names somebody or something that the other has no word with a capital for."""
        mine, theirs = (np.ascontiguousarray(look[:, self.sketch :].copy().view(np.uint16).T) for look in (one, other))
        return _lacking(mine, theirs) & _lacking(theirs, mine)


PAIR = Glance(sketch=2)
ASKED = Glance(sketch=1)


def _lacking(one: NDArray[np.uint16], other: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether `one` has a name that is no word of the other's with a capital; shape (names and capitals, rows)."""
    lacks = np.zeros(one.shape[1], np.bool_)
    for name in one[:NAMES]:
        held = name == 0
        for capital in other[NAMES:]:  # word by word: numpy is slow along a short axis
            held |= capital == name
        lacks |= ~held
    lacks &= other[-1] != _ANYTHING
    return lacks


def _short(said: Collection[str], places: int) -> Sequence[int]:
    """The smallest hashes of words, 0 where there are fewer; the last capital says where there were more."""
    found = sorted(map(_hash, said))
    if len(found) <= places:
        return found + _NONE[: places - len(found)]
    return [*found[: places - 1], _ANYTHING] if places == CAPITALS else found[:places]


@lru_cache(maxsize=1 << 14)
def _hash(word: str) -> int:
    return text.digest(word) % (_ANYTHING - 1) + 1
