"""Which examples a person looks at: the clearest wins and losses, what failed, and some on which nothing differs."""

from collections.abc import Mapping, Sequence
from math import isnan

from persona.evaluation.replay import Played
from persona.values.comparison import Case, Measured

_WINS = _LOSSES = 100
_TIES = _FAILED = 30
_LONGEST = 4_000  # characters of a text


def cases(
    played: Sequence[Played],
    measured: Sequence[Played],
    values: Sequence[Mapping[str, tuple[float, float]]],
    main: Measured,
) -> list[Case]:
    """The examples for the report: losses first, for they are what has to be understood."""
    known = {id(one): scores for one, scores in zip(measured, values, strict=True)}
    failed = [one for one in played if one.answers and any(answer.error for answer in one.answers)]
    sign = -1.0 if main.better == "lower" else 1.0
    gains = sorted(
        (sign * (scores[main.metric][1] - scores[main.metric][0]), at)
        for at, scores in enumerate(values)
        if main.metric in scores and not any(map(isnan, scores[main.metric]))
    )
    losses = [measured[at] for gain, at in gains if gain < 0][:_LOSSES]
    wins = [measured[at] for gain, at in reversed(gains) if gain > 0][:_WINS]
    ties = [measured[at] for gain, at in gains if gain == 0][:_TIES]
    shown = {id(one): one for one in (*losses, *wins, *ties, *failed[:_FAILED])}
    return [_case(one, known.get(key, {})) for key, one in shown.items()]


def _case(one: Played, scores: Mapping[str, tuple[float, float]]) -> Case:
    assert one.answers is not None, "what was not asked is not shown"  # noqa: S101 - narrows the type
    base, other = one.answers
    return Case(
        one.scene.id,
        one.scene.topic,
        _cut(one.scene.asked),
        _cut(one.scene.reference),
        (_cut(base.text), _cut(other.text)),
        (base.error, other.error),
        scores,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} […]"
