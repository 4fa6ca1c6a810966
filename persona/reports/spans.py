"""Lines of styled words: one layout that is printed with colours or without."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from rich.text import Text

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Span:
    """Some words, and how they look where there are colours; the style is one of rich's."""

    text: str
    style: str = ""


Line = Sequence[Span]


def plain(lines: Sequence[Line]) -> str:
    """The words alone, for pipes and files."""
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


def coloured(lines: Sequence[Line]) -> "Text":
    """The words in their styles, for a rich console."""
    from rich.text import Text  # only a terminal needs it

    text = Text(no_wrap=True, overflow="ignore")
    for number, line in enumerate(lines):
        text.append("\n" if number else "")
        for span in line:
            text.append(span.text, span.style or None)
    return text


def harmless(text: str) -> str:
    """The text without control characters: what a model or a file says must neither steer the terminal nor turn round
    what stands beside it.
    """
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """The text on one line, without control characters."""
    return harmless(_BREAK.sub(" ", text)).strip()


def shortened(text: str, cells: int) -> str:
    """The text in at most so many cells of a terminal, with ".." at its end where it was cut."""
    if _cells(text) <= cells:
        return text
    kept = ""
    for character in text:
        if _cells(kept + character) > cells - 2:
            break
        kept += character
    return f"{kept}.."[: max(cells, 0)]


def padded(text: str, cells: int) -> str:
    """The text with spaces after it, so that it takes so many cells."""
    return text + " " * (cells - _cells(text))


def _cells(text: str) -> int:
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
