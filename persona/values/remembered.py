"""Answers about texts that are remembered without the texts: a process may outlive the erasure of who wrote them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")
_NOT_ASKED: Any = object()


def remembered(most: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Remembers what a pure function answers about a text, up to `most` answers; then it begins anew.

    A text is known by its length and its hash of 64 bits, which differs in each process: two texts in 10^18 share one.
    The answers must not hold words of the text.
    """

    def remembering(ask: Callable[[str], T]) -> Callable[[str], T]:
        answers: dict[tuple[int, int], T] = {}

        @wraps(ask)
        def asked(text: str) -> T:
            which = hash(text), len(text)
            answer: T = answers.get(which, _NOT_ASKED)
            if answer is _NOT_ASKED:
                answer = ask(text)
                if len(answers) >= most:
                    answers.clear()
                answers[which] = answer
            return answer

        return asked

    return remembering
