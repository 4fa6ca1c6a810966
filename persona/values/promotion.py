"""An arm on its way to serve a route: where it stands, what speaks for it, and the steps that were taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal

from persona.values.comparison import Comparison

State = Literal["candidate", "shadow", "canary", "promoted", "retired"]
Step = Literal["shadow", "canary", "promoted", "retired", "rolled back"]
ALARM = "persona"
"""Who is recorded where a canary was taken back without a person."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a stored comparison says of an arm against the one that serves: as much as a gate needs.

    `targets` are those that answered for the two arms, the serving one's first; so are `costs`, in US dollars for the
    same examples, None where a price is unknown. `dataset` is what they were compared on.
    """

    id: str
    verdict: str
    words: str
    targets: tuple[str, str]
    costs: tuple[Decimal | None, Decimal | None]
    dataset: str
    pairs: int
    created_us: int

    @classmethod
    def of(cls, found: Comparison) -> "Evidence":
        """What a comparison says; a cost that is no number counts as unknown."""
        base, other = found.arms
        return cls(
            *(found.id, found.verdict, found.words, found.targets),
            (_dollars(found.costs.get(base)), _dollars(found.costs.get(other))),
            *(found.dataset, found.pairs, found.created_us),
        )

    @property
    def cheaper(self) -> bool | None:
        """Whether the arm cost less than the serving one; None where that is unknown."""
        base, other = self.costs
        return None if base is None or other is None else other < base


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves a route by its settings: the shares of arms, and the shadow (empty for none)."""

    shares: Mapping[str, float]
    shadow: str = ""

    @property
    def most(self) -> str:
        """The arm that serves most."""
        return max(self.shares, key=lambda arm: self.shares[arm])


@dataclass(frozen=True, slots=True)
class Promotion:
    """One step of an arm, as it was taken. `refused` are the reasons that a forced step went over.

    `before` is what served before the step; `target` is the arm's at that time, and `dataset` what it was compared on.
    `job` trained its model, empty where none is known. `at_us` is UTC microseconds.
    """

    id: str
    route: str
    arm: str
    step: Step
    target: str
    who: str
    why: str
    before: Serving
    at_us: int
    refused: tuple[str, ...] = field(default=())
    evaluation: str = ""
    dataset: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Lived:
    """What one user lived through on their arm.

    `failed` of the exchanges brought no reply of the arm's own target. `complaints` are corrections and regenerations,
    `rating` is the mean of theirs and `cost` the mean of an exchange in US dollars: None without any.
    """

    exchanges: int
    failed: int = 0
    complaints: int = 0
    rating: float | None = None
    cost: float | None = None


def _dollars(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
