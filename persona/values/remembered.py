"""Answers about texts that are remembered without the texts: a process may outlive the erasure of who wrote them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_NOT_ASKED: Any = object()


class Answers(Generic[T]):
    """What a pure function answers about texts, up to `most` answers; then it begins anew.

    A text is known by its length and its hash of 64 bits, which differs in each process: two texts in 10^18 share one.
    The answers must not hold words of the text.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[int, int], T] = {}

    def of(self, text: str, ask: Callable[[str], T]) -> T:
        """What was answered about the text, or is now."""
        which = hash(text), len(text)
        answer: T = self._kept.get(which, _NOT_ASKED)
        if answer is _NOT_ASKED:
            answer = ask(text)
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[which] = answer
        return answer


def remembered(most: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Lets a function remember its last answers: see `Answers`."""

    def remembering(ask: Callable[[str], T]) -> Callable[[str], T]:
        answers = Answers[T](most)

        @wraps(ask)
        def asked(text: str) -> T:
            return answers.of(text, ask)

        return asked

    return remembering
