"""Vectors of many dimensions as places on a plane, where what is close together was close before.

As in UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426): neighbours pull, and some others at random push, with the
kernel 1 / (1 + d²) of t-SNE (van der Maaten & Hinton 2008); the start is the two main axes. A dataset has to come out
the same on one core or many, so what a matrix product adds up are whole numbers: their sum is exact in any order.
"""

import numpy as np
from numpy.typing import NDArray

_WHOLE = 1 << 11  # products of unit vectors stay below 2^24, up to where a float32 has every whole number
_NEIGHBOURS, _OTHERS, _ROUNDS = 12, 5, 150
_STEP, _FARTHEST = 0.5, 4.0
_ROOM = 0.6  # neighbours that are closer push each other: questions that are nearly the same stay apart on the map
_SHIFT = 0.05  # of the start at random, so that what is equal can be moved apart
_BLOCK, _ACROSS = 16, 128  # rows and columns of a product: of so few BLAS starts no threads, which spin while they wait
_AXIS_ROUNDS = 60
_SPAN = 1000
_AREA_ROUNDS = 30

Places = NDArray[np.float64]


def plane(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """A place for each unit vector, shape (rows, 2), between 0 and 1000 either way."""
    rows = len(vectors)
    if rows < 3:
        return np.full((rows, 2), _SPAN // 2, np.int64) + np.arange(rows)[:, None]
    whole = np.rint(vectors * _WHOLE).astype(np.float32)
    return _scaled(_laid(_main_axes(whole), *_neighbours(whole)))


def _neighbours(whole: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of rows that pull each other: each row with the most similar ones. Shape (pairs,) each."""
    most = min(_NEIGHBOURS, len(whole) - 1)
    across = np.ascontiguousarray(-whole.T)
    found = []
    for start in range(0, len(whole), _BLOCK):
        some = whole[start : start + _BLOCK]
        unlike = np.concatenate([some @ across[:, at : at + _ACROSS] for at in range(0, len(whole), _ACROSS)], axis=1)
        unlike[np.arange(len(unlike)), np.arange(start, start + len(unlike))] = np.inf
        found.append(np.argpartition(unlike, most - 1, axis=1)[:, :most])
    return np.repeat(np.arange(len(whole)), most), np.concatenate(found).ravel().astype(np.int64)


def _main_axes(whole: NDArray[np.float32]) -> Places:
    """Where the rows stand on their two main axes, by power iteration; the largest distance from 0 is 10."""
    exact = whole.astype(np.float64)
    mean = exact.sum(axis=0) / len(exact)
    spread = np.einsum("ij,ik->jk", exact, exact) / len(exact) - mean[:, None] * mean[None, :]
    columns = []
    for number in range(2):
        axis = np.cos(np.arange(len(spread)) * (number + 1.0))
        for _ in range(_AXIS_ROUNDS):
            axis = (spread * axis[None, :]).sum(axis=1)
            axis /= np.sqrt((axis * axis).sum()) or 1.0
        columns.append(((exact - mean) * axis[None, :]).sum(axis=1))
        spread = spread - (axis[:, None] * axis[None, :]) * ((spread * axis[None, :]).sum(axis=1) * axis).sum()
    places = np.stack(columns, axis=1)
    return places * (10 / (np.abs(places).max() or 1.0))


def _laid(places: Places, one: NDArray[np.int64], other: NDArray[np.int64]) -> Places:
    rows, dice = len(places), np.random.default_rng(0)
    places = places + _SHIFT * dice.integers(-1000, 1001, places.shape) / 1000
    both = np.ascontiguousarray(places.T)  # numpy is slow along an axis of two
    everyone = np.repeat(np.arange(rows), _OTHERS)
    for number in range(_ROUNDS):
        step = _STEP * (1 - number / _ROUNDS)
        apart = both.take(one, axis=1) - both.take(other, axis=1)
        near = apart[0] * apart[0] + apart[1] * apart[1]
        pull = apart * (-2 * (near - _ROOM) / ((near + _ROOM) * (1 + near)))
        away = both.take(everyone, axis=1) - both.take(dice.integers(0, rows, len(everyone)), axis=1)
        far = away[0] * away[0] + away[1] * away[1]
        push = _clipped(away * (2 / ((0.01 + far) * (1 + far))))
        moved = _sums(one, pull, rows) - _sums(other, pull, rows) + _sums(everyone, push, rows)
        both = both + step * _clipped(moved)
    return both.T


def _clipped(values: Places) -> Places:
    return np.minimum(np.maximum(values, -_FARTHEST), _FARTHEST)


def _sums(rows: NDArray[np.int64], values: Places, number: int) -> Places:
    """What the values of each row add up to; `values` has the shape (2, values), the sums (2, number)."""
    return np.stack([np.bincount(rows, axis, number) for axis in values])


def _scaled(places: Places) -> NDArray[np.int64]:
    """Half by the place and half by the rank: gaps between groups shrink, and the room goes to the groups."""
    wide = np.ptp(places, axis=0)
    shares = (places - places.min(axis=0)) / np.where(wide > 0, wide, 1.0)
    ranks = np.argsort(np.argsort(places, axis=0, kind="stable"), axis=0, kind="stable") / (len(places) - 1)
    within: NDArray[np.int64] = np.rint((shares + ranks) / 2 * _SPAN).astype(np.int64)
    return within


def areas(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Shares the places out among at most so many areas, by k-means; the largest is 0. Shape (rows,).

    It starts from the middle of all, then from what is farthest from all starts before.
    """
    centres = places.mean(axis=0, keepdims=True)
    while len(centres) < min(most, len(places)):
        centres = np.concatenate([centres, places[_distances(places, centres).min(axis=1).argmax()][None]])
    area = np.zeros(len(places), np.int64)
    for _ in range(_AREA_ROUNDS):
        area = _distances(places, centres).argmin(axis=1)
        sizes = np.bincount(area, minlength=len(centres))
        middle = _sums(area, places.T.astype(np.float64), len(centres)).T / np.maximum(sizes, 1)[:, None]
        centres = np.where(sizes[:, None] > 0, middle, centres)
    order = np.argsort(-np.bincount(area, minlength=len(centres)), kind="stable")
    place: NDArray[np.int64] = np.argsort(order, kind="stable")[area]
    return place


def _distances(places: NDArray[np.int64], centres: Places) -> Places:
    apart: Places = ((places[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return apart
