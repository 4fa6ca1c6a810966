"""Rows on two sides of the split that are nearly the same words: between sides nothing may be exchanged but a number.

Within a side "open on Monday" and "open on Sunday" are two rows; one of them to train and the other to test would ask
what was learnt by heart. Rows with different numbers never share a band, and stay two rows.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import text
from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.glance import PAIR
from persona.harvest.similar.sets import distinct
from persona.harvest.similar.signature import PAIRS
from persona.harvest.similar.texts import Texts

SAME_WORDS = 88  # hundredths of all words of both that both have
BANDS = 16  # .999 of pairs that share eight in ten shingles meet in one of them
AUDITED = 8
_MOST_UNLIKE = 28  # of 128 bits of the sketch: rows that share eight in ten shingles differ in 13, give or take 3.4
_NEIGHBOURS = (-2, -1, 0, 1)  # of the rows with the same key those that a row is compared with
_BATCH = 1024
_START = 20  # bits of a key that are compared first


def crossing(
    gathered: Gathered, texts: Texts, kept: NDArray[np.bool_], bands: int = BANDS
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Kept rows with the row on a higher side that has nearly their words, each once: two arrays of row numbers."""
    side = gathered.column("side")
    low = np.flatnonzero(kept & (side < side.max(initial=0))).astype(np.int32)
    high = np.flatnonzero(kept & (side > side.min(initial=0))).astype(np.int32)
    if not len(low) or not len(high):
        return low[:0], low[:0]
    met = [np.empty(0, np.uint64)]
    orders = gathered.band("pairs", PAIRS.bands - 1)  # the same neighbours for any number of bands
    for band in range(bands):
        keys = gathered.band("pairs", band)
        met.append(_met(keys.astype(np.uint64) << np.uint64(32) | orders, low, high))
        orders = keys
    pairs = distinct(np.concatenate(met))
    one, other = (pairs >> np.uint64(32)).astype(np.int32), (pairs & np.uint64(0xFFFF_FFFF)).astype(np.int32)
    apart = side[one] < side[other]
    one, other = one[apart], other[apart]
    if len(one):
        looks = (np.ascontiguousarray(gathered.take("pair_look", rows)[:, : PAIR.sketch].T) for rows in (one, other))
        near = np.bitwise_count(np.bitwise_xor(*looks)).sum(axis=0) <= _MOST_UNLIKE
        one, other = one[near], other[near]
    same = _same_words(one, other, texts)
    rows, first = np.unique(one[same], return_index=True)
    return rows, other[same][first]


def _met(keys: NDArray[np.uint64], low: NDArray[np.int32], high: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Pairs, packed, of rows whose keys have the same upper half; of many such those next to each other."""
    start = (keys >> np.uint64(64 - _START)).astype(np.int32)
    held = np.zeros(1 << _START, np.bool_)
    held[start[high]] = True
    low = low[held[start[low]]]  # few are left: most keys begin as none of the others do
    high = high[np.argsort(keys[high], kind="stable")]
    low = low[np.argsort(keys[low])]  # what is looked up in its order is found in the cache
    sought, there = keys[low], keys[high]
    places = np.searchsorted(there, sought)
    found = []
    for step in _NEIGHBOURS:
        at = np.clip(places + step, 0, len(high) - 1)
        hit = (there[at] ^ sought) >> np.uint64(32) == 0
        found.append(low[hit].astype(np.uint64) << np.uint64(32) | high[at[hit]].astype(np.uint64))
    return distinct(np.concatenate(found))


def _same_words(one: NDArray[np.int32], other: NDArray[np.int32], texts: Texts) -> NDArray[np.bool_]:
    out = np.zeros(len(one), np.bool_)
    for first in range(0, len(one), _BATCH):
        left, right = one[first : first + _BATCH].tolist(), other[first : first + _BATCH].tolist()
        needed = sorted({*left, *right})
        words = dict(zip(needed, map(_words, texts(needed)), strict=True))
        out[first : first + _BATCH] = [_alike(words[a], words[b]) for a, b in zip(left, right, strict=True)]
    return out


def _words(said: Sequence[str]) -> frozenset[str]:
    return frozenset(token for part in said for token in text.tokens(part))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return 100 * len(one & other) >= SAME_WORDS * len(one | other)
