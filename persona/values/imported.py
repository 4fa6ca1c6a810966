"""A conversation that was held elsewhere, as it is to be kept here."""

from dataclasses import dataclass
from typing import Literal

from persona.values.message import Message
from persona.values.owner import Owner


@dataclass(frozen=True, slots=True)
class Opinion:
    """What was said of a reply: a rating, or what it should have been."""

    kind: Literal["rating", "correction"]
    rating: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """One message, when it was said (UTC microseconds), and what was said of it."""

    message: Message
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """One row of a file: its turns, each with one message of the user's, and what the file tells beside them.

    `id` is the conversation's in the file, empty for one that has none. `consent` is None where the file does not say.
    `instructions` is the system prompt, `details` JSON text, `model` who replied.
    """

    line: int
    owner: Owner
    turns: tuple[tuple[ImportedMessage, ...], ...]
    id: str = ""
    tags: tuple[str, ...] = ()
    consent: bool | None = None
    instructions: str = ""
    details: str = ""
    model: str = ""
