"""A window as one bar: a segment for each part of the request, for what is free, and for the reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from persona.reports.spans import Line, Span
from persona.values.plan import Plan

# Letters tell the segments apart where there are no colours; black is readable on each colour.
_LOOKS = {
    "tools": ("t", "grey70"),
    "answer": ("a", "thistle1"),
    "instructions": ("i", "sky_blue1"),
    "shots": ("s", "medium_purple1"),
    "profile": ("p", "light_salmon1"),
    "summary": ("m", "plum2"),
    "history": ("h", "dark_sea_green2"),
    "recall": ("r", "khaki1"),
    "input": ("u", "light_coral"),
    "framing": ("f", "grey50"),
    "free": (".", "grey19"),
    "reserve": ("=", "grey35"),
}
_LIGHT = {"free", "reserve"}


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the window, as large as its tokens."""

    name: str
    tokens: int

    @property
    def letter(self) -> str:
        """What stands for it where there are no colours."""
        return _LOOKS[self.name][0]

    @property
    def colour(self) -> str:
        """Its colour, by rich's name."""
        return _LOOKS[self.name][1]

    @property
    def style(self) -> str:
        """Its colour as a background that words can be read on."""
        return f"{'white' if self.name in _LIGHT else 'black'} on {self.colour}"


def segments(plan: Plan) -> tuple[Segment, ...]:
    """Every part of the window in the order it is sent, the empty ones too; their sum is the whole budget."""
    return (
        Segment("tools", plan.tools),
        *([Segment("answer", plan.answer)] if plan.answer else []),
        *(Segment(section.name, section.tokens) for section in plan.sections),
        Segment("framing", plan.framing),
        Segment("free", max(0, plan.limit - plan.total)),
        Segment("reserve", plan.reserve),
    )


def bar(plan: Plan, width: int, *, colour: bool) -> Line:
    """The bar in `width` cells; anything that is there is shown, however small."""
    parts = segments(plan)
    cells = shares([part.tokens for part in parts], width if colour else width - 2)
    if colour:
        return [Span(_labelled(part.name, n), part.style) for part, n in zip(parts, cells, strict=True) if n]
    letters = "".join(part.letter * n for part, n in zip(parts, cells, strict=True))
    return [Span(f"[{letters}]")]


def prefix_cells(plan: Plan, width: int) -> int:
    """How many cells of a bar of `width` are unchanged since the last request."""
    tokens = [part.tokens for part in segments(plan)]
    cells = shares(tokens, width)
    left, reached = plan.prefix_tokens, 0
    for size, taken in zip(tokens, cells, strict=True):
        if left < size:
            return reached + (taken * left // size)
        left, reached = left - size, reached + taken
    return reached


def shares(sizes: Sequence[int], cells: int) -> list[int]:
    """Cells for each size, in proportion and `cells` in all; what is not empty gets at least one."""
    whole, there = sum(sizes), [size > 0 for size in sizes]
    spare = max(0, cells - sum(there))
    ends = [reached * spare // max(1, whole) for reached in accumulate(sizes)]
    starts = [0, *ends[:-1]]
    return [int(one) + end - start for one, start, end in zip(there, starts, ends, strict=True)]


def _labelled(name: str, cells: int) -> str:
    return name.center(cells) if len(name) + 2 <= cells else " " * cells
