"""Rows, and a tiny embedder, for the tests of memory."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from persona.memory.embedding import searched_text
from persona.memory.vectors import pack
from persona.values.memory import MemoryRow


class TinyEmbedder:
    """Every word is one of 32 fixed directions: texts that share words come out close."""

    name = "tiny-1"
    dimension = 32
    batch_size = 3

    def __init__(self) -> None:
        self.batches: list[int] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.batches.append(len(texts))
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, blake2b(word.encode(), digest_size=1).digest()[0] % self.dimension] += 1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths, out=vectors, where=lengths > 0)


def memory(row_id: str, text: str, revision: int = 1, **more: object) -> MemoryRow:
    """A live row with the tiny embedder's vector, unless `more` says otherwise."""
    (vector,) = pack(TinyEmbedder().embed([searched_text(text, str(more.get("heading", "")))]))
    row = MemoryRow(row_id, "turn", text, revision, TinyEmbedder.name, vector)
    return replace(row, **more)  # type: ignore[arg-type]


def tombstone(row_id: str, revision: int) -> MemoryRow:
    return MemoryRow(row_id, "turn", "", revision, deleted=True)


def vector_of(text: str) -> NDArray[np.float32]:
    return TinyEmbedder().embed([text])[0]
