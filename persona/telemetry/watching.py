"""What is told while something goes on; nothing, unless the settings ask for it."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from persona.settings.schema import TelemetrySettings
from persona.values.message import ToolCall, ToolResult
from persona.values.request import Finish, Request, Target
from persona.values.turn import Reply

log = logging.getLogger("persona")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One model call on its way out, and what it belongs to. `provider` is the name that the conventions give it."""

    provider: str
    target: Target
    request: Request
    route: str
    arm: str
    exchange_id: str
    purpose: str = "turn"
    conversation_id: str = ""


class TurnSpan(Protocol):
    """A turn that runs."""

    def opened(self, turn_id: str, route: str, arm: str) -> None:
        """The user's message is durable."""
        ...

    def replied(self, reply: Reply) -> None:
        """The reply is stored."""
        ...


class CallSpan(Protocol):
    """One try at a model call."""

    def answered(
        self, finish: Finish, first_token_ms: float | None, text: Sequence[str], calls: Sequence[ToolCall]
    ) -> None:
        """The model has finished."""
        ...


class ToolSpan(Protocol):
    """A tool that runs."""

    def gave(self, result: ToolResult, error: str = "") -> None:
        """The result; `error` is the name of what the tool raised."""
        ...


class Telemetry(Protocol):
    """Spans and metrics. Each method is for a `with`: an exception that passes ends what is told as an error."""

    def turn(self, conversation_id: str) -> AbstractContextManager[TurnSpan]:
        """One turn, start to end."""
        ...

    def call(self, outgoing: Outgoing, attempt: int) -> AbstractContextManager[CallSpan]:
        """One try at a model call; the first is number 1."""
        ...

    def tool(self, call: ToolCall) -> AbstractContextManager[ToolSpan]:
        """One run of a tool."""
        ...

    def embedding(self, provider: str, model: str, dimension: int) -> AbstractContextManager[object]:
        """One request for vectors over a network."""
        ...


class Silence:
    """Tells nothing, and costs a few calls of nothing."""

    def turn(self, conversation_id: str) -> Self:
        """Nothing."""
        return self

    def call(self, outgoing: Outgoing, attempt: int) -> Self:
        """Nothing."""
        return self

    def tool(self, call: ToolCall) -> Self:
        """Nothing."""
        return self

    def embedding(self, provider: str, model: str, dimension: int) -> Self:
        """Nothing."""
        return self

    def opened(self, turn_id: str, route: str, arm: str) -> None:
        """Nothing."""

    def replied(self, reply: Reply) -> None:
        """Nothing."""

    def answered(
        self, finish: Finish, first_token_ms: float | None, text: Sequence[str], calls: Sequence[ToolCall]
    ) -> None:
        """Nothing."""

    def gave(self, result: ToolResult, error: str = "") -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


SILENCE = Silence()


def telemetry_of(settings: TelemetrySettings) -> Telemetry:
    """What the settings ask for. OpenTelemetry is only imported when they do; without it a warning says what to do."""
    if not settings.on:
        return SILENCE
    try:
        from persona.telemetry.traced import Traced
    except ImportError as error:
        log.warning(
            "telemetry.on is set, and nothing is told: %s is not installed; run pip install 'pypersona[telemetry]'",
            error.name,
        )
        return SILENCE
    return Traced(content=settings.content)
