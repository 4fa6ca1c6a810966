"""Stored messages as the whole turns that a window's history is made of."""

from collections.abc import Sequence

from persona.store.conversations import Stored
from persona.values.message import Image, Message, ToolResult
from persona.window.counting import Counter
from persona.window.materials import PastTurn, turns_of


def counted(stored: Sequence[Stored], counter: Counter) -> tuple[PastTurn, ...]:
    """Stored messages as whole turns, counted once per counter; tool calls without their results are left out."""
    whole = _answered(stored)
    tokens = [_tokens(one, counter) for one in whole]
    return turns_of([one.message for one in whole], tokens)


def _tokens(one: Stored, counter: Counter) -> int:
    """The stored count; pictures are counted anew, for models of one vocabulary differ in what they cost."""
    known = one.tokens.get(counter.name)
    pictures = any(isinstance(part, Image) for part in one.message.parts)
    return known if known and not pictures else counter.message(one.message)


def _answered(stored: Sequence[Stored]) -> list[Stored]:
    """Without tool groups that a crash or a failure left unfinished: no provider takes them.

    Only the message right after the calls can answer them: some models number their calls anew in every turn.
    """
    kept: list[Stored] = []
    asked: set[str] = set()
    for at, one in enumerate(stored):
        calls = {call.id for call in one.message.tool_calls}
        if one.message.role == "tool":
            whole = bool(asked) and asked == _results(one.message)
        else:
            whole = not calls or any(calls == _results(after.message) for after in stored[at + 1 : at + 2])
        if whole:
            kept.append(one)
        asked = calls if whole else set()
    return kept


def _results(message: Message) -> set[str]:
    return {part.call_id for part in message.parts if isinstance(part, ToolResult)}
