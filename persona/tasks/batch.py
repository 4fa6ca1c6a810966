"""What became of the tasks that a worker took at once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from persona.store.tasks import TaskKind

Outcome = Literal["done", "put off", "given up", "lost"]
"""`lost`: its lease had run out and another worker has it, or it is no longer wanted."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many tasks of each kind had which outcome, in order of first appearance."""

    counts: tuple[tuple[TaskKind, Outcome, int], ...]

    @classmethod
    def of(cls, ended: Iterable[tuple[TaskKind, Outcome]]) -> "Batch":
        """The batch of these tasks."""
        return cls(tuple((kind, outcome, number) for (kind, outcome), number in Counter(ended).items()))

    def __len__(self) -> int:
        return sum(number for _, _, number in self.counts)

    def __str__(self) -> str:
        return ", ".join(f"{number} {kind} {outcome}" for kind, outcome, number in self.counts)
