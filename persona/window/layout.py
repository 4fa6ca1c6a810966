"""Arranges a window before it is written out: what each section wishes, what it is granted, where history starts."""

from collections.abc import Sequence
from dataclasses import replace

from persona.values.plan import SectionName
from persona.values.record import record
from persona.window.anchor import landing, tokens_of
from persona.window.blocks import RECALL_CLOSE, RECALL_OPEN
from persona.window.budget import share_out
from persona.window.materials import Anchor, Line, Materials, PastTurn
from persona.window.rules import FROZEN, WindowRules
from persona.window.snapshot import NO_WISH, Snapshot, Wish, freeze, stand


@record(frozen=True, slots=True)
class Layout:
    """What is frozen, what recall wishes, what each section was granted, the turns of history that are kept, and the
    anchor to store.
    """

    frozen: Snapshot
    recall: Wish
    granted: dict[SectionName, int]
    kept: tuple[PastTurn, ...]
    anchor: Anchor
    jumped: bool

    def is_tight(self, room: int) -> bool:
        """Whether more room than this might have given it another form; grants are rounded down."""
        return self.jumped or sum(self.granted.values()) + len(self.granted) > room


def arrange(materials: Materials, rules: WindowRules, anchor: Anchor, room: int) -> Layout:
    """Everything as it stood; or, when history overflows, everything after the anchor has jumped."""
    turns = _since(anchor, materials.turns)
    frozen = stand(materials, rules, anchor)
    recall = _recall(materials, frozen, turns)
    granted = share_out(rules, _wants(frozen, recall, turns), room, FROZEN - frozen.fresh)
    if tokens_of(turns) <= granted["history"]:
        return Layout(frozen, recall, granted, turns, frozen.anchor, False)
    return _jump(materials, rules, anchor, room, turns)


def _jump(materials: Materials, rules: WindowRules, anchor: Anchor, room: int, turns: tuple[PastTurn, ...]) -> Layout:
    frozen = freeze(materials, rules, anchor)
    # what history will still show is not known before the budget is shared: recall asks for everything first
    wants = _wants(frozen, _recall(materials, frozen, ()), turns)
    granted = share_out(rules, wants, room, FROZEN - frozen.fresh)
    summary = frozen.summary if frozen.anchor.summary_id else None
    kept = turns[landing(turns, granted["history"], rules.low_water, summary) :]
    landed = replace(frozen.anchor, first_depth=kept[0].first_depth if kept else materials.input.depth)
    return Layout(frozen, _recall(materials, frozen, kept), granted, kept, landed, True)


def _since(anchor: Anchor, turns: tuple[PastTurn, ...]) -> tuple[PastTurn, ...]:
    """The turns from the anchor on. A tool round still holds older ones, when the anchor has jumped in its turn."""
    if not turns or turns[0].first_depth >= anchor.first_depth:
        return turns
    start = next((at for at, turn in enumerate(turns) if turn.first_depth >= anchor.first_depth), len(turns))
    return turns[start:]


def _recall(materials: Materials, frozen: Snapshot, turns: Sequence[PastTurn]) -> Wish:
    """The facts that wait, and what was recalled as far as the window does not show it already."""
    if not materials.recall and not frozen.waiting:
        return NO_WISH
    counter = materials.counter
    hits: list[Line] = []
    dropped: list[tuple[Line, str]] = []
    if materials.recall:
        facts = {*frozen.anchor.facts[: frozen.anchor.facts_shown], *(line.id for line in frozen.waiting)}
        shown = {message.id for turn in turns for message in turn.messages}
        for line in materials.recall:
            if line.id in facts:
                dropped.append((line, "already in the profile"))
            elif line.message_id and line.message_id == materials.input.id:
                dropped.append((line, "already in the input"))
            elif line.message_id and line.message_id in shown:
                dropped.append((line, "already in the history"))
            else:
                hits.append(line)
    wrapping = counter.text(RECALL_OPEN) + counter.text(RECALL_CLOSE)
    return Wish((*frozen.waiting, *hits), wrapping, tuple(dropped))


def _wants(frozen: Snapshot, recall: Wish, turns: Sequence[PastTurn]) -> dict[SectionName, int]:
    return {
        "profile": frozen.profile.wanted,
        "recall": recall.wanted,
        "summary": frozen.summary_tokens,
        "shots": sum([shot.tokens for shot in frozen.shots]),
        "history": tokens_of(turns),
    }
