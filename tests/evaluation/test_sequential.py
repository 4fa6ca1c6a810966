"""The test that may be looked at at any time: 2,000 experiments each, looked at 100 times."""

import pytest
from evaluation.experiments import (
    Draw,
    alarms,
    alarms_of_returning_users,
    binary,
    costs,
    normal,
    usual,
)

from persona.evaluation.sequential import Moments, state


@pytest.mark.parametrize(
    ("draw", "users"),
    [
        (binary(0.1), (400, 400)),
        (normal, (400, 400)),
        (normal, (130, 130)),  # a look at nearly every user
        (costs, (400, 400)),
        (binary(0.02), (2000, 100)),  # a canary
        (binary(0.9), (2000, 100)),
        (costs, (100, 2000)),
    ],
    ids=["passed", "measured", "every user", "costs", "rare in a canary", "usual in a canary", "costs in a canary"],
)
def test_where_nothing_differs_at_most_one_in_twenty_is_alarmed(draw: Draw, users: tuple[int, int]) -> None:
    assert alarms(draw, draw, users) <= 0.05


def test_users_who_come_back_raise_no_more_alarms() -> None:
    assert alarms_of_returning_users(100, 4) <= 0.05


@pytest.mark.parametrize(
    ("base", "other"),
    [(binary(0.1), binary(0.2)), (normal, lambda dice, shape: normal(dice, shape) + 0.3)],
    ids=["passed", "measured"],
)
def test_a_real_difference_is_found(base: Draw, other: Draw) -> None:
    assert alarms(base, other, (600, 600)) >= 0.9


def test_a_usual_test_that_is_looked_at_as_often_would_alarm_falsely() -> None:
    assert alarms(normal, normal, (400, 400), usual) > 0.25


def test_nothing_is_said_of_too_few_users() -> None:
    few, many = Moments(29, 0.0, 1.0, 0.0), Moments(500, 5.0, 1.0, 0.0)
    assert (float(state(few, many).p), bool(state(few, many).told)) == (1.0, False)
    still = Moments(100, 0.0, 0.0, 0.0)
    assert float(state(still, still).p) == 1.0
