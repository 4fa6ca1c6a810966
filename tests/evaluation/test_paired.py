"""Paired statistics against what other programs give, and against what they promise."""

import numpy as np
import pytest

from persona.evaluation.paired import (
    Pairs,
    detectable,
    detectable_with,
    holm,
    interval,
    mcnemar,
    pairs,
    permutation,
)
from persona.evaluation.quantiles import student


def of_users(dice: np.random.Generator, users: int, most: int, shift: float = 0.0) -> Pairs:
    """Differences of users of whom each has several, which resemble each other."""
    whose = np.repeat(np.arange(users), dice.integers(1, most + 1, users))
    other = shift + 0.7 * dice.normal(size=users)[whose] + dice.normal(size=len(whose))
    return pairs([0.0] * len(whose), other.tolist(), whose.tolist())


@pytest.mark.parametrize(("freedom", "value"), [(4, 2.776445), (9, 2.262157), (30, 2.042272), (200, 1.971896)])
def test_quantiles_of_student_are_those_of_the_tables(freedom: int, value: float) -> None:
    assert student(0.975, freedom) == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [(6, 16, 0.052478790283203125), (0, 0, 1.0), (5, 5, 1.0), (0, 6, 0.03125), (700, 900, 6.319484959450139e-07)],
)
def test_mcnemar_is_the_exact_binomial_test(lost: int, won: int, p: float) -> None:
    assert mcnemar(lost, won) == pytest.approx(p, rel=1e-12)
    assert mcnemar(won, lost) == mcnemar(lost, won)


def test_holms_correction_is_that_of_the_paper() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_few_users_are_permuted_in_every_way() -> None:
    five = pairs([0.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0], range(5))
    assert permutation(five, 0) == permutation(five, 1) == 2 / 32
    assert permutation(pairs([1.0, 0.0], [1.0, 0.0], [0, 1]), 0) == 1.0


def test_drawn_permutations_agree_with_all_of_them() -> None:
    values = np.random.default_rng(3).normal(0.5, 1, 14)
    exact = permutation(pairs([0.0] * 14, values.tolist(), range(14)), 0)
    tiny = [*values.tolist(), *[1e-7] * 6]  # six more users who change nothing, but the number of ways
    assert permutation(pairs([0.0] * 20, tiny, range(20)), 0) == pytest.approx(exact, abs=0.02)


def test_the_same_seed_gives_the_same_numbers() -> None:
    found = of_users(np.random.default_rng(1), 40, 4)
    assert interval(found, 7) == interval(found, 7)
    assert interval(found, 7) != interval(found, 8)
    assert permutation(found, 7) == permutation(found, 7)


@pytest.mark.parametrize(("users", "most"), [(10, 4), (20, 5), (60, 3)])
def test_the_interval_holds_the_truth_as_often_as_it_says(users: int, most: int) -> None:
    dice = np.random.default_rng(users)
    held = [one.low <= 0.3 <= one.high for n in range(300) for one in [interval(of_users(dice, users, most, 0.3), n)]]
    assert 0.91 <= np.mean(held) <= 0.985


def test_examples_of_one_user_count_for_less_than_those_of_many() -> None:
    values = np.random.default_rng(5).normal(size=20).repeat(10)
    apart = interval(pairs([0.0] * 200, values.tolist(), range(200)), 0)
    together = interval(pairs([0.0] * 200, values.tolist(), np.arange(20).repeat(10).tolist()), 0)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_what_never_differed_is_not_taken_for_what_cannot() -> None:
    same = pairs([1.0] * 30, [1.0] * 30, range(30))
    assert (interval(same, 0, span=1.0).low, interval(same, 0, span=1.0).high) == pytest.approx((-0.1, 0.1))
    won = pairs([0.0] * 30, [1.0] * 30, range(30))
    assert interval(won, 0, span=1.0).low == pytest.approx(0.8)
    assert interval(won, 0, span=1.0).high == 1.0


def test_one_user_tells_nothing() -> None:
    one = pairs([0.0, 0.0], [1.0, 1.0], [4, 4])
    assert (interval(one, 0).low, interval(one, 0, span=1.0).high) == (-np.inf, 1.0)
    assert detectable(one) == detectable_with(1, 0.5) == np.inf


def test_a_difference_that_is_said_to_show_shows_in_four_of_five() -> None:
    dice, deviation = np.random.default_rng(9), 2.0
    least = detectable_with(50, deviation)
    shown = 0
    for number in range(300):
        found = pairs([0.0] * 50, dice.normal(least, deviation, 50).tolist(), range(50))
        shown += interval(found, number).low > 0
        assert detectable(found) == pytest.approx(least, rel=0.6)
    assert 0.73 <= shown / 300 <= 0.87
