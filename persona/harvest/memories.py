"""Whether a reply used what was remembered: a row that does not show it would train a model to invent."""

import re
from collections.abc import Iterable, Sequence

from persona.values import words
from persona.values.message import Message

SPAN = 3
"""So many neighbouring words, of which two carry content, in both the reply and a memory are taken from it."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_JSON = str.maketrans(dict.fromkeys('{}[]":', ","))
_PLAIN = re.compile(r"(?:^|[.!?…:\n]\s*[\"«(]?\s*)$")


def taken_from(reply: str, hidden: Iterable[str], shown: Sequence[str]) -> str:
    """What the reply took from texts that are hidden, in its own words; empty when nothing.

    That is a span of `SPAN` words or more, or a number or a name (a capital within a sentence), which a hidden text
    holds and no text that is shown does.
    """
    secrets = [_folded(text) for text in hidden]
    if not any(secrets):
        return ""
    known = [_folded(text) for text in shown]
    said = list(_WORD.finditer(reply))
    folded = [words.fold(one[0].lower()) for one in said]
    marks = {word for text in secrets for word in text} - {word for text in known for word in text}
    for one, word in zip(said, folded, strict=True):
        if word in marks and (word[0].isdigit() or (one[0][0].isupper() and not _PLAIN.search(reply[: one.start()]))):
            return one[0]
    spans = _spans(secrets) - _spans(known)
    for at in range(len(folded) - SPAN + 1):
        if tuple(folded[at : at + SPAN]) in spans:
            return reply[said[at].start() : said[at + SPAN - 1].end()]
    return ""


def said_in_calls(messages: Iterable[Message]) -> str:
    """What calls of tools say, for `taken_from`: a value of their JSON is no sentence, and may begin with a name."""
    return "\n,".join(call.arguments.translate(_JSON) for message in messages for call in message.tool_calls)


def _folded(text: str) -> list[str]:
    return [words.fold(word.lower()) for word in _WORD.findall(text)]


def _spans(texts: Iterable[Sequence[str]]) -> set[tuple[str, ...]]:
    found = {tuple(text[at : at + SPAN]) for text in texts for at in range(len(text) - SPAN + 1)}
    return {span for span in found if sum(bool(words.term(word, "")) for word in span) >= SPAN - 1}
