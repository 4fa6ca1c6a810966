"""Arranges a window before it is written out: what each section wishes, what it is granted, where history starts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from persona.values.plan import SectionName
from persona.window.anchor import landing, snapshot
from persona.window.blocks import (
    PROFILE_CLOSE,
    PROFILE_OPEN,
    RECALL_CLOSE,
    RECALL_OPEN,
    summary_block,
)
from persona.window.budget import share_out
from persona.window.materials import Anchor, Line, Materials, PastTurn, Summary
from persona.window.rules import WindowRules


@dataclass(frozen=True, slots=True)
class Wish:
    """The lines a section would like to show, best first, the tokens that wrap them, and what it does not ask for."""

    lines: tuple[Line, ...] = ()
    wrapping: int = 0
    dropped: tuple[tuple[Line, str], ...] = ()

    @property
    def wanted(self) -> int:
        """Tokens for all of it."""
        return self.wrapping + sum(line.tokens for line in self.lines) if self.lines else 0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the sections with a choice would like to show."""

    profile: Wish
    recall: Wish
    summary: Summary | None
    summary_tokens: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The sections' wishes, what each was granted, the turns of history that are kept, and the anchor to store."""

    wishes: Wishes
    granted: dict[SectionName, int]
    kept: tuple[PastTurn, ...]
    anchor: Anchor
    jumped: bool


def arrange(materials: Materials, rules: WindowRules, anchor: Anchor, room: int) -> Layout:
    """Everything as it stood; or, when history overflows, everything after the anchor has jumped."""
    facts, waiting, renewed = snapshot(materials.facts, anchor)
    stood = replace(anchor, facts=_ids(facts), frozen_us=materials.now_us) if renewed else anchor
    wishes = _wishes(materials, facts, waiting, materials.frozen_summary)
    granted = share_out(rules, _wants(materials, wishes), room)
    if sum(turn.tokens for turn in materials.turns) <= granted["history"]:
        return Layout(wishes, granted, materials.turns, stood, False)
    return _jump(materials, rules, anchor, room)


def _jump(materials: Materials, rules: WindowRules, anchor: Anchor, room: int) -> Layout:
    wishes = _wishes(materials, materials.facts, (), materials.summary)
    granted = share_out(rules, _wants(materials, wishes), room)
    kept = materials.turns[landing(materials.turns, granted["history"], rules.low_water, materials.summary) :]
    landed = Anchor(
        first_depth=kept[0].first_depth if kept else materials.input.depth,
        frozen_us=materials.now_us,
        facts=_ids(materials.facts),
        shots=anchor.shots,
        summary_id=materials.summary.id if materials.summary else "",
    )
    return Layout(wishes, granted, kept, landed, True)


def _wishes(
    materials: Materials, facts: tuple[Line, ...], waiting: tuple[Line, ...], summary: Summary | None
) -> Wishes:
    counter = materials.counter
    per_message = counter.framing.per_message
    profile = Wish(facts, per_message + counter.text(PROFILE_OPEN) + counter.text(PROFILE_CLOSE))
    hits, dropped = _worth_recalling(materials, {line.id for line in (*facts, *waiting)})
    recall = Wish(waiting + hits, counter.text(RECALL_OPEN) + counter.text(RECALL_CLOSE), dropped)
    tokens = per_message + counter.text(summary_block(summary.text)) if summary else 0
    return Wishes(profile, recall, summary, tokens)


def _worth_recalling(
    materials: Materials, profile_ids: set[str]
) -> tuple[tuple[Line, ...], tuple[tuple[Line, str], ...]]:
    """The recalled lines that the window does not show already, and the others with the reason."""
    if not materials.recall:
        return (), ()
    shown = {message.id for turn in materials.turns for message in turn.messages}
    hits, dropped = [], []
    for line in materials.recall:
        if line.id in profile_ids:
            dropped.append((line, "already in the profile"))
        elif line.message_id and line.message_id in shown:
            dropped.append((line, "already in the history"))
        else:
            hits.append(line)
    return tuple(hits), tuple(dropped)


def _wants(materials: Materials, wishes: Wishes) -> dict[SectionName, int]:
    return {
        "profile": wishes.profile.wanted,
        "recall": wishes.recall.wanted,
        "summary": wishes.summary_tokens,
        "shots": sum(shot.tokens for shot in materials.shots),
        "history": sum(turn.tokens for turn in materials.turns),
    }


def _ids(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple(line.id for line in lines)
