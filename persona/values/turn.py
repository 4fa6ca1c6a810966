"""What a turn gives back: the reply, and the events of a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

from persona.values.memory import Source
from persona.values.message import ToolCall, ToolResult
from persona.values.request import StopReason, TextDelta, Usage

if TYPE_CHECKING:
    from pydantic import BaseModel

A = TypeVar("A", bound="BaseModel | None", default=None)
"""The pydantic model of a reply's answer; None where none was asked for."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a turn cost in US dollars. `amount` is None when a price or a count is unknown: never 0 by default."""

    amount: Decimal | None = None
    source: str = ""

    def __str__(self) -> str:
        return "unknown" if self.amount is None else f"${self.amount:f}"


@dataclass(frozen=True, slots=True)
class Reply(Generic[A]):
    """The answer to one turn, as stored.

    `usage` and `cost` are summed over the turn's model calls; `sources` are the recalled texts that the model was
    shown, best first; `repeated` says that an idempotency key brought back an earlier reply; `answer` is the text as an
    object of the pydantic model that was asked for, None when none was.
    """

    id: str
    text: str
    conversation_id: str
    target: str
    stop: StopReason = "end"
    sources: tuple[Source, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    repeated: bool = False
    answer: A = None  # type: ignore[assignment]  # None is the default of A too


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """The model asked for a tool, and it is running."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool gave its result, or failed."""

    result: ToolResult


@dataclass(frozen=True, slots=True)
class AnswerRejected:
    """The text so far is not the answer that was asked for, and the model is asked once more: forget that text."""

    problems: tuple[str, ...]


Event = TextDelta | ToolStarted | ToolFinished | AnswerRejected


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """One conversation in a listing. Times are UTC microseconds."""

    id: str
    title: str
    route: str
    created_us: int
    updated_us: int
    messages: int
    archived: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `cursor` asks for the next one and is empty on the last."""

    conversations: tuple[ConversationEntry, ...]
    cursor: str = ""

    def __iter__(self) -> Iterator[ConversationEntry]:
        return iter(self.conversations)
