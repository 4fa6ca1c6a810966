"""The one overfitting alarm, for every backend: validation loss rises while training loss falls."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from persona.values.tuning import Checkpoint, LossPoint, Progress

IN_A_ROW = 3
"""Evaluations in a row that have to be worse than the one before: one or two are noise."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Learning by heart: since `since_step`, at `validation` now, where `best_step` had `best_validation`."""

    since_step: int
    step: int
    validation: float
    best_step: int
    best_validation: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Validation loss at a step, beside the mean training loss of the steps since the evaluation before it."""

    step: int
    validation: float
    training: float | None


def overfitting(points: Sequence[LossPoint], in_a_row: int = IN_A_ROW) -> Alarm | None:
    """The first time that validation loss rose so often in a row while training loss fell, or None.

    A run that has recovered since was still warned of: its last checkpoints are those to be looked at.
    """
    seen = evaluations(points)
    rising = 0
    for at in range(1, len(seen)):
        rising = rising + 1 if seen[at].validation > seen[at - 1].validation else 0
        start = at - rising
        if rising >= in_a_row and _falls(seen[start], seen[at]):
            best = min(seen, key=lambda one: (one.validation, one.step))
            return Alarm(seen[start].step, seen[at].step, seen[at].validation, best.step, best.validation)
    return None


def evaluations(points: Sequence[LossPoint]) -> list[Evaluation]:
    """The points at which validation loss was measured, by step. What is not a finite number was not measured."""
    found, since = list[Evaluation](), list[float]()
    for point in sorted(points, key=lambda one: one.step):
        if point.training is not None and isfinite(point.training):
            since.append(point.training)
        if point.validation is not None and isfinite(point.validation):
            found.append(Evaluation(point.step, point.validation, sum(since) / len(since) if since else None))
            since = []
    return found


def best_checkpoint(progress: Progress) -> Checkpoint | None:
    """The checkpoint with the lowest validation loss: its own, else the one measured at its step; None without any."""
    measured = {one.step: one.validation for one in evaluations(progress.points)}
    known = [
        (validation, checkpoint.step, checkpoint)
        for checkpoint in progress.checkpoints
        if (validation := measured.get(checkpoint.step) if checkpoint.validation is None else checkpoint.validation)
        is not None
        and isfinite(validation)
    ]
    return min(known, key=lambda one: one[:2])[2] if known else None


def _falls(first: Evaluation, last: Evaluation) -> bool:
    return first.training is not None and last.training is not None and last.training < first.training
