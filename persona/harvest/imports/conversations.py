"""A row of a file as a conversation to be kept: its messages in turns, with the times and opinions that it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.imports.keys import OF_MESSAGE, OF_ROW, Told, correction_of, created_of, rating_of, told
from persona.store.codec import storable
from persona.values.example import Example
from persona.values.imported import ImportedConversation, ImportedMessage, Opinion
from persona.values.message import Message, Part, Text, ToolCall, ToolResult, say
from persona.values.owner import Owner

_LISTS = ("messages", "conversations", "contents")
_PLACES = 40  # messages of a row whose times follow each other by a microsecond


@dataclass(frozen=True, slots=True)
class Importing:
    """How rows are read: their format, and what counts where a row does not say.

    `mark` tells this file from others; a row without a user belongs to somebody of its own. `now_us` is the time of
    rows that have none.
    """

    form: DatasetFormat
    tenant: str
    user: str
    mark: str
    now_us: int


def conversation_of(row: Mapping[str, Any], line: int, importing: Importing) -> ImportedConversation:
    """The conversation in a row. Raises InvalidInput with the reason why it is none."""
    said, (bare, beside, unanswered) = told(row), _parted(row)
    faults = [problem for problem in importing.form.problems(bare) if problem.error]
    if faults:
        where = f" ({faults[0].where})" if faults[0].where else ""
        raise InvalidInput(f"{faults[0].reason}{where}", hint=faults[0].hint)
    example = importing.form.example(bare, str(line))
    begun_us = said.created_us or importing.now_us + line * _PLACES
    messages = _messages(example, unanswered, said, beside, begun_us)
    user = said.user or importing.user or f"imported-{importing.mark[:8]}-{line}"
    return ImportedConversation(
        line,
        Owner(importing.tenant if said.tenant is None else said.tenant, user),
        _turns(messages),
        said.conversation,
        said.tags,
        said.consent,
        "\n\n".join(storable(one.text) for one in example.messages if one.role == "system"),
        said.details,
        said.model,
    )


def _parted(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mapping[str, Any]], list[Message]]:
    """The row without the keys that only an import reads, its messages with them, and those that nobody answered.

    A log often ends with a word of thanks, which no training file may.
    """
    bare = {key: value for key, value in row.items() if key not in OF_ROW}
    for key in _LISTS:
        listed = bare.get(key)
        if isinstance(listed, list) and all(isinstance(one, Mapping) for one in listed):
            answered = len(listed)
            while answered and _asks(listed[answered - 1]):
                answered -= 1
            if any(one.keys() & OF_MESSAGE for one in listed):
                bare[key] = [_without(one) for one in listed[:answered]]
            else:
                bare[key] = listed[:answered]
            return bare, listed, [say("user", _words(one)) for one in listed[answered:]]
    return bare, [], []


def _asks(one: Mapping[str, Any]) -> bool:
    return _role(one) in ("user", "human") and bool(_words(one).strip())


def _role(one: Mapping[str, Any]) -> object:
    return one.get("role", one.get("from", one.get("author")))


def _words(one: Mapping[str, Any]) -> str:
    words = one.get("content", one.get("value"))
    return words if isinstance(words, str) else ""


def _without(one: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key not in OF_MESSAGE}


def _messages(
    example: Example,
    unanswered: Sequence[Message],
    said: Told,
    beside: Sequence[Mapping[str, Any]],
    begun_us: int,
) -> list[ImportedMessage]:
    """The messages without the system's, at their times, with what was said of them.

    Of a preference the reply that was not wanted is the one that was given, and the other one its correction.
    """
    given = [message for message in example.messages if message.role != "system"]
    last = len(given) - 1
    opinions = _opinions(said.rating if example.label is None else float(example.label), said.correction)
    if example.rejected is not None:
        opinions = (*opinions, Opinion("correction", text=storable(example.messages[-1].text)))
        given[-1] = example.rejected
    given += unanswered
    told_of = [one for one in beside if _role(one) not in ("system", "developer")]
    if len(told_of) != len(given):  # tools made one message of several, or the file tells nothing of them
        told_of = []
    found: list[ImportedMessage] = []
    at_us = begun_us
    for place, message in enumerate(given):
        own = told_of[place] if told_of else {}
        at_us = created_of(own) or (at_us + 1 if place else at_us)
        of_it = _opinions(rating_of(own), correction_of(own)) if own else ()
        if of_it and message.role != "assistant":
            raise InvalidInput("a rating or correction is not of a reply", hint="put it into the assistant's message")
        if place == last:
            of_it += opinions
        found.append(ImportedMessage(replace(message, parts=_storable(message.parts), created_us=at_us), of_it))
    return found


def _opinions(rating: float | None, correction: str) -> tuple[Opinion, ...]:
    rated = (Opinion("rating", rating),) if rating is not None else ()
    return (*rated, Opinion("correction", text=correction)) if correction else rated


def _turns(messages: Sequence[ImportedMessage]) -> tuple[tuple[ImportedMessage, ...], ...]:
    """Each message of the user's with what follows it; what comes before the first one belongs to its turn."""
    turns: list[list[ImportedMessage]] = []
    first: list[ImportedMessage] = []
    for one in messages:
        if one.message.role == "user":
            turns.append([*first, one])
            first = []
        elif turns:
            turns[-1].append(one)
        else:
            first.append(one)
    if not turns:
        raise InvalidInput("nobody asks anything in this row", hint="a conversation has a message of the user's")
    return tuple(map(tuple, turns))


def _storable(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts with what no database takes replaced."""
    return tuple(map(_one_storable, parts))


def _one_storable(part: Part) -> Part:
    if isinstance(part, Text):
        text = storable(part.text)
        return part if text is part.text else Text(text)
    if isinstance(part, ToolCall):
        return replace(part, id=storable(part.id), name=storable(part.name), arguments=storable(part.arguments))
    if isinstance(part, ToolResult):
        return replace(part, call_id=storable(part.call_id), name=storable(part.name), text=storable(part.text))
    return replace(part, url=storable(part.url))
