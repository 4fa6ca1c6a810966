"""A training row, in persona's own terms: what every dataset format is written from and read into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from persona.values.message import Message
from persona.values.record import record
from persona.values.request import Tool

Shape = Literal["chat", "preference", "unpaired", "text"]
"""What a row teaches: a reply, the better of two replies, whether a reply was liked, or plain text."""

Loss = Literal["weights", "last", "every"]
"""What a consumer trains on: the messages a row marks, the last message alone, or every one of the assistant's."""


@record(frozen=True, slots=True)
class Example:
    """One training row.

    `messages` begin with the system prompts, if there are any, and end with an assistant's; `weights` says for each
    whether it carries loss, which only an assistant's may. A preference has in `rejected` the reply that was not
    wanted, instead of the last message, which was; `label` says whether the last message was liked, where only that is
    known. `id` is the exchange that the row was made of, or the line of a file.
    """

    id: str
    messages: tuple[Message, ...]
    weights: tuple[bool, ...]
    tools: tuple[Tool, ...] = ()
    rejected: Message | None = None
    label: bool | None = None

    @property
    def shape(self) -> Shape:
        """What the row teaches; plain text is a matter of the format alone."""
        if self.rejected is not None:
            return "preference"
        return "chat" if self.label is None else "unpaired"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row of somebody's file, and how to mend it.

    A row with an `error` would be refused or mistrained; a warning is for a person to judge. `reason` is the same for
    the same fault, so that faults can be counted; `where` is the place in the row, such as `messages[2]`.
    """

    reason: str
    hint: str
    error: bool = True
    where: str = ""


@dataclass(frozen=True, slots=True)
class DatasetLimits:
    """Dated facts about what a consumer takes. None is unknown or unlimited; tokens are those of its own models.

    `max_tokens` is for one example, `max_bytes` for one file; the last two bound the file for validation.
    `source` says where the facts are from and `checked` the day (ISO) they were read there.
    """

    min_examples: int | None = None
    max_examples: int | None = None
    max_tokens: int | None = None
    max_bytes: int | None = None
    max_validation_examples: int | None = None
    max_validation_bytes: int | None = None
    source: str = ""
    checked: str = ""


def last_of(messages: Sequence[Message]) -> tuple[bool, ...]:
    """Loss on the last message alone: the weights of the usual row."""
    return (*(False,) * (len(messages) - 1), True)


def every_reply(messages: Sequence[Message]) -> tuple[bool, ...]:
    """Loss on all that the assistant wrote: the weights of a row that marks none."""
    return tuple(message.role == "assistant" for message in messages)
