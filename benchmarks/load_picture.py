"""Figures over time as pictures: a sparkline for the terminal, and a self-contained page of line charts."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

_BARS = "▁▂▃▄▅▆▇█"
_WIDE, _HIGH, _MARGIN = 860, 150, 50  # pixels
_STYLE = "body{font:14px sans-serif;margin:2em;max-width:62em}svg{display:block;margin-bottom:1em}text{fill:#555}"


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """The values from left to right, the lowest as the lowest bar, averaged down to `width` of them."""
    edges = [round(at * len(values) / width) for at in range(width + 1)]
    parts = [values[start:end] for start, end in pairwise(edges) if end > start]
    means = [sum(part) / len(part) for part in parts]
    least = min(means, default=0.0)
    step = (max(means, default=0.0) - least) / (len(_BARS) - 1) or 1.0
    return "".join(_BARS[round((mean - least) / step)] for mean in means)


def page(title: str, at_s: Sequence[float], lines: Mapping[str, Sequence[float]], text: str) -> str:
    """An HTML page with one chart for each line, from zero up, and the text below; it needs nothing beside it."""
    charts = "\n".join(f"<h3>{escape(name)}</h3>\n{_chart(at_s, values)}" for name, values in lines.items())
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f"{head}<h2>{escape(title)}</h2>\n{charts}\n<pre>{escape(text)}</pre></html>\n"


def _chart(at_s: Sequence[float], values: Sequence[float]) -> str:
    most, last = max(values) or 1.0, at_s[-1] or 1.0
    places = [
        f"{_MARGIN + at / last * (_WIDE - 2 * _MARGIN):.1f},{_HIGH - 20 - value / most * (_HIGH - 40):.1f}"
        for at, value in zip(at_s, values, strict=True)
    ]
    ground = _HIGH - 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE}" height="{_HIGH}" font-size="11">'
        f'<path d="M{_MARGIN},20V{ground}H{_WIDE - _MARGIN}" fill="none" stroke="#999"/>'
        f'<polyline points="{" ".join(places)}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>'
        f'<text x="{_MARGIN - 5}" y="24" text-anchor="end">{most:,.0f}</text>'
        f'<text x="{_MARGIN - 5}" y="{ground}" text-anchor="end">0</text>'
        f'<text x="{_WIDE - _MARGIN}" y="{_HIGH - 5}" text-anchor="end">{last:,.0f} s</text></svg>'
    )
