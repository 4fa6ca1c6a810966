"""What a harvest gives back: how many came in, what each check took out with samples, what was written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
Stage = Literal["selection", "log", "example", "dataset"]
"""Where a check stands: on what is asked for, the logged exchange, the written example, or all examples together."""
STAGES: tuple[Stage, ...] = ("selection", "log", "example", "dataset")


@dataclass(frozen=True, slots=True)
class Sample:
    """One example that a check took out or mended, as it may be shown: personal data is replaced in both texts.

    `after` is empty for what was taken out.
    """

    id: str
    reason: str
    before: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check did. `number` counts the examples that it took out, or `mended` those that it changed."""

    name: str
    stage: Stage
    about: str
    number: int = 0
    mended: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Funnel:
    """From what was logged to what is kept.

    `exchanges` are all model calls for a reply in the conversations that were read, `examples` those made of what
    passed the checks on the log, and `kept` what is in the dataset. The checks are in the order in which they stand.
    """

    conversations: int
    exchanges: int
    examples: int
    kept: int
    checks: tuple[Checked, ...] = ()

    def stage(self, stage: Stage) -> tuple[Checked, ...]:
        """The checks of one stage."""
        return tuple(one for one in self.checks if one.stage == stage)


@dataclass(frozen=True, slots=True)
class SideCount:
    """What lies on one side of the split; `languages` is the number of examples by language."""

    side: Side
    examples: int = 0
    users: int = 0
    tokens: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long examples are, in tokens of `counter`: `counts[i]` have more than `edges[i - 1]` and up to `edges[i]`.

    The last count is for those above the last edge. `limit` is the most that an example may have, 0 where none is
    known.
    """

    counter: str
    edges: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    limit: int = 0
    median: int = 0
    percentile_95: int = 0
    longest: int = 0


@dataclass(frozen=True, slots=True)
class FormatCount:
    """What one format took: examples by side, those it has no words for (by reason), and its files with SHA-256.

    `problems` are limits of the consumer's that the files are beyond, in words.
    """

    name: str
    examples: Mapping[str, int] = field(default_factory=dict)
    unsayable: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purpose:
    """How many examples a purpose usually needs, and whether there are as many."""

    name: str
    least: int
    usual: int
    reached: bool


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An example that was taken out because another reply to its question says otherwise, by the ids of the two.

    With `harvest.contradictions = "none"` the other one, `kept`, was taken out as well. Personal data is replaced.
    """

    dropped: str
    kept: str
    differs: str
    question: str
    reply: str
    kept_question: str
    kept_reply: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a harvest did. `id` and `path` are empty when it was only tried.

    `per_user` is the number of examples of each of the users who gave most, without a name; `topics` the number of
    examples by the words that name a topic. `newest_us` is when the newest exchange in it was logged. `consent` says
    in words on what ground the exchanges are used.
    """

    id: str
    path: str
    route: str
    funnel: Funnel
    sides: tuple[SideCount, ...]
    formats: tuple[FormatCount, ...]
    lengths: Lengths
    languages: Mapping[str, int]
    per_user: tuple[int, ...]
    purposes: tuple[Purpose, ...]
    settings: Mapping[str, object]
    consent: str
    users: int = 0
    newest_us: int = 0
    topics: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The outcome for machines: JSON types only."""
        return asdict(self)


PURPOSES: Mapping[str, tuple[int, int]] = {
    "style": (50, 100),
    "classification": (100, 200),
    "analysis": (500, 1_000),
    "generation": (1_000, 1_000),
}
"""The least and the usual number of examples by what a model is tuned for: the vendors' guides agree on the first."""


def purposes(examples: int) -> tuple[Purpose, ...]:
    """What so many examples are enough for."""
    return tuple(Purpose(name, least, usual, examples >= least) for name, (least, usual) in PURPOSES.items())
