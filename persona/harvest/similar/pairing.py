"""Pairs of rows that share a key of a band: each row is compared with the few that look closest to it.

A template that a hundred thousand rows share costs so many comparisons and not their square: in the order of another
band's keys, a row looks at some neighbours of its group, by their sketches, and only the closest are compared.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.glance import Glance

WINDOW = 10  # how many rows of its group a row looks at, before it and after it
CLOSEST = 2  # how many of those it is compared with, in each band
TRIES = 6  # how many rows a row is compared with over all bands
NOBODY = -1
_BLOCK = 1 << 17  # rows whose looks are in memory at a time

Verdicts = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.bool_]]
"""Whether each row goes with its leader: two arrays of row numbers in, one of booleans out."""


class Pairing:
    """Which row each row goes with: settles band after band, and compares no pair twice.

    `ranks` has for each row how good it is, 0 the best; `going` where each row goes, NOBODY for those still there; a
    row goes only with a better one. Both are of the shape (rows,). `looks` reads the looks of rows.
    """

    def __init__(
        self,
        ranks: NDArray[np.int32],
        going: NDArray[np.int32],
        glance: Glance,
        looks: Callable[[NDArray[np.int32]], NDArray[np.uint64]],
        verdicts: Verdicts,
    ) -> None:
        self.going = going
        self.compared = 0
        self._ranks = ranks
        self._glance = glance
        self._looks = looks
        self._verdicts = verdicts
        self._tries = np.zeros(len(ranks), np.uint8)
        self._failed = np.empty(0, np.uint64)

    def settle(self, keys: NDArray[np.uint32], orders: NDArray[np.uint32], most_unlike: int) -> None:
        """Compares the rows with equal keys that are still there; `orders` sets who is whose neighbour.

        Both are of the shape (rows,). Rows whose sketches differ in more than `most_unlike` bits are not compared.
        """
        rows, groups = _crowds(keys, orders, np.flatnonzero(self.going == NOBODY).astype(np.int32))
        for start in range(0, len(rows), _BLOCK):  # neighbours on two sides of an edge do not see each other
            part = slice(start, start + _BLOCK)
            for row, leader in self._closest(rows[part], groups[part], most_unlike):
                self._compare(row, leader)

    def release(self) -> None:
        """Compares the rows that went with one that went further with where that one ended; others stay after all."""
        best = best_of(self.going)
        further = np.flatnonzero((self.going != NOBODY) & (best != self.going)).astype(np.int32)
        agreed = self._verdicts(further, best[further])
        self.going[further] = np.where(agreed, best[further], NOBODY)

    def _closest(
        self, rows: NDArray[np.int32], groups: NDArray[np.uint32], most_unlike: int
    ) -> Iterable[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """The closest better rows of each row, the closest of all first: a few arrays of rows and of leaders."""
        none = np.uint64(1 << 62)
        looks = self._looks(rows)
        sketches = np.ascontiguousarray(looks[:, : self._glance.sketch].T)
        found = np.full((CLOSEST, len(rows)), none, np.uint64)  # how unlike, and the place of the leader
        for lag in range(1, min(WINDOW + 1, len(rows))):
            first = np.flatnonzero(groups[lag:] == groups[:-lag])
            if not len(first):
                break
            second = first + lag
            unlike = self._glance.unlike(sketches, first, second)
            near = unlike <= most_unlike
            first, second, unlike = first[near], second[near], unlike[near]
            near = ~self._glance.of_others(looks[first], looks[second])
            first, second, unlike = first[near], second[near], unlike[near]
            better = self._ranks[rows[first]] < self._ranks[rows[second]]
            worse, leader = np.where(better, second, first), np.where(better, first, second)
            offers = unlike.astype(np.uint64) << np.uint64(32) | leader.astype(np.uint64)
            for one in (better, ~better):  # a row comes once in each
                _offer(found, worse[one], offers[one])
        for offers in found:
            known = np.flatnonzero(offers != none)
            yield rows[known], rows[(offers[known] & np.uint64(0xFFFF_FFFF)).astype(np.int64)]

    def _compare(self, rows: NDArray[np.int32], leaders: NDArray[np.int32]) -> None:
        ask = (self.going[rows] == NOBODY) & (self._tries[rows] < TRIES)
        rows, leaders = rows[ask], leaders[ask]
        new = self._new(rows, leaders)
        rows, leaders = rows[new], leaders[new]
        if not len(rows):
            return
        agreed = self._verdicts(rows, leaders)
        self.compared += len(rows)
        self._tries[rows] += 1
        self.going[rows[agreed]] = leaders[agreed]
        failed = np.concatenate((self._failed, _packed(rows[~agreed], leaders[~agreed])))
        failed.sort()
        self._failed = failed

    def _new(self, rows: NDArray[np.int32], leaders: NDArray[np.int32]) -> NDArray[np.bool_]:
        packed = _packed(rows, leaders)
        at = np.searchsorted(self._failed, packed)
        found: NDArray[np.bool_] = at < len(self._failed)
        found[found] = self._failed[at[found]] == packed[found]
        return ~found


def best_of(going: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each row goes in the end: itself for those that stay. Shape (rows,)."""
    best = np.where(going == NOBODY, np.arange(len(going), dtype=np.int32), going)
    while True:
        further = best[best]
        if np.array_equal(further, best):
            return best
        best = further


def _offer(found: NDArray[np.uint64], places: NDArray[np.int64], offers: NDArray[np.uint64]) -> None:
    """Keeps, for each place, the smallest offers seen; no place comes twice."""
    for best in found:
        worse = np.maximum(best[places], offers)
        best[places] = np.minimum(best[places], offers)
        offers = worse


def _crowds(
    keys: NDArray[np.uint32], orders: NDArray[np.uint32], there: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
    """Of the rows that are there, those that share a key, group by group in the given order; and their keys."""
    rows = there[shared(keys[there])]
    rows = rows[np.lexsort((rows, orders[rows], keys[rows]))]
    return rows, keys[rows]


def shared(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Which keys come more than once."""
    order = np.argsort(keys)
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    twice = np.zeros(len(keys), np.bool_)
    twice[order[1:][same]] = True
    twice[order[:-1][same]] = True
    return twice


def _packed(rows: NDArray[np.int32], leaders: NDArray[np.int32]) -> NDArray[np.uint64]:
    return rows.astype(np.uint64) << np.uint64(32) | leaders.astype(np.uint64)
