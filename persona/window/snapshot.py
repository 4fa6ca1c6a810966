"""The frozen part of a window: what shots, profile and summary show from one jump of the anchor to the next.

An anchor names everything that its snapshot holds, so the snapshot can be made again from the log. The `max` of a
section binds when it is frozen.
"""

from collections.abc import Sequence
from dataclasses import replace

from persona.values.plan import SectionName
from persona.values.record import record
from persona.window.blocks import PROFILE_CLOSE, PROFILE_OPEN, summary_block
from persona.window.budget import first_that_fit
from persona.window.counting import Counter
from persona.window.materials import Anchor, Block, Line, Materials, Summary
from persona.window.rules import WindowRules

_NO_ROOM = "no room when the profile was frozen"


@record(frozen=True, slots=True)
class Wish:
    """The lines a section would like to show, best first, the tokens that wrap them, and what it does not ask for."""

    lines: tuple[Line, ...] = ()
    wrapping: int = 0
    dropped: tuple[tuple[Line, str], ...] = ()

    @property
    def wanted(self) -> int:
        """Tokens for all of it."""
        return self.wrapping + sum([line.tokens for line in self.lines]) if self.lines else 0


NO_WISH = Wish()
"""Of a section that has nothing to show."""


@record(frozen=True, slots=True)
class Snapshot:
    """What an anchor shows, and the facts that are too new for it: they wait in recall.

    `fresh` are the sections that are being frozen now: they still ask for everything, and their `max` binds them.
    """

    anchor: Anchor
    fresh: frozenset[SectionName]
    shots: tuple[Block, ...]
    profile: Wish
    summary: Summary | None
    summary_tokens: int
    waiting: tuple[Line, ...]


def stand(materials: Materials, rules: WindowRules, anchor: Anchor) -> Snapshot:
    """The snapshot as it stands; the first window freezes it.

    When one of its facts no longer holds (forgotten, erased or superseded) the profile is rebuilt at once from
    everything that holds now.
    """
    fresh: set[SectionName] = set()
    if not anchor.frozen_us:
        fresh.add("shots")
        anchor = replace(anchor, shots=_shots_that_fit(materials.shots, rules), summary_id="")
    lost = anchor.facts and not {line.id for line in materials.facts}.issuperset(anchor.facts)
    if not anchor.frozen_us or lost:
        fresh.add("profile")
        anchor = _with_facts(materials, rules, anchor)
    summaries = (materials.frozen_summary, materials.summary) if anchor.summary_id else ()
    named = next((one for one in summaries if one and one.id == anchor.summary_id), None)
    return _snapshot(materials, anchor, frozenset(fresh), named)


def freeze(materials: Materials, rules: WindowRules, anchor: Anchor) -> Snapshot:
    """The snapshot of a jump: all facts that hold now, and the newest summary."""
    fresh: set[SectionName] = {"profile", "summary"}
    if not anchor.frozen_us:
        fresh.add("shots")
        anchor = replace(anchor, shots=_shots_that_fit(materials.shots, rules))
    summary = materials.summary
    fits = summary is not None and summary_tokens(summary, materials.counter) <= rules.most("summary")
    anchor = replace(anchor, summary_id=summary.id if summary and fits else "")
    return _snapshot(materials, _with_facts(materials, rules, anchor), frozenset(fresh), summary)


def _snapshot(materials: Materials, anchor: Anchor, fresh: frozenset[SectionName], summary: Summary | None) -> Snapshot:
    """What the anchor names. A shot or a summary that is gone since is left out."""
    shots = materials.shots
    return Snapshot(
        anchor=anchor,
        fresh=fresh,
        shots=tuple([shot for shot in shots if shot.id in anchor.shots]) if shots and "shots" not in fresh else shots,
        profile=_profile(materials, anchor, "profile" in fresh) if anchor.facts else NO_WISH,
        summary=summary,
        summary_tokens=summary_tokens(summary, materials.counter) if summary else 0,
        waiting=_without(materials.facts, anchor.facts),
    )


def _profile(materials: Materials, anchor: Anchor, fresh: bool) -> Wish:
    line_of = {line.id: line for line in materials.facts}
    lines = tuple([line_of[id] for id in anchor.facts])
    shown = len(lines) if fresh else anchor.facts_shown
    others = tuple([(line, _NO_ROOM) for line in lines[shown:]])
    return Wish(lines[:shown], _wrapping(materials.counter), others)


def summary_tokens(summary: Summary, counter: Counter) -> int:
    """The tokens of a summary's message."""
    return counter.framing.per_message + counter.text(summary_block(summary.text))


def anchor_of(
    facts: Sequence[Line], shots: Sequence[Block], rules: WindowRules, counter: Counter, frozen_us: int
) -> Anchor:
    """The anchor of a first window with these facts and shots: it names the shots that fit, and counts such facts."""
    return Anchor(
        frozen_us=frozen_us,
        facts=tuple(line.id for line in facts),
        shots=_shots_that_fit(shots, rules),
        facts_shown=_facts_that_fit(facts, rules, counter),
    )


def _with_facts(materials: Materials, rules: WindowRules, anchor: Anchor) -> Anchor:
    return replace(
        anchor,
        frozen_us=materials.now_us,
        facts=tuple(line.id for line in materials.facts),
        facts_shown=_facts_that_fit(materials.facts, rules, materials.counter),
    )


def _facts_that_fit(facts: Sequence[Line], rules: WindowRules, counter: Counter) -> int:
    return first_that_fit((line.tokens for line in facts), rules.most("profile") - _wrapping(counter))


def _shots_that_fit(shots: Sequence[Block], rules: WindowRules) -> tuple[str, ...]:
    number = first_that_fit((shot.tokens for shot in shots), rules.most("shots"))
    return tuple(shot.id for shot in shots[:number])


def _wrapping(counter: Counter) -> int:
    return counter.framing.per_message + counter.text(PROFILE_OPEN) + counter.text(PROFILE_CLOSE)


def _without(lines: Sequence[Line], ids: Sequence[str]) -> tuple[Line, ...]:
    if len(lines) == len(ids):  # all of `ids` are among the lines
        return ()
    known = set(ids)
    return tuple(line for line in lines if line.id not in known)
