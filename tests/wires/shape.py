"""What the behaviour suite needs to know of one provider's wire: how to script it, and how to read what was sent.

A provider joins by a module with one `Wire`, listed in `wires/__init__.py`.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from wire import WireRequest, WireServer
from wire_format import Answer, Dialect

from persona.adapter import Provider

Json = dict[str, Any]
KEY = "sk-verysecret123"
Failure = Literal[
    "key", "permission", "model", "request", "too long", "too large", "rate limit", "overloaded", "broken", "no time"
]


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it was sent: whose it is (`user` or `assistant`), its texts, and what else it holds.

    `calls` are (id, name, arguments), `results` (id, text), `pictures` the references.
    """

    role: str
    texts: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    calls: tuple[tuple[str, str, Json], ...] = ()
    results: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, without the vendor's words; `answer` is the JSON Schema that the reply is held to."""

    model: str
    key: str
    system: tuple[str, ...]
    messages: tuple[Said, ...]
    tools: tuple[tuple[str, Json], ...]
    limit: int | None
    temperature: float | None
    answer: Json | None = None


class Wire(Protocol):
    """One provider. `cool` is a model that takes a temperature, `hot` one that takes none (or "").

    `alternates` says that user and assistant must take turns, `writes` that it reports what the prompt cache wrote,
    `free_keys` that an answer may have keys that its schema does not name.
    """

    name: str
    kind: str
    dialect: Dialect
    cool: str
    hot: str
    alternates: bool
    writes: bool
    free_keys: bool

    def provider(self, server: WireServer, key: str) -> Provider:
        """The provider that the server plays; its `key_env` is SUITE_KEY."""
        ...

    def read(self, request: WireRequest) -> Sent:
        """What a request says."""
        ...

    def failure(self, name: Failure, words: str) -> Answer:
        """The answer that says so, with the server's own `words` in it."""
        ...

    def overloaded(self) -> Json:
        """The error object that comes in the middle of a stream when there is no capacity."""
        ...


def tables(wire: Wire, server: WireServer, **route: Any) -> dict[str, Any]:
    """Settings with a route to the server, two system prompts and a shot."""
    there = wire.provider(server, KEY)
    table = {"kind": there.kind, "base_url": there.base_url, "key_env": there.key_env, "options": dict(there.options)}
    default = {
        "target": f"suite:{wire.cool}",
        "instructions": ["Be brief.", "Be kind."],
        "shots": {"items": [{"user": "When do you open?", "assistant": "At nine."}]},
        "input": [],
    }
    return {"providers": {"suite": table}, "routes": {"default": {**default, **route}}, "turn": {"retries": 0}}
