"""Vectors without a model: static vectors of words, the same for a question and a memory, in French and in English."""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from persona.values import words
from persona_embedded.vectors import DIMENSION, lexicon, spelled

_MOST_WORDS = 4000  # distinct words of one text; what comes after no longer changes its direction much
FUNCTION_WORD = 0.3


class StaticWords:
    """Texts as unit vectors, the sum of those of their words: what means much the same comes out close.

    A word counts once however often it is said, and function words count a third.
    """

    name = "embedded:words-1"
    dimension = DIMENSION
    batch_size = 256
    cosine_floor = 0.34

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 128), float32; zeros where a text has no word."""
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            lang = words.language(text)
            distinct = list(dict.fromkeys(words.tokens(text)))[:_MOST_WORDS]
            if distinct:
                parts = np.array([_vector(word, lang) for word in distinct], np.float64)
                total: NDArray[np.float64] = np.add.reduce(parts)
                if square := float(total @ total):
                    vectors[row] = total / sqrt(square)
        return vectors


@lru_cache(maxsize=1 << 13)
def _vector(word: str, lang: str) -> NDArray[np.float32]:
    """What a word adds to a text of a language: its English meaning where it is French, and its topics' pull."""
    stem = words.term(word, lang)
    if not stem:
        return spelled(word) * np.float32(FUNCTION_WORD)
    table, french = lexicon(), f"fr {words.bare(word)}"
    known = table.get(french) if lang != "en" else None
    if lang == "fr":
        known = table.get(f"fr ={stem}") if known is None else known
        if known is not None:
            return known
        stem = words.term(word, "en")  # what is not listed may be a name, the same in both
    own, towards = spelled(word), table.get(f"en ={stem}")
    if towards is None:
        return own if known is None else known  # a keyword alone may be of either language
    return own + towards * np.float32(sqrt(float(own @ own)))
