"""Messages and their parts, as persona keeps them: no provider's wire format."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from persona.values.record import record

Role = Literal["system", "user", "assistant", "tool"]


@record(frozen=True, slots=True)
class Text:
    """Words, from any role."""

    text: str

    def __hash__(self) -> int:
        return hash(self.text)  # which the text remembers: a third of the time


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by reference; persona keeps the reference and never fetches it.

    `width` and `height` are pixels and serve to count tokens; 0 means unknown (counted as the largest).
    """

    url: str
    detail: Literal["auto", "low", "high"] = "auto"
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asks a tool to do; `arguments` is the JSON text exactly as the model wrote it.

    `signature` is what its provider wants back beside it, unread: an adapter sends only what it wrote itself.
    """

    id: str
    name: str
    arguments: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back. `cut_from` is the length in characters before persona cut it, 0 when whole."""

    call_id: str
    name: str
    text: str
    failed: bool = False
    cut_from: int = 0


Part = Text | Image | ToolCall | ToolResult


@record(frozen=True, slots=True)
class Message:
    """One message. Its `parent_id` makes a conversation a tree: edit and regenerate make siblings.

    `depth` is the number of ancestors; `created_us` is UTC in microseconds since the epoch.
    """

    role: Role
    parts: tuple[Part, ...]
    id: str = ""
    parent_id: str = ""
    turn_id: str = ""
    depth: int = 0
    created_us: int = 0

    @property
    def text(self) -> str:
        """The words of the message: its text parts joined, and nothing of its calls, results or images."""
        if len(self.parts) == 1 and type(only := self.parts[0]) is Text:  # as nearly all are
            return only.text
        return "".join([part.text for part in self.parts if isinstance(part, Text)])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the message asks for, in order."""
        if len(self.parts) == 1 and type(self.parts[0]) is Text:
            return ()
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    def of_parts(self, parts: tuple[Part, ...]) -> "Message":
        """The same message made of other parts: `replace` takes three times as long."""
        return Message(self.role, parts, self.id, self.parent_id, self.turn_id, self.depth, self.created_us)


def say(role: Role, text: str) -> Message:
    """A message of plain text."""
    return Message(role, (Text(text),))


def text_of(parts: Sequence[Part]) -> str:
    """The text parts joined."""
    return "".join(part.text for part in parts if isinstance(part, Text))
