"""One model call, provider-neutral: what is asked, what comes back piece by piece, and what it used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from persona.values.message import Message, ToolCall

StopReason = Literal["end", "length", "tool_calls", "refused", "other"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `parameters` is a JSON Schema object, as parsed JSON."""

    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON Schema is open-ended by its own specification


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """What a reply must be: one JSON text of `schema`, a JSON Schema object in the subset that providers enforce.

    Every object in it is closed, with all its fields required; what else is asked of a value is in its description.
    `strict` is False where a part of it could not be said so, such as an object with free keys.
    """

    name: str
    schema: Mapping[str, Any]  # JSON Schema is open-ended by its own specification
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """A provider and a model id, written `provider:model`."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a chat adapter is asked to send: exactly these messages, in this order.

    `stream` says whether the caller wants pieces as they come; `timeout_s` bounds the whole call;
    `temperature` is None unless the owner of the route set it; `cache_key` groups requests that share a prefix.
    `stable` are the indexes of the messages that end something later requests will repeat: for prompt caches that
    want to be told where. `answer` is what the reply must be, None when any words will do.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None
    stream: bool = False
    timeout_s: float = 60.0
    cache_key: str = ""
    stable: tuple[int, ...] = ()
    answer: AnswerSchema | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider reported them; None is "not reported", never 0.

    `input_tokens` is the total, `cache_read_tokens` and `cache_write_tokens` are parts of it;
    `output_tokens` is the total, `reasoning_tokens` is a part of it.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply's text, as it arrives."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The model said that it is done, and why. A call that ends without one was cut.

    `model` is the id the provider says it served; `request_id` is what its support asks for.
    """

    stop: StopReason
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str = ""


Delta = TextDelta | ToolCall | Finish
"""What a chat adapter yields: text as it comes, whole tool calls, and one Finish last."""
