"""The static vectors of wordllama 0.4, read from its wheel; nothing of it is imported."""

import json
from itertools import pairwise
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

_WEIGHTS = "wordllama/weights/l2_supercat_256.safetensors"
_VOCABULARY = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
_START = "\u2581"  # opens the first piece of a word


class WordLlama:
    """Vectors of words, shape (256,), float32, by their pieces."""

    dimension = 256

    def __init__(self, wheel: str) -> None:
        with ZipFile(wheel) as files:
            weights = files.read(_WEIGHTS)
            self._known: dict[str, int] = json.loads(files.read(_VOCABULARY))["model"]["vocab"]
        size = int.from_bytes(weights[:8], "little")
        (told,) = [one for name, one in json.loads(weights[8 : 8 + size]).items() if name != "__metadata__"]
        start, stop = told["data_offsets"]
        self._vectors = np.frombuffer(weights[8 + size :][start:stop], "<f2").reshape(told["shape"]).astype(np.float32)

    def vector(self, word: str, *, begins: bool = True) -> NDArray[np.float32]:
        """The sum over a word's pieces, its length the square root of that; `begins` unless it is the end of a word.

        So frequent words, whose vectors are short, count less.
        """
        pieces = self._split(_START + word if begins else word)
        total: NDArray[np.float32] = self._vectors[[self._known[one] for one in pieces]].sum(axis=0)
        return total / max(float(total @ total), 1e-6) ** 0.25

    def _split(self, word: str) -> list[str]:
        """Neighbours are joined, those first that make the most frequent piece (Sennrich et al., 2016)."""
        parts = [sign for sign in word if sign in self._known]
        while True:
            joins = [(self._known.get(one + other), at) for at, (one, other) in enumerate(pairwise(parts))]
            ranked = [(rank, at) for rank, at in joins if rank is not None]
            if not ranked:
                return parts
            _, at = min(ranked)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
