"""What a request holds, read back from its messages: the question, quotable passages, tool results.

persona lays a window out as instructions, shots, profile, summary, history and the user's last message,
which opens with what was recalled and one line of context. Instructions and shots are not facts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from persona.values.message import Message, ToolResult
from persona.values.words import sentences
from persona_embedded.intents import asks
from persona_embedded.phrases import is_own

PassageKind = Literal["knowledge", "told", "profile", "summary", "tool", "assistant"]

_RECALL, _RECALL_END = "<recall>\n", "</recall>\n"
_BLOCKS = ("<profile>", "<summary>")
_CONTEXT = re.compile(r'<context((?: [\w-]+="[^"<]*")*) ?/>\n?')
_ITEM = re.compile(r'<(memory|knowledge|fact)((?: [\w-]+="[^"<]*")*) ?>([^<]*)</\1>')
_SUMMARY = re.compile(r"<summary[^<>]*>([^<]*)</summary>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"<]*)"')
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&"))
_MARK = re.compile(r"[ \t]*\d+[.)] ")  # of a numbered item
_WRAPPED = 50  # characters: a line this long was rather wrapped than ended
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence that may be quoted, and where it is from.

    `date` is an ISO day or empty. `said_at` is its place in this conversation, from 1; 0 is outside of it.
    `about` is what else it can be found by: the heading above it, the kind of a fact.
    """

    text: str
    kind: PassageKind
    title: str = ""
    heading: str = ""
    date: str = ""
    said_at: int = 0
    about: str = ""

    @property
    def recency(self) -> tuple[int, str]:
        """Sorts the oldest first; what bears no date comes before what does."""
        return self.said_at, self.date


@dataclass(frozen=True, slots=True)
class Sheet:
    """One request as the responder sees it. `results` are the tool results that came after the question."""

    said: str = ""
    locale: str = ""
    passages: tuple[Passage, ...] = ()
    results: tuple[ToolResult, ...] = ()
    calls_before: int = 0


def read(messages: Sequence[Message]) -> Sheet:
    """The sheet of a request's messages."""
    last = max((at for at, message in enumerate(messages) if message.role == "user"), default=-1)
    if last < 0:
        return Sheet()
    recalled, context, own = _unwrap(messages[last].text)
    said = clean(own).strip()
    first = _history_start(messages, last)
    passages = [
        *(passage for message in messages[:last] if message.role == "system" for passage in _block(message)),
        *_items(recalled),
        *(passage for at in range(first, last) for passage in _turned(messages[at], at)),
        *_told(said, last),
    ]
    results = [part for message in messages[last + 1 :] for part in message.parts if isinstance(part, ToolResult)]
    calls = sum(len(message.tool_calls) for message in messages)
    return Sheet(said, context.get("locale", ""), tuple(passages), tuple(results), calls)


def clean(text: str) -> str:
    """`text` as it may be printed: no control characters, no half of a pair."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def _unwrap(text: str) -> tuple[str, dict[str, str], str]:
    """The recalled items, the context's attributes, and the user's own words."""
    recalled = ""
    if text.startswith(_RECALL) and (end := text.find(_RECALL_END)) >= 0:
        recalled, text = text[len(_RECALL) : end], text[end + len(_RECALL_END) :]
    context = _CONTEXT.match(text)
    return (recalled, _attributes(context[1]), text[context.end() :]) if context else (recalled, {}, text)


def _history_start(messages: Sequence[Message], last: int) -> int:
    """Where history begins: after the profile and the summary, else after the shots, which were never stored.

    A request whose messages bear no ids, and without a profile or summary, does not tell shots from history.
    """
    starts = [at + 1 for at in range(last) if messages[at].role == "system"]
    stored = [at for at in range(last) if messages[at].id and messages[at].role != "system"]
    return max(starts[-1] if starts else 0, stored[0] if stored else 0)


def _block(message: Message) -> Iterator[Passage]:
    text = message.text
    if not text.startswith(_BLOCKS):
        return
    yield from _items(text)
    for summary in _SUMMARY.finditer(text):
        yield from _quotable(_unwrapped(_plain(summary[1])), Passage("", "summary"))


def _items(text: str) -> Iterator[Passage]:
    for tag, attributes, body in _ITEM.findall(text):
        known = _attributes(attributes)
        kind, date, source = known.get("kind", ""), known.get("date", ""), known.get("source", "")
        if tag == "knowledge":
            heading = known.get("heading", "")
            about = f"{heading} {source.rsplit('.', 1)[0]}"
            whole = Passage("", "knowledge", source, heading, date, about=about)
        elif tag == "memory" and (kind == "turn" or source == "conversation"):
            whole = Passage("", "told", date=date, about="" if kind == "turn" else kind)
        else:
            whole = Passage("", "profile", date=date, about=kind)
        yield from _quotable(_unwrapped(_plain(body)), whole)


def _unwrapped(text: str) -> str:
    """The text with lines that were only wrapped as one: a line break ends a sentence otherwise."""
    lines = text.split("\n")
    kept = lines[:1]
    for before, line in pairwise(lines):
        if _runs_on(before, line):
            kept[-1] += " " + line.strip()
        else:
            kept.append(line)
    return "\n".join(kept)


def _runs_on(before: str, line: str) -> bool:
    start = line.lstrip()[:1]
    if start.islower():
        return bool(before.strip())
    return len(before) >= _WRAPPED and before[-1] not in ".!?:;…" and start.isalnum() and not _MARK.match(line)


def _turned(message: Message, at: int) -> Iterator[Passage]:
    """What a message of history gives: what the user told, what tools returned, and what was answered."""
    if message.role == "user":
        yield from _told(clean(_CONTEXT.sub("", message.text, count=1)), at)
    elif message.role == "assistant":
        for line in clean(message.text).splitlines():
            if line.strip() and not asks(line) and not is_own(line):
                yield Passage(line.strip(), "assistant", said_at=at + 1)
    for part in message.parts:
        if isinstance(part, ToolResult) and not part.failed:
            about = part.name.replace("_", " ")
            yield from _quotable(clean(part.text), Passage("", "tool", part.name, said_at=at + 1, about=about))


def _told(text: str, at: int) -> Iterator[Passage]:
    return _quotable(text, Passage("", "told", said_at=at + 1))


def _quotable(text: str, whole: Passage) -> Iterator[Passage]:
    for sentence in sentences(text):
        if not asks(sentence) and not is_own(sentence):
            yield Passage(sentence, whole.kind, whole.title, whole.heading, whole.date, whole.said_at, whole.about)


def _attributes(text: str) -> dict[str, str]:
    return {name: _plain(value) for name, value in _ATTRIBUTE.findall(text)}


def _plain(text: str) -> str:
    for escape, sign in _ESCAPES:
        text = text.replace(escape, sign)
    return clean(text)
