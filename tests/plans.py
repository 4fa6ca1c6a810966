"""A plan that has something of everything, for tests of what shows plans."""

from dataclasses import replace

from persona.values.plan import SECTIONS, Candidate, HistoryRange, Plan, SectionPlan

_CANDIDATES = {
    "instructions": (Candidate("instructions", 420, True, "pinned"),),
    "shots": (Candidate("shot_1", 600, True, "frozen at the anchor"),),
    "profile": (Candidate("fct_1", 51, True, "frozen at the anchor", None, "preference"),),
    "recall": (
        Candidate("mem_1", 140, True, "fits", 2.314, "horaires d'été.md"),
        Candidate("mem_2", 100, True, "fits", 1.1, "a title that goes on and on and on until nobody reads it.md"),
        Candidate("mem_3", 900, False, "over the section's 682 tokens", 0.8, "menu\x1b[31m\nof today.md"),
    ),
    "input": (Candidate("input", 60, True, "pinned"),),
}
_TOKENS = {"instructions": 420, "shots": 600, "profile": 51, "history": 3300, "recall": 240, "input": 60}


def plan(**changes: object) -> Plan:
    """The plan, with fields changed."""
    sections = tuple(
        SectionPlan(name, _TOKENS.get(name, 0), max(682, _TOKENS.get(name, 0)), _CANDIDATES.get(name, ()))
        for name in SECTIONS
    )
    made = Plan(
        *("acme:large", "estimate-1", "calibrated"),
        total=sum(_TOKENS.values()) + 123,
        limit=6826,
        reserve=1024,
        framing=3,
        tools=120,
        sections=sections,
        history=HistoryRange(12, 40, "msg_1", 14, 3300, 12),
        jumped=True,
        prefix_tokens=4000,
        scale=1.04,
        notes=("history overflowed: it now starts at message 12",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]
