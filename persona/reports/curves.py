"""Training and validation loss over the steps of a run: in the terminal, and as a picture in a page of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from persona.reports.spans import Line, Span, coloured, plain
from persona.values.tuning import LossPoint

if TYPE_CHECKING:
    from rich.text import Text

_ROWS = 12  # lines of the chart in a terminal
_NARROWEST = 40
_AXIS = 9  # cells before the chart, for the loss at its top and bottom
_LOOKS = {"training": ("t", "sky_blue1", "#2a78b8"), "validation": ("v", "light_coral", "#c2473f")}
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # braille: rows of two columns
_WIDE, _HIGH, _LEFT, _FOOT = 760, 320, 56, 40  # of the picture, in pixels


@dataclass(frozen=True, slots=True)
class _Field:
    """The measured points by curve, and their bounds."""

    curves: dict[str, list[tuple[int, float]]]
    steps: tuple[int, int]
    losses: tuple[float, float]


def picture(points: Sequence[LossPoint], width: int, marked: int | None = None) -> "Text":
    """The curves in colours, for a terminal of this width; the step that is `marked` bears a caret."""
    return coloured(_lines(points, max(width, _NARROWEST), marked, colour=True))


def plain_picture(points: Sequence[LossPoint], width: int = 80, marked: int | None = None) -> str:
    """The curves in plain letters: `t` and `v`, and `*` where they meet."""
    return plain(_lines(points, max(width, _NARROWEST), marked, colour=False))


def page(title: str, points: Sequence[LossPoint], facts: Sequence[tuple[str, str]], marked: int | None = None) -> str:
    """A page of HTML that needs nothing else: the picture, and facts in a table."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    style = "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:52em;color:#222}th{text-align:left;"
    style += "padding:.2em 1.5em .2em 0;font-weight:normal;color:#666;vertical-align:top}svg text{font:12px sans-serif}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style>'
        f"<h1>{escape(title)}</h1>{svg(points, marked)}<table>{rows}</table></html>\n"
    )


def svg(points: Sequence[LossPoint], marked: int | None = None) -> str:
    """The curves as SVG; the step that is `marked` bears a line."""
    field = _field(points)
    if field is None:
        return "<p>no loss was reported yet</p>"
    drawn = "".join(_curve(field, name) for name in field.curves)
    if marked is not None:
        x = _x(field, marked)
        drawn += f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{_HIGH}" stroke="#888" stroke-dasharray="4 3"/>'
    low, high = field.losses
    frame = f'<path d="M{_LEFT} 0V{_HIGH}H{_WIDE}" fill="none" stroke="#999"/>'
    words = _word(4, 12, f"{high:.3g}") + _word(4, _HIGH, f"{low:.3g}")
    words += _word(_LEFT, _HIGH + 16, f"step {field.steps[0]}") + _word(_WIDE - 60, _HIGH + 16, str(field.steps[1]))
    legend = "".join(
        _word(_LEFT + 110 * place, _HIGH + 34, f"— {name}", _LOOKS[name][2]) for place, name in enumerate(field.curves)
    )
    size = f'viewBox="0 0 {_WIDE} {_HIGH + _FOOT}" width="100%"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{frame}{drawn}{words}{legend}</svg>'


def _field(points: Sequence[LossPoint]) -> _Field | None:
    curves: dict[str, list[tuple[int, float]]] = {}
    for name in _LOOKS:
        measured = [(one.step, value) for one in points if (value := getattr(one, name)) is not None]
        if kept := sorted(pair for pair in measured if isfinite(pair[1])):
            curves[name] = kept
    if not curves:
        return None
    steps = [step for curve in curves.values() for step, _ in curve]
    losses = [loss for curve in curves.values() for _, loss in curve]
    return _Field(curves, (min(steps), max(steps)), (min(losses), max(losses)))


def _lines(points: Sequence[LossPoint], width: int, marked: int | None, *, colour: bool) -> list[Line]:
    field = _field(points)
    if field is None:
        return [[Span("no loss was reported yet", "dim")]]
    cells = width - _AXIS
    rows = _braille(field, cells) if colour else _letters(field, cells)
    low, high = field.losses
    axis = [f"{high:>8.3g} ", *[" " * _AXIS] * (_ROWS - 2), f"{low:>8.3g} "]
    lines: list[Line] = [[Span(told, "dim"), *row] for told, row in zip(axis, rows, strict=True)]
    if marked is not None:
        lines.append([Span(" " * (_AXIS + _place(field, marked, cells)) + "^", "yellow")])
    first, last = f"step {field.steps[0]}", str(field.steps[1])
    lines.append([Span(" " * _AXIS + first + last.rjust(cells - len(first)), "dim")])
    legend = [Span(f"{'—' if colour else _LOOKS[name][0]} {name}  ", _LOOKS[name][1]) for name in field.curves]
    return [*lines, [Span(" " * _AXIS), *legend]]


def _letters(field: _Field, cells: int) -> list[Line]:
    grid = [[" "] * cells for _ in range(_ROWS)]
    for name, curve in field.curves.items():
        letter = _LOOKS[name][0]
        for column, row in _trace(field, curve, cells, _ROWS):
            grid[row][column] = letter if grid[row][column] in (" ", letter) else "*"
    return [[Span("".join(row))] for row in grid]


def _braille(field: _Field, cells: int) -> list[Line]:
    """Eight dots a cell; the curve that was drawn last gives a cell its colour."""
    dots = [[0] * cells for _ in range(_ROWS)]
    styles = [[""] * cells for _ in range(_ROWS)]
    for name, curve in field.curves.items():
        for column, row in _trace(field, curve, cells * 2, _ROWS * 4):
            dots[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
            styles[row // 4][column // 2] = _LOOKS[name][1]
    return [
        [Span(chr(0x2800 + dot), style) for dot, style in zip(*row, strict=True)]
        for row in zip(dots, styles, strict=True)
    ]


def _trace(field: _Field, curve: Sequence[tuple[int, float]], columns: int, rows: int) -> list[tuple[int, int]]:
    """The places of a curve in a grid, its points joined by straight lines."""
    places = [(_place(field, step, columns), _height(field, loss, rows)) for step, loss in curve]
    traced = places[:1]
    for (left, start), (right, end) in pairwise(places):
        length = max(abs(right - left), abs(end - start), 1)
        traced += [
            (left + (right - left) * n // length, start + (end - start) * n // length) for n in range(1, length + 1)
        ]
    return traced


def _place(field: _Field, step: int, columns: int) -> int:
    first, last = field.steps
    return min(columns - 1, max(0, (step - first) * (columns - 1) // max(1, last - first)))


def _height(field: _Field, loss: float, rows: int) -> int:
    low, high = field.losses
    return round((high - loss) / (high - low) * (rows - 1)) if high > low else rows - 1


def _x(field: _Field, step: int) -> float:
    first, last = field.steps
    return _LEFT + (step - first) / max(1, last - first) * (_WIDE - _LEFT)


def _curve(field: _Field, name: str) -> str:
    low, high = field.losses
    spread = (high - low) or 1.0
    colour = _LOOKS[name][2]
    drawn = [(_x(field, step), (high - loss) / spread * _HIGH) for step, loss in field.curves[name]]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in drawn)
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _word(x: float, y: float, text: str, colour: str = "#555") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}">{escape(text)}</text>'
