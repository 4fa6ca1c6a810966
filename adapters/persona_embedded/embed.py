"""Vectors without a model: hashed character n-grams and stems, the same on every machine."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from persona.values import words

_DIMENSION = 256
_MOST_WORDS = 4000  # distinct words of one text; what comes after no longer changes its direction much
_SCALE = 1024.0  # contributions are whole numbers, so that their sums are exact in any order
_STEM_SHARE = 1.0
_NGRAM_SHARE = 0.9
_FUNCTION_WORD = 0.1

Contribution = tuple[NDArray[np.intp], NDArray[np.float64]]


class HashedNgrams:
    """Texts as unit vectors of 256 signed hashes: words that share a stem, or most letters, come out close.

    A word counts once however often it is said, and function words count a tenth.
    """

    name = "embedded:ngrams-1"
    dimension = _DIMENSION
    batch_size = 256

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 256), float32; zeros where a text has no word."""
        vectors = np.zeros((len(texts), _DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            total = _sum(text)
            if total is not None and (square := float(total @ total)):
                vectors[row] = total / sqrt(square)
        return vectors


def _sum(text: str) -> NDArray[np.float64] | None:
    lang = words.language(text)
    distinct = list(dict.fromkeys(words.tokens(text)))[:_MOST_WORDS]
    if not distinct:
        return None
    parts = [_contribution(word, lang) for word in distinct]
    places = np.concatenate([places for places, _ in parts])
    weights = np.concatenate([weights for _, weights in parts])
    return np.bincount(places, weights, minlength=_DIMENSION).astype(np.float64, copy=False)


@lru_cache(maxsize=1 << 14)
def _contribution(word: str, lang: str) -> Contribution:
    """Where one word adds to the vector, and how much: its stem, and its letters three to five at a time."""
    spoken = (lang,) if lang else ("fr", "en")  # a keyword alone may be of either language
    stems = sorted({words.term(word, one) for one in spoken} - {""})
    importance = 1.0 if stems else _FUNCTION_WORD
    folded = words.fold(word)
    padded = f"<{folded}>"
    ngrams = {padded[at : at + size] for size in (3, 4, 5) for at in range(len(padded) - size + 1)}
    share = importance * _NGRAM_SHARE / sqrt(max(1, len(ngrams)))
    features = [(ngram, share) for ngram in sorted(ngrams)]
    whole = stems or [folded]
    features += [(f"={stem}", importance * _STEM_SHARE / sqrt(len(whole))) for stem in whole]
    hashed = [_hash(feature) for feature, _ in features]
    places = np.array([value >> 1 & (_DIMENSION - 1) for value in hashed], dtype=np.intp)
    signed = [
        round((weight if value & 1 else -weight) * _SCALE) for value, (_, weight) in zip(hashed, features, strict=True)
    ]
    return places, np.array(signed, dtype=np.float64)


def _hash(feature: str) -> int:
    return int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little")
