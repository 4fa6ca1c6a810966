"""What all formats ask of an example before they write it."""

from collections.abc import Callable

from persona.errors import InvalidInput
from persona.values.example import DatasetLimits, Example, Problem
from persona.values.message import Message
from persona.values.roles import Json

NO_LIMITS = DatasetLimits()
"""A consumer on one's own machine: its memory is the limit."""


def wants_no_tools(example: Example, name: str) -> None:
    """Raises InvalidInput for an example that declares tools, which the form has no place for."""
    if example.tools:
        raise InvalidInput(f"{name} has no place for tools", hint="write this row in a form that has, such as trl")


def one_question(messages: list[Message], name: str) -> tuple[str, str]:
    """The question and the reply of messages that are nothing else. Raises InvalidInput."""
    if [message.role for message in messages] != ["user", "assistant"]:
        hint = "write single exchanges without a system prompt, or use a form for conversations, such as trl"
        raise InvalidInput(f"{name} has only room for one question and its reply", hint=hint)
    return messages[0].text, messages[1].text


def missing_text(row: Json, keys: tuple[str, ...]) -> list[Problem]:
    """What is wrong with keys that must hold words."""
    found = []
    for key in keys:
        value = row.get(key)
        if key not in row:
            found.append(Problem(f"{key} is missing", f'add "{key}" with its text', where=key))
        elif not isinstance(value, str):
            found.append(Problem(f"{key} is no text", f'write "{key}" as text', where=key))
        elif not value.strip():
            found.append(Problem(f"{key} is empty", "remove the row, or write the text", where=key))
    return found


def unknown_keys(row: Json, known: set[str], more: Callable[[str], bool] | None = None) -> list[Problem]:
    """A warning for keys that the consumer does not read."""
    if row.keys() <= known:
        return []
    left = sorted(key for key in row.keys() - known if not (more and more(key)))
    hint = "they are ignored; remove them if they hold what nobody else should see"
    return [Problem("keys that the consumer does not read", hint, False, ", ".join(left))] if left else []
