"""A provider whose replies follow from what was said, so that whoever knows the message knows the whole reply.

A message that begins with "look" makes it call the tool of that name, once, before it answers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from persona import Settings
from persona.adapter import Adapter, Provider
from persona.values.message import Message, ToolCall, ToolResult
from persona.values.request import Delta, Finish, Request, TextDelta

TARGET = "echo:echo-1"
_PIECE = 7  # characters of a delta: a reply takes several


def reply_to(said: str) -> str:
    """The whole reply to a message."""
    seen = "You had me look first. " if said.startswith("look") else ""
    return f"{seen}You said: {said}. That is all I have to say about {said}."


def look(at: str) -> str:
    """Looks at something."""
    return f"seen {at}"


def words_of(request: Request) -> str:
    """What the user said last, without what persona put around it."""
    last = next(message for message in reversed(request.messages) if message.role == "user")
    return last.text.splitlines()[-1]


def settings(
    url: str,
    *,
    wait_s: float = 30.0,
    busy_timeout_s: float = 20.0,
    run_tasks: bool = False,
    durability: str = "normal",
) -> Settings:
    """Settings that answer with this model; background work runs when it is asked for."""
    return Settings.model_validate(
        {
            "store": {"url": url, "busy_timeout_s": busy_timeout_s, "durability": durability},
            "turn": {"wait_s": wait_s},
            "tasks": {"run": run_tasks},
            "routes": {"default": {"target": TARGET, "window": {"budget": 4000, "reserve": 200}}},
        }
    )


def _unseen(request: Request) -> None:
    """Nobody looks at the requests."""


@dataclass(slots=True)
class Echo:
    """The chat model. `seen` is called with every request before anything is answered."""

    provider: Provider
    seen: Callable[[Request], None] = field(default=_unseen)

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """The reply in pieces, or a call of the tool."""
        self.seen(request)
        said = words_of(request)
        if said.startswith("look") and request.tools and not _looked(request.messages):
            yield ToolCall("call_1", "look", '{"at": "the shelf"}')
            yield Finish("tool_calls", model=request.model)
            return
        text = reply_to(said)
        for start in range(0, len(text), _PIECE):
            await asyncio.sleep(0)
            yield TextDelta(text[start : start + _PIECE])
        yield Finish("end", model=request.model)

    async def close(self) -> None:
        """Nothing is held open."""


def adapter(seen: Callable[[Request], None] = _unseen) -> Adapter:
    """The adapter, to be passed to `open`."""
    return Adapter(name="echo", chat=lambda provider: Echo(provider, seen), needs_key=False, sends_outside=False)


def _looked(messages: tuple[Message, ...]) -> bool:
    after = next(at for at, message in enumerate(reversed(messages)) if message.role == "user")
    newest = messages[len(messages) - after :]
    return any(isinstance(part, ToolResult) for message in newest for part in message.parts)
