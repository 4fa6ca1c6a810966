"""Fits materials into a budget: the messages to send, the plan that explains them, and the anchor to keep.

Pure. The order of the sections is fixed, the most stable first, so that provider prompt caches keep hitting.
"""

from dataclasses import replace
from itertools import accumulate, chain

from persona.values.message import Message, say
from persona.values.plan import HistoryRange, Outline, Plan, SectionPlan
from persona.values.record import record
from persona.window.anchor import tokens_of
from persona.window.blocks import (
    BARE_CONTEXT,
    PROFILE_CLOSE,
    PROFILE_OPEN,
    RECALL_CLOSE,
    RECALL_OPEN,
    with_blocks,
)
from persona.window.budget import refuse
from persona.window.counting import declared, label
from persona.window.layout import Layout, arrange
from persona.window.materials import Anchor, Materials, digest
from persona.window.prefix import unchanged
from persona.window.rules import WindowRules
from persona.window.select import choose_lines, choose_shots, choose_summary, pinned


@record(frozen=True, slots=True)
class Written:
    """A window without its arithmetic: what was chosen, the messages in order, those that end something stable, and the
    plans of what stands around the history: shots, profile, summary, recall.
    """

    layout: Layout
    messages: tuple[Message, ...]
    stable: tuple[int, ...]
    around: tuple[SectionPlan, SectionPlan, SectionPlan, SectionPlan]


@record(frozen=True, slots=True)
class Fitted:
    """What `fit` gives: the messages in order, the plan, and the anchor to store with the conversation.

    `stable` are the indexes of the messages that end what later requests repeat: the instructions, the shots, the
    frozen profile and summary, the history, and the last one within a tool loop.
    """

    messages: tuple[Message, ...]
    plan: Plan
    anchor: Anchor
    stable: tuple[int, ...] = ()


def fit(
    materials: Materials, rules: WindowRules, anchor: Anchor, previous: Outline | None = None, same_turn: bool = False
) -> Fitted:
    """The window for these materials. `previous` is the outline of the conversation's last request, for the prefix;
    `same_turn` says that it was an earlier tool round of this turn.

    Raises WindowTooSmall, with the arithmetic, when what is pinned does not fit: nothing is cut silently.
    """
    context = _context(materials)
    asked = with_blocks(materials.input, context)
    must = _pinned(materials, _tokens(materials, asked))
    written = _write_out(materials, context, asked, _arranged(materials, rules, anchor, must))
    plan = _plan(materials, rules, written, must)
    if previous is not None:
        history = [message for turn in written.layout.kept for message in turn.messages]
        if prefix := unchanged(plan, previous, history, same_turn):
            plan = replace(plan, prefix_tokens=prefix)
    return Fitted(written.messages, plan, written.layout.anchor, written.stable)


def write(materials: Materials, rules: WindowRules, anchor: Anchor) -> Written:
    """The window that `fit` gives, without its plan: the input is not counted where everything has room beside it."""
    context = _context(materials)
    asked = with_blocks(materials.input, context)
    most = sum(map(materials.counter.at_most, (asked, *materials.running)))
    room = rules.limit - sum(_pinned(materials, most).values())
    layout = arrange(materials, rules, anchor, room) if room > 0 else None
    if layout is None or layout.is_tight(room):
        layout = _arranged(materials, rules, anchor, _pinned(materials, _tokens(materials, asked)))
    return _write_out(materials, context, asked, layout)


def _context(materials: Materials) -> str:
    return materials.context or (BARE_CONTEXT if materials.recall or materials.facts else "")


def _tokens(materials: Materials, asked: Message) -> int:
    """Those of the input, with the tool rounds of its turn."""
    return materials.counter.message(asked) + materials.counter.messages(materials.running)


def _arranged(materials: Materials, rules: WindowRules, anchor: Anchor, must: dict[str, int]) -> Layout:
    room = rules.limit - sum(must.values())
    if room < 0:
        raise refuse(rules, must)
    return arrange(materials, rules, anchor, room)


def _pinned(materials: Materials, input_tokens: int) -> dict[str, int]:
    return {
        "instructions": materials.instructions.tokens,
        "tools": materials.tools_tokens,
        **({"answer": materials.answer_tokens} if materials.answer else {}),
        "input": input_tokens,
        "framing": materials.counter.framing.per_request,
    }


def _write_out(materials: Materials, context: str, asked: Message, layout: Layout) -> Written:
    """The messages in the order they are sent, which of them end something stable, and the plans of what is chosen.

    `asked` is the user's message behind the context, which what is recalled goes before.
    """
    granted, frozen = layout.granted, layout.frozen
    shots, shots_plan = choose_shots(frozen.shots, granted["shots"])
    profile, profile_plan = choose_lines("profile", frozen.profile, granted["profile"])
    summary, summary_plan = choose_summary(frozen.summary, frozen.summary_tokens, granted["summary"])
    recall, recall_plan = choose_lines("recall", layout.recall, granted["recall"], "fits")
    if recall:
        asked = with_blocks(materials.input, f"{RECALL_OPEN}{recall}{RECALL_CLOSE}{context}")
    about = (say("system", f"{PROFILE_OPEN}{profile}{PROFILE_CLOSE}"),) if profile else ()
    past = tuple([message for turn in layout.kept for message in turn.messages])
    standing = (materials.instructions.messages, shots, about + summary, past)
    messages = (*chain.from_iterable(standing), asked, *materials.running)
    ends = {end - 1 for end in accumulate(map(len, standing)) if end}
    if materials.running:
        ends.add(len(messages) - 1)
    return Written(layout, messages, tuple(sorted(ends)), (shots_plan, profile_plan, summary_plan, recall_plan))


def _plan(materials: Materials, rules: WindowRules, written: Written, must: dict[str, int]) -> Plan:
    layout = written.layout
    *before, recall = written.around
    sections = (
        pinned("instructions", materials.instructions.tokens, materials.instructions),
        *before,
        SectionPlan("history", tokens_of(layout.kept), layout.granted["history"]),
        recall,
        pinned("input", must["input"]),
    )
    return Plan(
        target=materials.target,
        counter=materials.counter.name,
        label=label(materials.counter, materials.samples),
        total=sum([section.tokens for section in sections]) + must["tools"] + materials.answer_tokens + must["framing"],
        limit=rules.limit,
        reserve=rules.reserve,
        framing=must["framing"],
        tools=must["tools"],
        sections=sections,
        history=_range(materials, layout),
        jumped=layout.jumped,
        scale=rules.scale,
        notes=_notes(materials, layout),
        tools_digest=_declared(materials),
        answer=materials.answer_tokens,
    )


def _declared(materials: Materials) -> str:
    """A digest of the schemas that go out beside the messages, empty where there are none."""
    return digest(declared(materials.tools, materials.answer)) if materials.tools or materials.answer else ""


def _range(materials: Materials, layout: Layout) -> HistoryRange:
    if not layout.kept:
        depth = materials.input.depth
        return HistoryRange(depth, depth, "", 0, 0, depth)
    first, last = layout.kept[0].messages[0], layout.kept[-1].messages[-1]
    return HistoryRange(first.depth, last.depth, last.id, len(layout.kept), tokens_of(layout.kept), first.depth)


def _notes(materials: Materials, layout: Layout) -> tuple[str, ...]:
    if not layout.jumped:
        return materials.notes
    start = layout.anchor.first_depth
    summary = layout.frozen.summary if layout.anchor.summary_id else None
    note = f"history overflowed: it now starts at message {start}"
    if summary and summary.upto_depth + 1 < start:
        return *materials.notes, note, f"the summary stops {start - summary.upto_depth - 1} messages before the history"
    if materials.expects_summary and materials.summary is None:
        return *materials.notes, note, "no summary was ready, so the older messages left without one"
    return *materials.notes, note
