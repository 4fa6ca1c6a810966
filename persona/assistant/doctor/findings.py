"""What a look at one thing gives."""

from dataclasses import dataclass
from typing import Literal

from persona.errors import PersonaError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and what to do about it, empty when there is nothing to do."""

    topic: str
    state: State
    found: str
    advice: str = ""


def failed(topic: str, error: PersonaError) -> Finding:
    """What an error says, with its hint as the advice."""
    text = str(error)
    said = text.removesuffix(f"; {error.hint}")
    return Finding(topic, "fail", said, "" if said == text else error.hint)
