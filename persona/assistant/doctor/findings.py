"""What a look at one thing gives."""

from dataclasses import dataclass
from typing import Literal

from persona.errors import PersonaError
from persona.values.plan import Label

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Counted:
    """How a model's tokens are counted, and what its provider reported for them.

    `ratio` is reported over counted tokens and `error` its mean absolute deviation, both smoothed over `samples`
    requests and None before the first. `scale` is what the limit is divided by, margin included.
    """

    target: str
    counter: str
    label: Label
    ratio: float | None
    error: float | None
    samples: int
    scale: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and what to do about it, empty when there is nothing to do.

    `counted` is what a look at a counter found, in numbers.
    """

    topic: str
    state: State
    found: str
    advice: str = ""
    counted: Counted | None = None


def failed(topic: str, error: PersonaError) -> Finding:
    """What an error says, with its hint as the advice."""
    text = str(error)
    said = text.removesuffix(f"; {error.hint}")
    return Finding(topic, "fail", said, "" if said == text else error.hint)
