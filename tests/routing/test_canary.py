"""A canary that is worse is noticed soon; one that is not is left alone, however often somebody looks."""

import random
from math import comb

import pytest

from persona.routing.canary import LEVEL, alarm, exact
from persona.values.promotion import Lived

FINE, FAILED = Lived(3), Lived(3, failed=1)


def test_the_chance_is_that_of_the_hypergeometric_distribution() -> None:
    whole = comb(50, 8)
    wanted = sum(comb(10, k) * comb(40, 8 - k) for k in range(5, 9)) / whole
    assert exact(3, 40, 5, 10) == pytest.approx(wanted, rel=1e-9)
    assert exact(0, 40, 0, 10) == 1.0
    assert exact(0, 0, 0, 0) == 1.0
    assert exact(4_000, 900_000, 900, 100_000) < 1e-40


def test_a_canary_that_always_fails_is_noticed_after_three_users() -> None:
    assert alarm([FINE] * 27, [FAILED] * 2, 5, 1.5) is None
    found = alarm([FINE] * 36, [FAILED] * 3, 5, 1.5)
    assert found is not None
    assert found.measure == "failures"
    assert found.words.startswith("3 of 3 users had a turn that its model did not answer, and 0 of 36 beside it")


def test_a_canary_that_fails_as_often_as_the_other_arm_is_left_alone() -> None:
    assert alarm([FAILED] * 90, [FAILED] * 10, 1, 1.5) is None
    assert alarm([], [FAILED] * 10, 1, 1.5) is None


def test_complaints_ratings_and_cost_are_measured_too() -> None:
    for measure, fine, bad in (
        ("complaints", FINE, Lived(3, complaints=1)),
        ("ratings", Lived(3, rating=5.0), Lived(3, rating=2.0)),
        ("cost", Lived(3, cost=0.001), Lived(3, cost=0.002)),
    ):
        found = alarm([fine] * 90, [bad] * 10, 10, 1.5)
        assert found is not None
        assert found.measure == measure


def test_a_canary_may_cost_as_many_times_more_as_the_settings_say() -> None:
    base, canary = [Lived(3, cost=0.001)] * 90, [Lived(3, cost=0.0014)] * 10
    assert alarm(base, canary, 1, 1.5) is None
    assert alarm(base, canary, 1, 1.3) is not None


def test_looking_again_and_again_gives_no_more_false_alarms_than_promised() -> None:
    dice, false = random.Random(7), 0
    for _ in range(200):
        base: list[Lived] = []
        canary: list[Lived] = []
        for look in range(1, 41):
            for _ in range(5):  # some users fail often, and complain and cost as they please
                failed = int(dice.random() < 0.15)
                rating = dice.choice((None, 1.0, 4.0, 5.0))
                one = Lived(3, failed, int(dice.random() < 0.2), rating, dice.lognormvariate(0, 1) / 1.5)
                (canary if dice.random() < 0.2 else base).append(one)
            if alarm(base, canary, look, 1.0):
                false += 1
                break
    assert false / 200 <= LEVEL
