"""The map of a dataset: near stays near, and the same texts lie in the same places."""

import numpy as np
from numpy.typing import NDArray

from persona.reports.plane import areas, plane


def groups(number: int, each: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around some centres, in turn, and the number of each one's centre."""
    dice = np.random.default_rng(5)
    group = np.arange(number * each) % number
    vectors = dice.normal(size=(number, 64))[group] + 0.3 * dice.normal(size=(number * each, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), group


def test_what_is_close_in_meaning_lies_close_on_the_plane() -> None:
    vectors, group = groups(5, 60)
    places = plane(vectors)
    apart = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, apart.max() + 1)
    assert (group[apart.argmin(axis=1)] == group).mean() > 0.95


def test_the_places_fill_the_plane_and_are_the_same_every_time() -> None:
    vectors, _ = groups(4, 50)
    places = plane(vectors)
    assert places.min() == 0
    assert places.max() == 1000
    assert np.array_equal(places, plane(vectors.copy()))


def test_what_lies_together_is_one_area_and_the_largest_comes_first() -> None:
    places = np.concatenate([np.full((30, 2), 900), np.full((60, 2), 100), np.full((10, 2), [100, 900])])
    found = areas(places + np.arange(100)[:, None] % 7, 3)
    assert [set(found[part].tolist()) for part in (slice(30, 90), slice(30), slice(90, 100))] == [{0}, {1}, {2}]


def test_equal_and_empty_texts_have_a_place_too() -> None:
    for rows in (0, 1, 2, 3, 20):
        for vectors in (np.zeros((rows, 8), np.float32), np.eye(1, 8, dtype=np.float32).repeat(rows, axis=0)):
            places = plane(vectors)
            assert places.shape == (rows, 2)
            assert places.min(initial=0) >= 0
            assert places.max(initial=0) <= 1000
            if rows:
                assert areas(places, 7).shape == (rows,)
