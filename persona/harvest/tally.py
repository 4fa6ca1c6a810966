"""What the checks did in one chunk, or in all of them: numbers, and the first samples of each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from persona.values.harvest import Sample

SAMPLES = 3
"""Samples of each check that a report shows."""


@dataclass(slots=True)
class Tally:
    """Counts by name, and samples by check. `unsayable` counts by format and reason, `columns` are those of tables."""

    conversations: int = 0
    exchanges: int = 0
    examples: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    unsayable: dict[str, Counter[str]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    newest_us: int = 0

    def wants_sample(self, check: str) -> bool:
        """Whether a check has fewer samples than are shown."""
        return len(self.samples.get(check, ())) < SAMPLES

    def sample(self, check: str, sample: Sample) -> None:
        """Keeps a sample, unless there are enough."""
        if self.wants_sample(check):
            self.samples.setdefault(check, []).append(sample)

    def to_dict(self) -> dict[str, Any]:
        """The tally in JSON types."""
        return {
            "conversations": self.conversations,
            "exchanges": self.exchanges,
            "examples": self.examples,
            "dropped": dict(sorted(self.dropped.items())),
            "mended": dict(sorted(self.mended.items())),
            "samples": {
                name: [[one.id, one.reason, one.before, one.after] for one in some]
                for name, some in sorted(self.samples.items())
            },
            "unsayable": {name: dict(sorted(some.items())) for name, some in sorted(self.unsayable.items())},
            "columns": dict(sorted(self.columns.items())),
            "newest_us": self.newest_us,
        }

    def add(self, told: Mapping[str, Any]) -> None:
        """Adds what `to_dict` gave of the next chunk."""
        self.conversations += told["conversations"]
        self.exchanges += told["exchanges"]
        self.examples += told["examples"]
        self.newest_us = max(self.newest_us, told["newest_us"])
        self.dropped.update(told["dropped"])
        self.mended.update(told["mended"])
        for name, some in told["samples"].items():
            for one in some:
                self.sample(name, Sample(*one))
        for name, some in told["unsayable"].items():
            self.unsayable.setdefault(name, Counter()).update(some)
        for name, columns in told["columns"].items():
            self.columns.setdefault(name, columns)


def whole(told: Iterable[Mapping[str, Any]]) -> Tally:
    """The tallies of all chunks, in their order, as one."""
    tally = Tally()
    for one in told:
        tally.add(one)
    return tally
