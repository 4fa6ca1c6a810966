"""What must never be trained on: the shots of the route, and questions that are held out for an evaluation."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from persona.values import words
from persona.values.remembered import Answers

ALIKE = 0.8
"""The Jaccard similarity of their words (with pairs of neighbours) from which two questions count as the same."""

_REMEMBERED = 10_000  # questions


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Questions to stay away from, and where each word, or pair of neighbours, occurs in them."""

    questions: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    holders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    _answers: Answers[bool] = field(default_factory=lambda: Answers(_REMEMBERED), init=False, repr=False, compare=False)
    """A question comes again in every later example of its conversation."""

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

    def holds(self, question: str) -> bool:
        """Whether this question is one of them, or nearly."""
        return bool(self.questions) and self._answers.of(question, self._is_near)

    def _is_near(self, question: str) -> bool:
        mine = _marks(question)
        shared = Counter(number for mark in mine for number in self.holders.get(mark, ()))
        return any(common >= ALIKE * (len(mine) + self.sizes[number] - common) for number, common in shared.items())


def _marks(text: str) -> frozenset[str]:
    found = words.tokens(text)
    return frozenset([*found, *(f"{one} {other}" for one, other in pairwise(found))])
