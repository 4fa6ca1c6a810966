"""The overfitting alarm, and the best checkpoint."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.tuning.alarm import Alarm, best_checkpoint, evaluations, overfitting
from persona.values.tuning import Checkpoint, LossPoint, Progress


def points(validation: list[float], training: list[float]) -> list[LossPoint]:
    return [LossPoint(10 * n, t, v) for n, (t, v) in enumerate(zip(training, validation, strict=True), 1)]


def test_validation_that_rises_thrice_while_training_falls_is_an_alarm_with_the_best_step() -> None:
    alarm = overfitting(points([2.0, 1.5, 1.6, 1.7, 1.8], [2.0, 1.6, 1.3, 1.0, 0.8]))
    assert alarm == Alarm(since_step=20, step=50, validation=1.8, best_step=20, best_validation=1.5)


@pytest.mark.parametrize(
    ("validation", "training"),
    [
        ([2.0, 1.5, 1.6, 1.7], [2.0, 1.6, 1.3, 1.0]),  # only twice
        ([2.0, 1.5, 1.6, 1.55, 1.6, 1.7], [2.0, 1.6, 1.3, 1.2, 1.1, 1.0]),  # not in a row
        ([2.0, 1.5, 1.6, 1.7, 1.8], [2.0, 1.0, 1.1, 1.2, 1.3]),  # both diverge: the rate is too high, not overfitting
        ([2.0, 2.0, 2.0, 2.0, 2.0], [2.0, 1.6, 1.3, 1.0, 0.8]),
    ],
)
def test_less_than_that_is_no_alarm(validation: list[float], training: list[float]) -> None:
    assert overfitting(points(validation, training)) is None


def test_an_alarm_stays_when_the_run_recovers() -> None:
    recovers = points([1.5, 1.6, 1.7, 1.8, 1.2], [2.0, 1.6, 1.3, 1.0, 0.8])
    alarm = overfitting(recovers)
    assert alarm
    assert (alarm.step, alarm.best_step) == (40, 50)


def test_training_loss_is_the_mean_since_the_evaluation_before() -> None:
    seen = evaluations([LossPoint(1, 4.0), LossPoint(2, 2.0), LossPoint(2, None, 1.0), LossPoint(3, nan, nan)])
    assert [(one.step, one.validation, one.training) for one in seen] == [(2, 1.0, 3.0)]


@given(st.lists(st.floats(0.1, 9.0), min_size=2, max_size=12))
def test_falling_validation_never_alarms(losses: list[float]) -> None:
    falling = sorted(losses, reverse=True)
    assert overfitting(points(falling, falling)) is None


def test_the_best_checkpoint_is_the_one_with_the_lowest_validation_loss() -> None:
    ten, twenty = Checkpoint(10, "a"), Checkpoint(20, "b")
    measured = (LossPoint(10, 1.0, 1.4), LossPoint(20, 0.5, 1.9))
    assert best_checkpoint(Progress("running", points=measured, checkpoints=(ten, twenty))) == ten
    own = Checkpoint(20, "b", validation=1.1)
    assert best_checkpoint(Progress("running", points=measured, checkpoints=(ten, own))) == own
    assert best_checkpoint(Progress("running", checkpoints=(ten, twenty))) is None
