"""What a comparison of two arms gives back: numbers, how sure they are, and what is said of them. No text of a user."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Verdict = Literal["better", "not worse", "worse", "cannot tell"]
Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric on the same examples through both arms, on all of them or on one topic.

    `base` and `other` are the arms' means, `difference` the other minus the base, `low` and `high` its confidence
    interval (95 %; None is unbounded). `p` is that of the permutation test, `corrected` the same for being one of
    several topics, `mcnemar` that of McNemar's test where the metric is passed or not. `detectable` is the smallest
    true difference that so many users would show. Wins and losses are the other arm's, of the examples.
    """

    metric: str
    topic: str
    better: Better
    pairs: int
    users: int
    base: float
    other: float
    difference: float
    low: float | None
    high: float | None
    p: float
    corrected: float
    detectable: float | None
    mcnemar: float | None = None
    wins: int = 0
    losses: int = 0

    @property
    def ties(self) -> int:
        """The examples on which the arms do not differ."""
        return self.pairs - self.wins - self.losses


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms of a route on one holdout.

    `arms` are the base and the other, `targets` who answered for them. `by` is the metric that the verdict is about,
    and `margin` how much worse still counts as no worse. `examples` are those of the holdout, `pairs` those that both
    arms answered or could not, `left_out` those that the cost limit kept from being asked. `failures` counts by arm
    and error; `costs` are US dollars by arm (and `judge`), as decimal text, empty where a price is unknown.
    `settings_digest` changes with anything that the arms, or the judge, would be asked by.
    """

    id: str
    route: str
    arms: tuple[str, str]
    targets: tuple[str, str]
    dataset: str
    dataset_digest: str
    settings_digest: str
    by: str
    margin: float
    verdict: Verdict
    words: str
    examples: int
    pairs: int
    users: int
    left_out: int
    measured: tuple[Measured, ...]
    failures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    costs: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0
    report: str = ""
    created_us: int = 0

    def of(self, metric: str, topic: str = "") -> Measured | None:
        """One metric, on all examples or on one topic; None where it was not measured."""
        return next((one for one in self.measured if (one.metric, one.topic) == (metric, topic)), None)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that were looked at on their own."""
        return tuple(dict.fromkeys(one.topic for one in self.measured if one.topic))

    def to_dict(self) -> dict[str, Any]:
        """The comparison for machines: JSON types only."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Comparison":
        """The comparison that `to_dict` gave. Unknown keys, of a newer persona, are left out."""
        known = {one.name for one in fields(cls)}
        inner = {one.name for one in fields(Measured)}
        rest: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in raw.items() if key in known
        }
        measured = tuple(
            Measured(**{key: value for key, value in one.items() if key in inner}) for one in raw["measured"]
        )
        return cls(**{**rest, "measured": measured})


@dataclass(frozen=True, slots=True)
class Case:
    """One example as a person looks at it: what was asked, what was wanted, what each arm said, and the scores.

    `answers` and `scores` are those of the base and of the other; a failed one has its error in `errors`.
    """

    id: str
    topic: str
    asked: str
    reference: str
    answers: tuple[str, str]
    errors: tuple[str, str] = ("", "")
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveMetric:
    """One outcome of the arms that serve, each user's values taken together.

    The interval and `p` are valid however often one looks; None and 1.0 until enough users came. `since_us` is when
    it was first clear that the arms differ, 0 while it is not.
    """

    metric: str
    better: Better
    users: tuple[int, int]
    base: float
    other: float
    difference: float
    low: float | None
    high: float | None
    p: float
    since_us: int = 0


@dataclass(frozen=True, slots=True)
class Live:
    """Two arms of a route as they serve: users by the arm that their conversations were assigned to."""

    route: str
    arms: tuple[str, str]
    since_us: int
    turns: tuple[int, int]
    metrics: tuple[LiveMetric, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For machines: JSON types only."""
        return asdict(self)
