"""Pictures in HTML: SVG whose places are shares of its width, so that its words stay as large as those around it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log10

from persona.reports.markup import Markup, joined, tag
from persona.reports.words import share
from persona.values.harvest import Lengths, Purpose
from persona.values.portrait import Point

_DECADES = (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_HIGH, _GROUND, _TOP = 190, 160, 22  # pixels of the histogram: in all, to its ground, above the bars
_MAP_MARGIN = 3  # percent
_ROWS = 12  # of a list of bars


def bar(part: float, whole: float, dropped: float = 0) -> Markup:
    """A bar as long as its share, and after it what was just taken away."""
    whole = whole or 1
    kept = tag("rect", class_="kept", width=_percent(part, whole), height="100%")
    gone = (
        tag("rect", class_="gone", x=_percent(part, whole), width=_percent(dropped, whole), height="100%")
        if dropped
        else None
    )
    return tag("svg", kept, gone, class_="bar", aria_hidden="true")


def bars(values: Mapping[str, int], whole: int, rest: str = "") -> Markup:
    """A row for each of the first names: a bar, the number and its share of the whole. `rest` names all others."""
    shown = dict(list(values.items())[:_ROWS])
    most, others = max(shown.values(), default=1), whole - sum(shown.values())
    rows = [_row(name, number, whole, bar(number, most)) for name, number in shown.items()]
    if rest and others > 0:
        rows.append(_row(rest, others, whole, tag("span", class_="bar-room")))
    return tag("ul", *rows, class_="bars")


def _row(name: str, number: int, whole: int, picture: Markup) -> Markup:
    return tag(
        "li",
        tag("span", name, class_="name", dir="auto"),
        picture,
        tag("span", f"{number:,}", class_="number"),
        tag("span", share(number, whole), class_="share"),
    )


def scale(purposes: Sequence[Purpose], kept: int) -> Markup:
    """What so many examples are enough for: a band for each purpose on one scale, and a mark where the dataset is."""
    last = next((one for one in _DECADES if one >= max(2 * kept, 10_000)), _DECADES[-1])

    def at(number: float) -> float:
        return max(0.0, min(100.0, 100 * log10(max(number, 1)) / log10(last)))

    rows = []
    for one in purposes:
        end = one.usual if one.usual > one.least else last
        told = "reached" if one.reached else f"{one.least - kept:,} more"
        span = f"{one.least:,}–{one.usual:,}" if one.usual > one.least else f"from {one.least:,}"
        band = tag(
            "rect", class_="band", x=f"{at(one.least):.2f}%", width=f"{at(end) - at(one.least):.2f}%", height="100%"
        )
        done = tag("rect", class_="done", width=f"{at(kept):.2f}%", y="35%", height="30%")
        picture = tag("svg", tag("rect", class_="rail", width="100%", height="100%"), band, done, aria_hidden="true")
        state = tag("span", told, class_="yes" if one.reached else "no")
        rows.append(tag("li", tag("span", one.name, class_="name"), tag("span", span, class_="span"), picture, state))
    decades = [one for one in _DECADES if one < last]
    marks = [tag("text", f"{one:,}", x=f"{at(one):.2f}%", y=12, text_anchor="middle") for one in decades]
    axis = tag("li", tag("span", class_="axis-room"), tag("svg", *marks, aria_hidden="true"), class_="axis")
    return tag("ul", *rows, axis, class_="scale")


def histogram(lengths: Lengths) -> Markup:
    """How many examples have how many tokens, up to the limit; each bar is twice as wide in tokens as the last."""
    edges, counts = list(lengths.edges), list(lengths.counts[: len(lengths.edges)])
    beyond = sum(lengths.counts[len(lengths.edges) :])
    while edges and (edges[-1] < lengths.limit or beyond):
        edges.append(2 * edges[-1])
        counts.append(beyond)
        beyond = 0
    wide, most = 100 / max(len(edges), 1), max(counts, default=0) or 1
    drawn: list[Markup] = []
    for place, (edge, number) in enumerate(zip(edges, counts, strict=True)):
        high = (number * (_GROUND - _TOP)) // most or (1 if number else 0)
        middle = f"{(place + 0.5) * wide:.2f}%"
        if number:
            left = f"{(place + 0.08) * wide:.2f}%"
            drawn.append(tag("rect", class_="kept", x=left, y=_GROUND - high, width=f"{0.84 * wide:.2f}%", height=high))
            drawn.append(tag("text", _short(number), x=middle, y=_GROUND - high - 5, text_anchor="middle"))
        drawn.append(tag("text", _short(edge), class_="edge", x=middle, y=_GROUND + 16, text_anchor="middle"))
    drawn.append(tag("line", class_="ground", x1="0", x2="100%", y1=_GROUND, y2=_GROUND))
    said = ", ".join(f"{number:,} up to {edge:,}" for edge, number in zip(edges, counts, strict=True) if number)
    mark = _limit(edges, lengths.limit, wide)
    return tag(
        "svg", *drawn, mark, class_="histogram", height=_HIGH, role="img", aria_label=f"Examples by tokens: {said}"
    )


def _limit(edges: Sequence[int], limit: int, wide: float) -> Markup | None:
    """A line where the limit is, within the bar whose tokens it divides."""
    if not limit or not edges:
        return None
    place = next((at for at, edge in enumerate(edges) if edge >= limit), len(edges) - 1)
    low = edges[place - 1] if place else 0
    within = min(1.0, (limit - low) / (edges[place] - low))
    x = min(99.6, (place + within) * wide)
    line = tag("line", class_="limit", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=14, y2=_GROUND)
    return joined(line, tag("text", f"limit {limit:,}", class_="limit", x=f"{x:.2f}%", y=10, text_anchor="end"))


def _looks(points: Sequence[Point]) -> dict[str, int]:
    """The areas by their name, each with the number of its look, the largest first."""
    counts = Counter(one.area for one in points)
    return {name: number % len(_SHAPES) for number, (name, _) in enumerate(counts.most_common())}


def plot(points: Sequence[Point]) -> Markup:
    """The map: a mark for each example, by its area; what it asks is told when it is pointed at."""
    looks = _looks(points)
    marks = [
        tag(
            "use",
            tag("title", f"{one.question}\n({one.side})"),
            class_=f"t{looks[one.area]}",
            href=f"#m{looks[one.area]}",
            x=_place(one.x),
            y=_place(one.y),
        )
        for one in points
    ]
    label = f"Map of {len(points):,} examples by what they ask"
    return tag("svg", *marks, class_="map", role="img", aria_label=label)


def legend(points: Sequence[Point]) -> Markup:
    """What the marks of the map mean."""
    counts = Counter(one.area for one in points)
    rows = []
    for name, look in _looks(points).items():
        mark = tag("svg", tag("use", class_=f"t{look}", href=f"#m{look}", x="50%", y="50%"), aria_hidden="true")
        rows.append(tag("li", mark, tag("span", name or "other", dir="auto"), f" {counts[name]:,}"))
    return tag("ul", *rows, class_="legend")


_SHAPES = (  # around the origin, some 8 pixels wide; they are told apart without their colours too
    "M0-4.4A4.4 4.4 0 1 1 0 4.4A4.4 4.4 0 1 1 0-4.4Z",
    "M-4-4H4V4H-4Z",
    "M0-5.2L5 3.8H-5Z",
    "M0-5.4L5.4 0L0 5.4L-5.4 0Z",
    "M0 5.2L5-3.8H-5Z",
    "M-1.7-5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",
    "M0-5.4L1.6-1.8L5.4-1.7L2.5.9L3.5 4.6L0 2.6L-3.5 4.6L-2.5.9L-5.4-1.7L-1.6-1.8Z",
)


def marks() -> Markup:
    """The marks of the map, to be drawn by their names."""
    shapes = [tag("path", id=f"m{number}", d=shape) for number, shape in enumerate(_SHAPES)]
    return tag("svg", tag("defs", *shapes), width=0, height=0, aria_hidden="true")


def _place(at: int) -> str:
    return f"{_MAP_MARGIN + at * (100 - 2 * _MAP_MARGIN) / 1000:.1f}%"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%"


def _short(number: int) -> str:
    """A number in at most four characters: "950", "1.2k", "128k", "3m"."""
    if number < 1_000:
        return str(number)
    if number < 10_000 and number % 1024:
        return f"{number / 1_000:.1f}k"
    size, unit = (1024, "k") if not number % 1024 else (1_000, "k")
    return f"{number // size}{unit}" if number < 1_000_000 else f"{number // 1_000_000}m"
