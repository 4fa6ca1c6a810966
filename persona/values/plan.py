"""The record of one window: what went to the model, what stayed out, and why."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Literal

from persona.values.record import record

SectionName = Literal["instructions", "shots", "profile", "summary", "history", "recall", "input"]
SECTIONS: tuple[SectionName, ...] = (
    "instructions",
    "shots",
    "profile",
    "summary",
    "history",
    "recall",
    "input",
)
BEFORE_HISTORY: tuple[SectionName, ...] = ("instructions", "shots", "profile", "summary")
_PLACES = {name: place for place, name in enumerate(SECTIONS)}
Label = Literal["exact", "calibrated", "estimate"]


@record(frozen=True, slots=True)
class Candidate:
    """One thing that could have gone into the window. `rule` is what kept it in or out."""

    id: str
    tokens: int
    included: bool
    rule: str
    score: float | None = None
    title: str = ""


@record(frozen=True, slots=True)
class SectionPlan:
    """One section: the tokens it took, the most it was granted, and its candidates."""

    name: SectionName
    tokens: int
    grant: int
    candidates: tuple[Candidate, ...] = ()
    digest: str = ""


@record(frozen=True, slots=True)
class HistoryRange:
    """The part of the conversation that is in the window, as a range of depths on its path.

    `first_depth` is the anchor. `left_out` counts the older messages that the anchor leaves out.
    """

    first_depth: int
    last_depth: int
    last_id: str
    turns: int
    tokens: int
    left_out: int


@record(frozen=True, slots=True)
class Outline:
    """What is kept of a plan. `frozen` are the digests of what stands before the history, `history` its tokens."""

    target: str
    counter: str
    total: int
    limit: int
    framing: int
    tools: int
    tools_digest: str
    frozen: tuple[str, ...]
    recall: str
    first_depth: int
    last_id: str
    history: int


@record(frozen=True, slots=True)
class Plan:
    """The window of one request, with its whole arithmetic, in tokens of `counter`.

    `total` is everything on the wire: sections, the schemas of the tools and of the answer, and the format's own
    framing. `limit` is the most
    the input may take on this target, and `reserve` what is kept for the reply. `scale` is how many tokens the
    provider was seen to count for one of ours (1.0 until it is known); `limit` is already divided by it.
    `prefix_tokens` is how much of the request is byte for byte the beginning of the conversation's last one;
    `tools_digest` tells whether the schemas, of the tools and of the answer, are still the same.
    """

    target: str
    counter: str
    label: Label
    total: int
    limit: int
    reserve: int
    framing: int
    tools: int
    sections: tuple[SectionPlan, ...]
    history: HistoryRange
    jumped: bool = False
    prefix_tokens: int = 0
    scale: float = 1.0
    notes: tuple[str, ...] = ()
    tools_digest: str = ""
    answer: int = 0

    def section(self, name: SectionName) -> SectionPlan:
        """One section by its name."""
        place = _PLACES[name]  # asked for twenty times a window
        if place < len(self.sections) and (section := self.sections[place]).name == name:
            return section
        for section in self.sections:
            if section.name == name:
                return section
        raise KeyError(name)

    def outline(self) -> "Outline":
        """What the next request is compared with, and the rest of its turn goes by."""
        section, history = self.section, self.history
        return Outline(
            *(self.target, self.counter, self.total, self.limit, self.framing, self.tools, self.tools_digest),
            tuple([section(name).digest for name in BEFORE_HISTORY]),
            section("recall").digest,
            *(history.first_depth, history.last_id, section("history").tokens),
        )

    def to_dict(self) -> dict[str, Any]:
        """The plan for machines: JSON types only."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Plan":
        """The plan that `to_dict` gave. Unknown keys, of a newer persona, are left out."""
        sections = tuple(
            SectionPlan(**{**row, "candidates": tuple(Candidate(**one) for one in row["candidates"])})
            for row in raw["sections"]
        )
        known = {field.name for field in fields(cls)}
        rest = {key: value for key, value in raw.items() if key in known}
        return cls(
            **{
                **rest,
                "sections": sections,
                "history": HistoryRange(**raw["history"]),
                "notes": tuple(raw["notes"]),
            }
        )

    def __str__(self) -> str:
        lines = [
            f"{self.target}: {self.total} of {self.limit} tokens ({self.label}, {self.counter}), "
            f"{self.reserve} kept for the reply, {self.prefix_tokens} unchanged since the last request"
        ]
        for section in self.sections:
            lines.append(f"  {section.name:<12} {section.tokens:>6} tokens")
            lines += [f"    {'+' if c.included else '-'} {_described(c)}" for c in section.candidates]
        lines.append(f"  {'tools':<12} {self.tools:>6} tokens")
        lines += [f"  {'answer':<12} {self.answer:>6} tokens"] if self.answer else []
        lines.append(f"  {'framing':<12} {self.framing:>6} tokens")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


NO_PLAN = Plan(
    "",
    "",
    "estimate",
    0,
    0,
    0,
    0,
    0,
    tuple(SectionPlan(name, 0, 0) for name in SECTIONS),
    HistoryRange(0, 0, "", 0, 0, 0),
)
"""A plan that shows nothing."""


def _described(candidate: Candidate) -> str:
    score = "" if candidate.score is None else f", score {candidate.score:.2f}"
    title = candidate.title or candidate.id
    return f"{title} ({candidate.tokens} tokens{score}): {candidate.rule}"
