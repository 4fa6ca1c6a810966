"""What `persona why` shows: a window as a bar, its sections, and why each candidate is in or out."""

from typing import TYPE_CHECKING

from persona.reports.bar import Segment, bar, prefix_cells, segments
from persona.reports.spans import Line, Span, coloured, one_line, padded, plain, shortened
from persona.values.plan import Candidate, Plan

if TYPE_CHECKING:
    from rich.text import Text

_NARROWEST = 60
_UNBOUNDED = 10_000  # cells: in a file nothing is cut
_NOTHING = ("free", "reserve", "framing", "tools", "answer")  # what is no section, so has no candidates


def picture(plan: Plan, width: int) -> "Text":
    """The plan in colours, for a terminal of this width."""
    return coloured(_lines(plan, max(width, _NARROWEST), max(width, _NARROWEST), colour=True))


def plain_picture(plan: Plan, width: int = 80, *, cut: bool = False) -> str:
    """The plan without colours: letters make the bar. `cut` shortens long titles to the width."""
    wide = max(width, _NARROWEST)
    return plain(_lines(plan, wide, wide if cut else _UNBOUNDED, colour=False))


def _lines(plan: Plan, width: int, longest: int, *, colour: bool) -> list[Line]:
    return [
        *_head(plan),
        [],
        bar(plan, width, colour=colour),
        *_prefix(plan, width, 0 if colour else 1),
        [],
        *_legend(plan, colour=colour),
        [],
        *_candidates(plan, longest),
        *([Span("note  ", "yellow"), Span(one_line(note))] for note in plan.notes),
    ]


def _head(plan: Plan) -> list[Line]:
    counted = {"exact": "exact", "calibrated": "calibrated", "estimate": "estimates"}[plan.label]
    scale = f", {plan.scale:.2f} of the provider's allowed for each" if plan.scale != 1.0 else ""
    return [
        [
            Span(one_line(plan.target), "bold"),
            Span(f"  {plan.total:,} of {plan.limit:,} tokens, {plan.reserve:,} kept for the reply"),
        ],
        [Span(f"counts are {counted} ({one_line(plan.counter)}){scale}", "dim")],
    ]


def _prefix(plan: Plan, width: int, indent: int) -> list[Line]:
    """A mark under what the provider's prompt cache may serve again."""
    if not plan.prefix_tokens:
        return [[Span(" " * indent + "nothing unchanged since the last request", "dim")]]
    inside = width - 2 * indent
    cells = max(1, prefix_cells(plan, inside))
    words = f"{plan.prefix_tokens:,} tokens unchanged since the last request"
    if cells + 1 + len(words) <= inside:
        mark = f"{'^' * cells} {words}"
    elif len(words) + 8 <= cells:
        mark = f" {words} ".center(cells, "^")
    else:
        return [[Span(" " * indent + "^" * cells, "cyan")], [Span(" " * indent + words, "cyan")]]
    return [[Span(" " * indent + mark, "cyan")]]


def _legend(plan: Plan, *, colour: bool) -> list[Line]:
    whole = max(1, plan.limit + plan.reserve)
    lines: list[Line] = []
    for part in segments(plan):
        if part.tokens:
            mark = Span("  ", part.style) if colour else Span(f"{part.letter} ")
            amount = f" {part.name:<13}{part.tokens:>8,} {part.tokens / whole:>6.1%}  "
            lines.append([mark, Span(amount), Span(_about(plan, part), "dim")])
    empty = [part.name for part in segments(plan) if not part.tokens]
    return [*lines, [Span(f"   empty: {', '.join(empty)}", "dim")]] if empty else lines


def _about(plan: Plan, part: Segment) -> str:
    if part.name == "history":
        return _about_history(plan)
    if part.name in _NOTHING:
        return {"reserve": "kept for the reply", "framing": "of the chat format"}.get(part.name, "")
    section = next(section for section in plan.sections if section.name == part.name)
    inside = sum(one.included for one in section.candidates)
    granted = f", {section.grant:,} tokens granted" if section.grant != section.tokens else ""
    return f"{inside} of {len(section.candidates)} in{granted}"


def _about_history(plan: Plan) -> str:
    history = plan.history
    turns = f"{history.turns} turn{'' if history.turns == 1 else 's'}"
    older = f", {history.left_out} older left out" if history.left_out else ""
    return f"{turns}, messages {history.first_depth} to {history.last_depth}{older}"


def _candidates(plan: Plan, longest: int) -> list[Line]:
    rows = [(section.name, one) for section in plan.sections for one in section.candidates]
    if not rows:
        return []
    rule = max(len(one.rule) for _, one in rows)
    room = max(16, longest - 34 - rule)
    lines: list[Line] = [[Span(f"    {'section':<13}{'tokens':>6}  {'score':>5}  {padded('rule', rule)}  what", "dim")]]
    for name, one in rows:
        mark = Span("in  ", "green") if one.included else Span("out ", "red")
        score = "" if one.score is None else f"{one.score:.2f}"
        numbers = Span(f"{name:<13}{one.tokens:>6,}  {score:>5}  ")
        lines.append([mark, numbers, Span(padded(one.rule, rule), "dim"), Span(f"  {shortened(_what(one), room)}")])
    return lines


def _what(candidate: Candidate) -> str:
    title = one_line(candidate.title)
    return f"{title} {candidate.id}" if title else candidate.id
