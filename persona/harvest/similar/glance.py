"""What tells two rows apart at a glance, in bits: their sketches, their words and the names among these."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import text
from persona.values import words


@dataclass(frozen=True, slots=True)
class Glance:
    """Looks of `sketch` words of 64 bits, then twice `spread` of them: a bit for each word, and for each that is a name.

    (A Bloom filter of one function: a bit may stand for two words, so that a look may miss what differs.)
    """

    sketch: int
    spread: int

    @property
    def width(self) -> int:
        """The words of 64 bits of a look."""
        return self.sketch + 2 * self.spread

    def look(
        self, sketches: NDArray[np.uint64], found: Sequence[Iterable[str]], names: Sequence[frozenset[str]]
    ) -> NDArray[np.uint64]:
        """The looks of rows: their sketches, the words with content in each, and what is a name; shape (rows, width)."""
        bits = self.spread * 64
        said = np.zeros((len(found), 2, bits), np.uint8)
        for row, (tokens, named) in enumerate(zip(found, names, strict=True)):
            held = {word for token in tokens if (word := _word(token))}
            said[row, 0, [_place(word, bits) for word in held]] = 1
            said[row, 1, [_place(word, bits) for word in held & named]] = 1
        packed = np.packbits(said.reshape(len(found), -1), axis=1, bitorder="little").view("<u8")
        return np.concatenate((sketches, packed), axis=1)

    def unlike(self, one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
        """In how many bits the sketches differ."""
        differ: NDArray[np.int64] = np.bitwise_count(one[:, : self.sketch] ^ other[:, : self.sketch]).sum(
            axis=1, dtype=np.int64
        )
        return differ

    def of_others(self, one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether each names somebody or something that the other has no word for."""
        middle = self.sketch + self.spread
        only_one = one[:, middle:] & ~other[:, self.sketch : middle]
        only_other = other[:, middle:] & ~one[:, self.sketch : middle]
        return only_one.any(axis=1) & only_other.any(axis=1)


PAIR = Glance(sketch=2, spread=4)
ASKED = Glance(sketch=1, spread=2)


@lru_cache(maxsize=1 << 16)
def _word(token: str) -> str:
    """A token as a name would have it; "" without content."""
    return words.fold(token) if text.carries(token) else ""


@lru_cache(maxsize=1 << 16)
def _place(word: str, bits: int) -> int:
    return text.digest(word) % bits
