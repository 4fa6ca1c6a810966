"""The data of the embedder: vectors of English words and pieces of words, of French words, and what words are about.

`words/english.*` are learnt from two models by `python -m benchmarks.distil` (see `english.LICENSE`).
`words/lexicon.*` are made from them and from the two lists beside them by `python -m persona_embedded.lexicon`.
"""

from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from persona.values import words

FOLDER = Path(__file__).parent / "words"
DIMENSION = 128
CONTINUED = "##"  # opens a piece that does not begin a word
_LONGEST = 20  # letters of a piece


@dataclass(frozen=True, slots=True)
class Table:
    """Vectors by a key, kept as 8-bit numbers and a scale a row; the file is shared by all processes of a machine."""

    rows: dict[str, int]
    numbers: NDArray[np.int8]
    scales: NDArray[np.float32]

    def get(self, key: str) -> NDArray[np.float32] | None:
        """The vector, shape (128,), or None."""
        row = self.rows.get(key)
        return None if row is None else self.numbers[row] * self.scales[row]

    @classmethod
    def read(cls, name: str) -> "Table":
        """The table that `write` wrote."""
        keys = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]
        packed = np.load(FOLDER / f"{name}.npy", mmap_mode="r").view(np.ndarray)  # a row of a memmap is slow to take
        scales = packed[:, DIMENSION:].copy().view(np.float16)[:, 0].astype(np.float32)
        return cls({key: row for row, key in enumerate(keys)}, packed[:, :DIMENSION], scales)


def write(name: str, vectors: dict[str, NDArray[np.float32]]) -> None:
    """Keeps vectors under a name: their keys, a line each, and 130 bytes a vector."""
    scales = np.array([max(float(np.abs(one).max()), 1e-6) / 127 for one in vectors.values()], np.float16)
    numbers = np.stack([np.rint(one / float(scale)) for one, scale in zip(vectors.values(), scales, strict=True)])
    packed = np.hstack((np.clip(numbers, -127, 127).astype(np.int8), scales[:, None].view(np.int8)))
    np.save(FOLDER / f"{name}.npy", packed)
    (FOLDER / f"{name}.txt").write_text("".join(f"{key}\n" for key in vectors), encoding="utf-8")


@cache
def english() -> Table:
    """The vectors of English words and of pieces of words, the most frequent first."""
    return Table.read("english")


@cache
def lexicon() -> Table:
    """French words under "fr word" and their stems under "fr =stem"; English stems by their topics under "en =stem"."""
    return Table.read("lexicon")


def spelled(word: str) -> NDArray[np.float32]:
    """The vector of a word, shape (128,): its own, or the sum of its pieces' by the square root of how many they are.

    So long words do not drown the others.
    """
    table = english()
    rows = [table.rows[key] for key in spelling(word, table.rows)] or _scattered(word, len(table.rows))
    total: NDArray[np.float32] = table.numbers[rows[0]] * table.scales[rows[0]]
    for row in rows[1:]:
        total += table.numbers[row] * table.scales[row]
    return total / np.float32(len(rows) ** 0.5)


def spelling(word: str, known: Container[str]) -> list[str]:
    """The known keys that make up a word of a text: the longest that begins it, then the longest that goes on, and on.

    WordPiece (Wu et al., 2016), but that a letter which no piece holds is left out.
    """
    plain = words.bare(word)
    if plain in known:
        return [plain]
    plain, keys, at = words.fold(plain), list[str](), 0
    while at < len(plain):
        opening = CONTINUED if at else ""
        ends = range(min(len(plain), at + _LONGEST), at, -1)
        end = next((end for end in ends if opening + plain[at:end] in known), 0)
        if end:
            keys.append(opening + plain[at:end])
        at = end or at + 1
    return keys


def _scattered(word: str, count: int) -> list[int]:
    """Rows out of `count` for a word in letters that no piece holds, by its pairs and triples of letters.

    They mean nothing, but words that are written much the same share them.
    """
    padded = f"<{word}>"
    grams = (padded[at : at + size] for size in (2, 3) for at in range(len(padded) - size + 1))
    return [crc32(gram.encode("utf-8", "surrogatepass")) % count for gram in grams]
