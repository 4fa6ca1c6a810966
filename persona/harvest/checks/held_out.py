"""What must never be trained on: the shots of the route, and questions that are held out for an evaluation."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from persona.values import words

ALIKE = 0.8
"""The Jaccard similarity of their words (with pairs of neighbours) from which two questions count as the same."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Questions to stay away from, and where each word, or pair of neighbours, occurs in them."""

    questions: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    holders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Iterable[str]) -> "HeldOut":
        """An index of these questions."""
        distinct = tuple(dict.fromkeys(text for text in questions if text.strip()))
        marks = [_marks(text) for text in distinct]
        holders: dict[str, list[int]] = {}
        for number, found in enumerate(marks):
            for mark in sorted(found):
                holders.setdefault(mark, []).append(number)
        return cls(distinct, tuple(map(len, marks)), {mark: tuple(held) for mark, held in holders.items()})

    def nearest(self, question: str) -> str | None:
        """The question that this one is the same as, or nearly; None where there is none."""
        if not self.questions:
            return None
        mine = _marks(question)
        shared = Counter(number for mark in mine for number in self.holders.get(mark, ()))
        for number, common in sorted(shared.items()):
            if common >= ALIKE * (len(mine) + self.sizes[number] - common):
                return self.questions[number]
        return None


def _marks(text: str) -> frozenset[str]:
    found = words.tokens(text)
    return frozenset([*found, *(f"{one} {other}" for one, other in pairwise(found))])
