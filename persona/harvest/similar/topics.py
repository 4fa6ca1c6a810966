"""What a question is about, and the template that it is written from."""

import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.sets import groups_of, placed
from persona.harvest.similar.text import digest, tokens
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
    """The hashes of one question's first distinct terms, filled up with 0."""
    spoken = words.language(question) if language is None else language
    found = dict.fromkeys(hashed for word in tokens(question) if (hashed := hash_of(word, spoken)))
    return [*found, *[0] * TERMS][:TERMS]


def first_terms(row: NDArray[np.int64], hashes: NDArray[np.uint32], rows: int) -> NDArray[np.uint32]:
    """The same for many rows at once: shape (rows, TERMS).

    `hashes` are those of the rows' words in their order (`hash_of`), and `row` says whose each is, shape (words,).
    """
    held = np.flatnonzero(hashes > 0)
    row, hashes = row[held], hashes[held]
    order, starts = groups_of(row, hashes.astype(np.uint64))
    first = np.sort(np.minimum.reduceat(order, starts)) if len(starts) else order  # of equals the one said first
    return placed(row[first], hashes[first], rows, TERMS)


@lru_cache(maxsize=1 << 15)
def hash_of(word: str, language: str) -> int:
    """That of the term of a word; 0 for a number, a single letter, and a word that has none."""
    term = "" if word.isdigit() else words.term(word, language)
    return 0 if not term or term.isdigit() or (len(word) == 1 and word.isascii()) else term_hash(term)


def term_hash(term: str) -> int:
    """32 bits of a hash of a term, never 0."""
    return digest(term) & 0xFFFF_FFFF or 1


def term_hashes(digests: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same by the digests of terms."""
    hashes: NDArray[np.uint64] = np.maximum(digests & np.uint64(0xFFFF_FFFF), np.uint64(1))
    return hashes


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
    said = tokens(question)
    for spoken in dict.fromkeys((words.language(question), "fr", "en", "")):
        for word in said:
            if hash_of(word, spoken) == topic:
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
