"""A reply put together from what the server sent, whole or in chunks: pure, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from persona.values.message import ToolCall
from persona.values.request import Delta, Finish, StopReason
from persona_google.convert import STOPS, call_from_wire, usage_from_wire


@dataclass(slots=True)
class Assembly:
    """What came so far: text leaves at once, tool calls and the end when all is there.

    A whole body is one chunk. `finish` is the server's own word for why it stopped, "" before it did; `heard` says
    whether anything came that is of this protocol.
    """

    finish: str = ""
    model: str = ""
    id: str = ""
    usage: object = None
    heard: bool = False
    _blocked: bool = False
    _calls: list[ToolCall] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the server said that it is done; the reply was cut otherwise."""
        return bool(self.finish) or self._blocked

    def feed(self, chunk: Any) -> str:
        """The text that this chunk, as parsed JSON, adds; thoughts are no part of it.

        Raises LookupError, TypeError or AttributeError where the protocol is broken.
        """
        self.model = self.model or _text(chunk.get("modelVersion"))
        self.id = self.id or _text(chunk.get("responseId"))
        self.usage = chunk.get("usageMetadata") or self.usage
        self._blocked = self._blocked or bool((chunk.get("promptFeedback") or {}).get("blockReason"))
        candidates = chunk.get("candidates")
        self.heard = self.heard or bool(candidates) or self._blocked
        if not candidates:
            return ""
        candidate = candidates[0]
        self.finish = _text(candidate.get("finishReason")) or self.finish
        text = ""
        for part in (candidate.get("content") or {}).get("parts") or ():
            if call := call_from_wire(part, f"{self.id or 'call'}_{len(self._calls)}"):
                self._calls.append(call)
            elif not part.get("thought"):
                text += _text(part.get("text"))
        return text

    def ending(self) -> Iterator[Delta]:
        """The tool calls and the finish; nothing when no stop reason came, for the call was cut."""
        if not self.is_whole:
            return
        stop: StopReason = "refused" if self._blocked else STOPS.get(self.finish, "other")
        if stop == "end" and self._calls:
            stop = "tool_calls"
        if stop != "refused":
            yield from self._calls
        yield Finish(stop, usage_from_wire(self.usage), self.model, self.id)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
