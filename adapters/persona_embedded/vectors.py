"""The data of the embedder: vectors of word pieces, of French words, and what words are about.

`words/pieces.*` are the static vectors of wordllama (MIT, see `pieces.LICENSE`), cut to 128 dimensions and 8 bits by
`python -m benchmarks.pieces`.
`words/lexicon.*` are made from them and from the two lists beside them by `python -m persona_embedded.lexicon`.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "words"
DIMENSION = 128
START = "\u2581"  # opens the first piece of a word
_BYTE = "<0x{:02X}>"


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
def pieces() -> Table:
    """The vectors of word pieces, in the order in which they are joined."""
    return Table.read("pieces")


@cache
def lexicon() -> Table:
    """French words under "fr word" and their stems under "fr =stem"; English stems by their topics under "en =stem"."""
    return Table.read("lexicon")


@lru_cache(maxsize=1 << 12)
def spelled(word: str) -> NDArray[np.float32]:
    """The vector of a word by its pieces alone, shape (128,), its length the square root of what they add up to.

    So long words do not drown the others, and frequent ones, whose vectors are short, still count less.
    """
    table = pieces()
    total = np.zeros(DIMENSION, np.float32)
    for piece in _split(START + word, table.rows):
        found = table.get(piece)
        if found is not None:
            total += found
    length = float(np.sqrt(total @ total))
    return total / np.float32(np.sqrt(length)) if length else total


def _split(word: str, known: dict[str, int]) -> list[str]:
    """The pieces of a word: neighbours are joined, those first that make the most frequent piece.

    Byte-pair encoding (Sennrich et al., 2016); a sign that is no piece is spelled by its bytes.
    """
    parts: list[str] = []
    for sign in word:
        spelled_out = [_BYTE.format(byte) for byte in sign.encode("utf-8", "surrogatepass")]
        parts.extend([sign] if sign in known else spelled_out)
    while len(parts) > 1:
        ranked = [(known[joined], at) for at in range(len(parts) - 1) if (joined := parts[at] + parts[at + 1]) in known]
        if not ranked:
            break
        _, at = min(ranked)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts
