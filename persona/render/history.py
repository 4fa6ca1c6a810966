"""Stored messages as the whole turns that a window's history is made of."""

from collections.abc import Sequence

from persona.store.conversations import Stored
from persona.values.message import Image, Message, ToolResult
from persona.window.counting import Counter
from persona.window.materials import PastTurn, turns_of

Counted = tuple[Message, int]
"""A message and its tokens."""


def counted(stored: Sequence[Stored], counter: Counter) -> tuple[PastTurn, ...]:
    """Stored messages as whole turns, counted once per counter; tool calls without their results are left out."""
    return whole_turns(
        [(one.message, tokens_of(one.message, one.tokens.get(counter.name, 0), counter)) for one in stored]
    )


def tokens_of(message: Message, known: int, counter: Counter) -> int:
    """The stored count; pictures are counted anew, for models of one vocabulary differ in what they cost."""
    pictures = any([isinstance(part, Image) for part in message.parts])
    return known if known and not pictures else counter.message(message)


def whole_turns(counted: Sequence[Counted]) -> tuple[PastTurn, ...]:
    """Counted messages as whole turns; tool calls without their results are left out."""
    kept = answered(counted)
    return turns_of([message for message, _ in kept], [tokens for _, tokens in kept])


def answered(counted: Sequence[Counted]) -> Sequence[Counted]:
    """Messages without tool groups that a crash or a failure left unfinished: no provider takes them.

    Only the message right after the calls can answer them: some models number their calls anew in every turn.
    """
    if not any([message.tool_calls or message.role == "tool" for message, _ in counted]):
        return counted
    kept: list[Counted] = []
    asked: set[str] = set()
    for at, one in enumerate(counted):
        message = one[0]
        calls = {call.id for call in message.tool_calls}
        if message.role == "tool":
            whole = bool(asked) and asked == _results(message)
        else:
            whole = not calls or any(calls == _results(after) for after, _ in counted[at + 1 : at + 2])
        if whole:
            kept.append(one)
        asked = calls if whole else set()
    return kept


def _results(message: Message) -> set[str]:
    return {part.call_id for part in message.parts if isinstance(part, ToolResult)}
