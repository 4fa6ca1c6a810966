"""How much of a request is, byte for byte, the beginning of the conversation's last one."""

from collections.abc import Sequence

from persona.values.message import Message
from persona.values.plan import BEFORE_HISTORY, Outline, Plan


def unchanged(plan: Plan, previous: Outline | None, history: Sequence[Message], same_turn: bool) -> int:
    """Tokens at the start of this request that the last one started with too.

    `history` are the messages of this window's history. A tool round of the same turn repeats the whole last request.
    The framing of a request stands at its end and never counts. After an edit the two histories part somewhere;
    what they share after the anchor is then not counted.
    """
    if previous is None or (previous.counter, previous.target) != (plan.counter, plan.target):
        return 0
    if (plan.tools, plan.tools_digest) != (previous.tools, previous.tools_digest):
        return 0
    tokens = plan.tools + plan.answer
    for name, digest in zip(BEFORE_HISTORY, previous.frozen, strict=True):
        section = plan.section(name)
        if section.digest != digest:
            return tokens
        tokens += section.tokens
    if plan.history.first_depth != previous.first_depth:
        return tokens
    if same_turn and plan.section("recall").digest == previous.recall:
        return previous.total - previous.framing
    return tokens + (previous.history if _continues(previous.last_id, history) else 0)


def _continues(last_id: str, history: Sequence[Message]) -> bool:
    """Whether the history that ended with this message is the beginning of this one: both are paths of one tree."""
    return bool(last_id) and any(message.id == last_id for message in reversed(history))
