"""Which words get a vector of their own, and the rows of the table that spell a text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from persona_embedded.embed import FUNCTION_WORD
from persona_embedded.lexicon import listed
from persona_embedded.vectors import spelling

from benchmarks.distil_texts import Sense
from persona.values import words

_ALWAYS = 6000  # of the teacher's words, the most frequent are kept even if WordNet lacks them
_OFTEN = 10  # a word that the teacher has in pieces is kept if WordNet's texts hold it so often
_EVERYDAY, _OFTEN_ENOUGH = {4, 6, 8, 13, 18, 26}, 3  # or so often what is done, made, eaten, or what somebody is or has
_PERSON = 18  # the lexicographer file of those who are called something, and of what they are
_LETTERS = range(3, 20)


@dataclass(frozen=True, slots=True)
class Bags:
    """Rows and their weights for texts one after another; text i has those from `starts[i]` to `starts[i + 1]`."""

    rows: NDArray[np.int64]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]


def chosen(vocabulary: Sequence[str], every: list[Sense], counts: Counter[str]) -> list[str]:
    """The keys of the table: the teacher's words that mean something, its pieces, and words that it lacks.

    `counts` says how often WordNet's texts hold each word. All of it is written in plain Latin letters and digits.
    """
    ours, meant = set(listed()), _meant(every)
    stems = {words.term(word, "en") for word in meant}
    kept, at = [], 0
    for one in vocabulary:
        whole = one.isalpha() and len(one) > 1
        at += whole
        if not one.isascii() or one.startswith("["):
            continue
        if not whole or at <= _ALWAYS or one in ours or words.term(one, "en") in stems:
            kept.append(one)
    often = {one for one, count in counts.items() if count >= _OFTEN}
    often |= {one for one, files in meant.items() if files & _EVERYDAY and counts[one] >= _OFTEN_ENOUGH}
    lacked = sorted(one for one in (often | ours) - set(vocabulary) if one.isascii() and one.isalpha())
    return kept + [one for one in lacked if one in ours or len(one) in _LETTERS]


def _meant(every: list[Sense]) -> dict[str, set[int]]:
    """The words that mean something else than a certain person, and the lexicographer files of what they mean."""
    found: dict[str, set[int]] = {}
    for sense in every:
        for lemma in sense.lemmas:
            if lemma.isalpha() and (lemma.islower() or sense.file != _PERSON):
                found.setdefault(lemma.lower(), set()).add(sense.file)
    return found


def bags(texts: Iterable[str], rows: dict[str, int]) -> Bags:
    """What `StaticWords` adds up for each English text."""
    spelled: dict[str, list[int]] = {}
    found: list[int] = []
    weights: list[float] = []
    counts = [0]
    for text in texts:
        before = len(found)
        for token in dict.fromkeys(words.tokens(text)):
            if token not in spelled:
                spelled[token] = [rows[one] for one in spelling(token, rows)]
            pieces = spelled[token]
            found += pieces
            weight = 1.0 if words.term(token, "en") else FUNCTION_WORD
            weights += [weight / max(1, len(pieces)) ** 0.5] * len(pieces)
        counts.append(len(found) - before)
    starts = np.fromiter(accumulate(counts), np.int64, len(counts))
    return Bags(np.array(found, np.int64), np.array(weights, np.float32), starts)


def with_keys(some: Bags, count: int) -> Bags:
    """The same, and after them each of `count` rows as a text of its own."""
    return Bags(
        np.append(some.rows, np.arange(count)),
        np.append(some.weights, np.ones(count, np.float32)),
        np.append(some.starts, some.starts[-1] + 1 + np.arange(count)),
    )
