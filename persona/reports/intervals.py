"""A confidence interval as a small inline picture: a line from end to end, a point for the mean, a mark for zero."""

from persona.values.comparison import Measured

_WIDTH, _HEIGHT, _MARGIN = 160, 22, 8


def forest(one: Measured) -> str:
    """The interval of a difference as SVG, with its ends in words beside it; green where it is clearly better."""
    if one.low is None or one.high is None:
        return "<small>too few users</small>"
    words = f"{one.low:+.3g} to {one.high:+.3g}"
    reach = max(abs(one.low), abs(one.high)) or 1.0
    low, mean, high = (_place(value / reach) for value in (one.low, one.difference, one.high))
    middle, kind = _HEIGHT / 2, _kind(one)
    return (
        f'<svg class="{kind}" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{words}"><line class="zero" x1="{_WIDTH / 2}" x2="{_WIDTH / 2}" y1="0" y2="{_HEIGHT}"/>'
        f'<line class="reach" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
        f'<circle cx="{mean:.1f}" cy="{middle}" r="4"/></svg><small>{words}</small>'
    )


def _place(share: float) -> float:
    """Where a share of the reach (-1 to 1) stands."""
    return _WIDTH / 2 + share * (_WIDTH / 2 - _MARGIN)


def _kind(one: Measured) -> str:
    if not one.better or one.low is None or one.high is None or one.low <= 0 <= one.high:
        return "open"
    return "good" if (one.low > 0) == (one.better == "higher") else "bad"
