"""What a caller asks of one turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from persona.adapter import Secret
from persona.conversation.tools import ToolFunction
from persona.values.message import Part
from persona.values.owner import Owner


@dataclass(frozen=True, slots=True)
class Ask:
    """One turn to be run. `create` is the route of a conversation that may not exist yet, empty when it must; `arm`
    the arm it is to start on, empty for the one that the user's share chooses.

    `answer` is the pydantic model that the reply's text must fit. `replaces` edits a user message, `again` (also a user
    message's id) asks for another reply to it; `follows` is the reply that was not good enough, for the log.
    `keys` are the caller's own, by provider.
    """

    owner: Owner
    conversation_id: str
    parts: tuple[Part, ...]
    create: str = ""
    arm: str = ""
    idempotency_key: str = ""
    tools: Sequence[ToolFunction] = ()
    answer: type[object] | None = None
    timeout_s: float = 60.0
    stream: bool = False
    replaces: str = ""
    again: str = ""
    follows: str = ""
    keys: Mapping[str, Secret] = field(default_factory=dict)
