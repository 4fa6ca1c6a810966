"""What the checks go by, and the form that each of them has."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from persona.harvest.checks.held_out import HeldOut
from persona.harvest.recipe import FOR_EVER_US, Selection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings and the call ask for; `max_tokens` is 0 where nothing bounds an example.

    `until_us` is when the harvest began to read the log. With `every_reply` a format of chats trains on all replies of
    an example, those of its history too. `later` are the keys of the owners who have exchanges from `holdout_us` on.
    """

    selection: Selection
    until_us: int = FOR_EVER_US
    consent_required: bool = True
    liked_from: float | None = None
    min_reply_chars: int = 1
    max_tokens: int = 0
    languages: tuple[str, ...] = ()
    held_out: HeldOut = field(default_factory=HeldOut)
    every_reply: bool = False
    holdout_us: int = 0
    later: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """A named reason to take something out: `judge` gives it in words, or None. `about` tells people what it does.

    Where the rules give it nothing to go by, which `matters` says, it takes nothing out.
    """

    name: str
    about: str
    judge: Callable[[T, Rules], str | None]
    matters: Callable[[Rules], object] = lambda rules: True


def that_matter(checks: Iterable[Check[T]], rules: Rules) -> tuple[Check[T], ...]:
    """Those of the checks that can take something out under these rules."""
    return tuple(check for check in checks if check.matters(rules))
