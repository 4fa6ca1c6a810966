"""What a question is about, and the template that it is written from."""

import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.text import digest
from persona.values import words

TERMS = 8  # the first terms of a question; what comes later is rarely what it is about
_DF_BITS = 18  # the document frequencies are counted in a table of 2^18 places: 1 MB
_PLACES = (1 << _DF_BITS) - 1
_LEAST, _LEAST_SHARE = 3, 2_000  # rows: what fewer share is no topic
_MOST_SHARE = 4  # what more than a quarter of all rows share tells nothing
_MASKED = re.compile(r"[^\W_]*\d[^\W_]*(?:[.,:/-]?\d+[^\W_]*)*|(?<=[\w,;:'’»\"] )[^\W\d_a-zà-öø-ÿ][^\W_]+")
_WORD = re.compile(r"[^\W_]+|\x00")
_GAP = "\x00"


def terms(question: str, language: str | None = None) -> list[int]:
    """The hashes of the question's first distinct terms (as `words.terms` finds them), filled up with 0."""
    spoken = words.language(question) if language is None else language
    found: dict[int, None] = {}
    for word in words.tokens(question):
        if hashed := _hash_of(word, spoken):
            found[hashed] = None
            if len(found) == TERMS:
                return list(found)
    return [*found, *[0] * (TERMS - len(found))]


@lru_cache(maxsize=1 << 15)
def _hash_of(word: str, language: str) -> int:
    """That of a word's term; 0 for a number, and for a word that has none."""
    term = words.term(word, language)
    return 0 if not term or term.isdigit() else term_hash(term)


def term_hash(term: str) -> int:
    """32 bits of a hash of a term, never 0."""
    return digest(term) & 0xFFFF_FFFF or 1


def template(question: str) -> int:
    """A digest of the question with a gap for each number and each name in it."""
    return digest(" ".join(_WORD.findall(_MASKED.sub(_GAP, question).casefold())))


def topics(pieces: Iterable[NDArray[np.uint32]], again: Iterable[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Each row's topic: the hash of the rarest of its terms that enough rows share, or else of the commonest; 0: none.

    The columns are read twice, chunk by chunk, each of the shape (rows, TERMS). Document frequencies are counted in a
    table by a part of the hash, so that two terms may be counted as one.
    """
    held = np.zeros(_PLACES + 1, np.int32)
    rows = 0
    for found in pieces:
        held += np.bincount(found[found > 0] & _PLACES, minlength=len(held)).astype(np.int32)
        rows += len(found)
    least, most = max(_LEAST, rows // _LEAST_SHARE), max(rows // _MOST_SHARE, _LEAST)
    chosen = [_most_telling(found, held, least, most) for found in again]
    return np.concatenate(chosen) if chosen else np.empty(0, np.uint32)


def name_of(topic: int, question: str) -> str:
    """The word of the question that is the topic, as it is said there; "" when none is.

    The language that the terms were found in may be that of the reply as well: all are looked through.
    """
    said = words.tokens(question)
    for spoken in dict.fromkeys((words.language(question), "fr", "en", "")):
        for word in said:
            term = words.term(word, spoken)
            if term and term_hash(term) == topic:
                return word
    return ""


def _most_telling(found: NDArray[np.uint32], held: NDArray[np.int32], least: int, most: int) -> NDArray[np.uint32]:
    shared = held[found & _PLACES].astype(np.int64)
    telling = (shared >= least) & (shared <= most)
    # smaller is better: first those that tell, the rarest first; then the others, the commonest first; never a gap
    worth = np.where(telling, shared, (1 << 40) - shared)
    worth[found == 0] = 1 << 50
    best = np.argmin(worth, axis=1)  # of equals the one said first
    topic: NDArray[np.uint32] = np.take_along_axis(found, best[:, None], axis=1)[:, 0]
    return topic
