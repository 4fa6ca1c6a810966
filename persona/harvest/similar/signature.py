"""MinHash signatures of many sets at once, and their bands (locality-sensitive hashing).

Broder, "On the resemblance and containment of documents" (1997); bands as in Leskovec, Rajaraman & Ullman, "Mining of
Massive Datasets", 3.4. A set that shares a share s of its members with another agrees with it in one of b bands of r
values with the probability 1 - (1 - s^r)^b.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BATCH = 512  # sets at a time: what is multiplied stays in the cache of a core
_SKETCH_BIT = 7  # of a value: the high bits of a minimum are zero


@dataclass(frozen=True, slots=True)
class Banding:
    """How a signature is cut: `bands` of `rows` values each, drawn from a seed that is part of the format."""

    bands: int
    rows: int
    seed: int

    @property
    def permutations(self) -> int:
        """How many values a signature has."""
        return self.bands * self.rows

    def chance(self, similarity: float) -> float:
        """The share of pairs of that Jaccard similarity that agree in at least one band."""
        return 1.0 - (1.0 - similarity**self.rows) ** self.bands


PAIRS = Banding(bands=32, rows=4, seed=1)
"""Question with reply, as words and pairs of words: .9998 of those at .7, .988 at .6, .016 at .15."""
QUESTIONS = Banding(bands=20, rows=4, seed=2)
"""The question alone, as runs of four letters of its words: .995 of those at .7, .94 at .6, .01 at .15."""


def minima(members: NDArray[np.uint32], starts: NDArray[np.int64], banding: Banding) -> NDArray[np.uint32]:
    """The signatures of sets that lie one after the other: shape (permutations, sets).

    `starts` has where each set begins in `members`, shape (sets,); no set may be empty. Members are hashes: they are
    spread already, so that to multiply them by an odd number is a permutation like any other.
    """
    dice = np.random.Generator(np.random.PCG64(banding.seed))
    factors = dice.integers(0, 1 << 32, banding.permutations, dtype=np.uint32) | np.uint32(1)
    out = np.empty((banding.permutations, len(starts)), np.uint32)
    ends = np.append(starts[1:], len(members))
    for first in range(0, len(starts), _BATCH):
        last = min(first + _BATCH, len(starts))
        part = members[starts[first] : ends[last - 1]]
        offsets = starts[first:last] - starts[first]
        room = np.empty_like(part)
        for at, factor in enumerate(factors):
            np.multiply(part, factor, out=room)
            np.minimum.reduceat(room, offsets, out=out[at, first:last])
    return out


def bands(signatures: NDArray[np.uint32], apart: NDArray[np.uint64], banding: Banding) -> NDArray[np.uint32]:
    """The key of each band: shape (bands, sets). Sets with different values in `apart` share a key by chance alone."""
    keys = np.empty((banding.bands, signatures.shape[1]), np.uint32)
    for band in range(banding.bands):
        key = apart + np.uint64(band + 1)
        for value in signatures[band * banding.rows : (band + 1) * banding.rows]:
            key = mix(key ^ value)
        keys[band] = (key >> np.uint64(32)).astype(np.uint32)
    return keys


def sketch(signatures: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One bit of each value, shape (sets, permutations / 64): sets of similarity s agree in (1 + s) / 2 of them.

    Li & König, "b-Bit minwise hashing" (2010).
    """
    bits = ((signatures >> np.uint32(_SKETCH_BIT)) & np.uint32(1)).astype(np.uint8)
    packed = np.packbits(bits.T, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8")


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea & Flood, 2014): every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
