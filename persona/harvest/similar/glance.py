"""What tells two rows apart at a glance: bits of their signatures, and the names in them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.sets import placed

NAMES, CAPITALS = 4, 12  # of a row, 16 bits of a hash of each
_ANYTHING = 0xFFFF  # in the last place of the capitals: there were more


class Names(NamedTuple):
    """The words with a capital of rows, each word of a row once: whose it is, and its digest; shape (words,) each.

    `held` says whether it is a name, `asked` whether the question has it.
    """

    row: NDArray[np.int64]
    word: NDArray[np.uint64]
    held: NDArray[np.bool_]
    asked: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Glance:
    """Looks of 64-bit words: first `sketch` of a signature's bits, then the names, then all words with a capital."""

    sketch: int

    @property
    def width(self) -> int:
        """How many words of 64 bits a look has."""
        return self.sketch + (NAMES + CAPITALS) // 4

    def look(self, sketches: NDArray[np.uint64], names: Names, held: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """The looks of rows, shape (rows, width); `held` says which of the words with a capital are names."""
        short = names.row << 16 | (names.word % np.uint64(_ANYTHING - 1) + np.uint64(1)).astype(np.int64)
        capitals = _smallest(short, len(sketches), CAPITALS + 1)
        capitals[capitals[:, -1] > 0, -2] = _ANYTHING
        found = np.concatenate((_smallest(short[held], len(sketches), NAMES), capitals[:, :-1]), axis=1)
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


def _smallest(short: NDArray[np.int64], rows: int, places: int) -> NDArray[np.uint16]:
    """The smallest hashes of each row, which is in their upper bits: shape (rows, places), 0 where there are fewer."""
    ordered = np.sort(short)
    return placed(ordered >> 16, (ordered & 0xFFFF).astype(np.uint16), rows, places)
