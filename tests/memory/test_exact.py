"""Search is exhaustive: it ranks as plain numpy does over every row."""

import math
from collections import Counter

import numpy as np
import pytest
from memory_rows import memory
from numpy.typing import NDArray

from persona.memory.index import OwnerIndex
from persona.memory.vectors import pack, unpack
from persona.values.memory import MemoryRow

WORDS = [f"word{at}" for at in range(60)]
PRIOR = 10
ROUNDING = 2e-3  # stored vectors are halves: their length is 1 but for that


def made(rows: int, dimension: int, seed: int) -> tuple[list[MemoryRow], NDArray[np.float64], list[list[str]]]:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(0.1, 1, (rows, dimension)).astype(np.float32)
    packed = pack(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    texts = [[str(word) for word in draw.choice(WORDS, draw.integers(1, 12))] for _ in range(rows)]
    found = [
        memory(f"m{at:05d}", " ".join(text), at + 1, vector=packed[at], conversation_key=1 + at // 7, depth=at % 7)
        for at, text in enumerate(texts)
    ]
    return found, unpack(packed).astype(np.float64), texts


def windows(rows: int) -> list[list[int]]:
    return [[at for at in range(one - 2, one + 3) if 0 <= at < rows and at // 7 == one // 7] for one in range(rows)]


def standard(values: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    rows = len(values) + PRIOR
    mean = values.sum() / rows
    return (values - mean) / math.sqrt(((values**2).sum() + PRIOR * spread**2) / rows - mean**2)


def bm25(texts: list[Counter[str]], asked: set[str]) -> NDArray[np.float64]:
    rows, lengths = len(texts), [sum(text.values()) for text in texts]
    rarity = {}
    for term in asked:
        holders = sum(term in text for text in texts)
        rarity[term] = math.log1p((rows + PRIOR - holders + 0.5) / (holders + 0.5))
    shares = np.zeros(rows)
    for at, text in enumerate(texts):
        longer = 0.6 + 0.4 * lengths[at] / (sum(lengths) / rows)
        shares[at] = sum(rarity[term] * text[term] * 1.9 / (text[term] + 0.9 * longer) for term in asked)
    return shares / sum(rarity.values())


def brute(
    vectors: NDArray[np.float64], texts: list[list[str]], query: NDArray[np.float64], asked: list[str]
) -> NDArray[np.float64]:
    around = windows(len(texts))
    mean = vectors.sum(axis=0) / (len(vectors) + PRIOR)
    centred, aside = vectors - mean, (query - mean) / np.linalg.norm(query - mean)
    near = np.stack([centred[one].sum(axis=0) for one in around])
    dense = sum(standard(one @ aside / np.linalg.norm(one, axis=1), 0.1) for one in (centred, near))
    own = bm25([Counter(text) for text in texts], set(asked))
    wide = bm25([Counter(word for at in one for word in texts[at]) for one in around], set(asked))
    return dense + min(1.0, wide.max()) * (standard(own, 0.05) + 1.5 * standard(wide, 0.05))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("rows", "dimension"), [(1, 8), (40, 16), (1_500, 32)])
def test_a_search_ranks_as_numpy_over_every_row(rows: int, dimension: int) -> None:
    stored, vectors, texts = made(rows, dimension, seed=rows)
    index = OwnerIndex("tiny-1", cosine_floor=-10)
    for start in range(0, rows, 97):
        index.apply(stored[start : start + 97])
    draw = np.random.default_rng(5)
    for _ in range(8):
        query = draw.normal(0.1, 1, dimension).astype(np.float32)
        query /= np.linalg.norm(query)
        asked = [str(word) for word in draw.choice(WORDS, 4)]
        expected = brute(vectors, texts, query.astype(np.float64), asked)
        hits = index.search(query, asked, rows)
        assert [hit.score for hit in hits] == pytest.approx(sorted(expected, reverse=True), abs=ROUNDING)
        assert all(abs(expected[int(hit.id[1:])] - hit.score) < ROUNDING for hit in hits)
