"""The tagged text persona writes into a window: profile, summary, recalled memories, the context of the input.

Every block starts with "<" and ends with ">\\n", where token counts add up. Whatever users or documents say is
escaped, so no text can close a tag or open another.

It also loses what no reader sees, because a model reads it all the same and instructions could hide there: control
characters, bidirectional overrides and isolates, zero-width spaces and marks, and Unicode's tag letters (the flags
of Scotland and Wales turn black). Single joiners after a letter or emoji stay: Persian, Indic scripts and families
of emoji are spelt with them. Halves of surrogate pairs become U+FFFD.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from persona.values.memory import Fact, Recalled
from persona.values.message import Message, Text
from persona.values.time import iso_day

PROFILE_OPEN, PROFILE_CLOSE = "<profile>\n", "</profile>\n"
RECALL_OPEN, RECALL_CLOSE = "<recall>\n", "</recall>\n"
BARE_CONTEXT = "<context/>\n"
"""Goes before the user's words when nothing is stated, so that they never run into a block."""

_HIDDEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\U000e0000-\U000e007f"
)
_UNSEEN = re.compile(rf"[{_HIDDEN}]|(?<![^\x00-\x7f\u200c\u200d{_HIDDEN}])[\u200c\u200d]")
_DEEPEST = 16  # spaces of indentation
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def escape(text: str) -> str:
    """The text with everything that could be read as a tag made harmless, on one line."""
    if text.isprintable() and "  " not in text:  # as most are: nothing hidden, no space but the plain one
        plain = text.strip()
    else:
        plain = " ".join(text.split())
        if not plain.isprintable():
            plain = " ".join(seen(plain).split())
    if "&" in plain or "<" in plain or ">" in plain:
        return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain


def seen(text: str) -> str:
    """The text without the characters that no reader sees, on as many lines as before."""
    return _SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))


def escape_lines(text: str) -> str:
    """As `escape`, but with line breaks and indentation: a list is unreadable without. Blank lines become one."""
    lines = text.splitlines()
    if len(lines) < 2:
        return escape(text)
    kept: list[str] = []
    for line in lines:
        words = escape(line)
        if words:
            line = line.expandtabs(4)
            kept.append(" " * min(len(line) - len(line.lstrip()), _DEEPEST) + words)
        elif kept and kept[-1]:
            kept.append("")
    return "\n".join(kept).strip()


@lru_cache(maxsize=1024)  # kinds, titles and headings come again and again
def attribute(value: str) -> str:
    """The value for use between double quotes."""
    return escape(value).replace('"', "&quot;")


def fact_line(fact: Fact) -> str:
    """One fact, as the profile and the recall section show it."""
    day = iso_day(fact.valid_from_us)
    return f'<fact kind="{attribute(fact.kind)}" date="{day}">{escape(fact.text)}</fact>\n'


def recalled_line(hit: Recalled) -> str:
    """One recalled memory, with where it comes from; its body may have several lines."""
    source, body = hit.source, escape_lines(hit.text)
    if source.kind == "chunk":
        heading = f' heading="{attribute(source.heading)}"' if source.heading else ""
        page = f' page="{source.page}"' if source.page else ""
        return f'<knowledge source="{attribute(source.title)}"{heading}{page}>{body}</knowledge>\n'
    kind = hit.fact_kind or source.kind
    return f'<memory kind="{attribute(kind)}" date="{source.date}" source="conversation">{body}</memory>\n'


def summary_block(text: str) -> str:
    """What was said before the history that is shown."""
    return f"<summary>{escape_lines(text)}</summary>\n"


def context_block(stated: Mapping[str, str]) -> str:
    """What the input section states beside the user's words; empty when it states nothing."""
    if not stated:
        return ""
    attributes = " ".join([f'{name}="{attribute(value)}"' for name, value in stated.items() if value])
    return f"<context {attributes}/>\n" if attributes else ""


def with_blocks(message: Message, blocks: str) -> Message:
    """The user's message with the blocks before its first words, as the one string that the wire carries."""
    if not blocks:
        return message
    first, *rest = message.parts or (Text(""),)
    return message.of_parts(
        (Text(blocks + first.text), *rest) if isinstance(first, Text) else (Text(blocks), *message.parts)
    )
