"""What `persona users show` draws: for each fact a bar from when it began to hold until it ended, oldest first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from persona.reports.spans import Line, Span, coloured, one_line, padded, plain, shortened
from persona.values.memory import Fact
from persona.values.time import iso_day

if TYPE_CHECKING:
    from rich.text import Text

_NARROWEST = 60
_TEXT_SHARE = 0.4  # of the width, for what a fact says
_HOLDS, _ENDED = ("=", "dark_sea_green2"), ("-", "grey50")
_COLOURED_BAR = "━"


def picture(facts: Sequence[Fact], now_us: int, width: int) -> "Text":
    """The timeline in colours, for a terminal of this width."""
    return coloured(_lines(facts, now_us, max(width, _NARROWEST), colour=True))


def plain_picture(facts: Sequence[Fact], now_us: int, width: int = 80) -> str:
    """The timeline in plain letters: `=` while a fact holds now, `-` when it ended."""
    return plain(_lines(facts, now_us, max(width, _NARROWEST), colour=False))


def _lines(facts: Sequence[Fact], now_us: int, width: int, *, colour: bool) -> list[Line]:
    if not facts:
        return []
    text = int(width * _TEXT_SHARE)
    cells = width - text - 1
    first = min(fact.valid_from_us for fact in facts)
    span = max(1, now_us - first)
    return [
        _scale(first, now_us, text, cells),
        *(_bar(fact, first, span, now_us, text, cells, colour=colour) for fact in facts),
    ]


def _scale(first: int, now_us: int, text: int, cells: int) -> Line:
    """The days at both ends."""
    start = iso_day(first)
    return [Span(padded("", text + 1)), Span(start + "now".rjust(cells - len(start)), "dim")]


def _bar(fact: Fact, first: int, span: int, now_us: int, text: int, cells: int, *, colour: bool) -> Line:
    until = min(fact.valid_to_us or now_us, now_us)
    start = min(cells - 1, max(0, (fact.valid_from_us - first) * cells // span))
    end = min(cells, max(start + 1, -(-(until - first) * cells // span)))  # rounded up: what is there is seen
    letter, style = _ENDED if fact.valid_to_us else _HOLDS
    said = one_line(fact.text if fact.slot else f"{fact.kind}: {fact.text}")  # a slot's text begins with its name
    return [
        Span(padded(shortened(said, text), text + 1), "" if not fact.valid_to_us else "dim"),
        Span(" " * start),
        Span((_COLOURED_BAR if colour else letter) * (end - start), style),
    ]
