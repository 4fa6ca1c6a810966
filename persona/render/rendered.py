"""A request as an arm would be sent it, in its sections: what is kept of them is for whoever asked to choose."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from persona.values.message import Message
from persona.values.plan import NO_PLAN, Plan, SectionName, SectionPlan
from persona.values.record import record
from persona.values.request import AnswerSchema, Tool
from persona.window.blocks import with_blocks
from persona.window.counting import Counter
from persona.window.materials import Materials, PastTurn

_INSTRUCTIONS: tuple[SectionName, ...] = ("instructions",)
_SHOTS: tuple[SectionName, ...] = ("shots",)
_PROFILE: tuple[SectionName, ...] = ("profile",)
_SUMMARY: tuple[SectionName, ...] = ("summary",)
_HISTORY: tuple[SectionName, ...] = ("history",)
_INPUT: tuple[SectionName, ...] = ("input",)
_BEFORE_HISTORY = {"instructions", "shots", "profile"}


@record(frozen=True, slots=True)
class Rendered:
    """One exchange as an arm would be asked it. `sections` names for each message the section that it is of; the user's
    message and the tool rounds after it are the input.

    `recall` and `context` are the blocks that stand before the user's own words in `asked`, as they were written.
    `tokens` are those of the whole request, `stable` as in a Fitted. `notes` say what is not as it was: without one, a
    rendering through the arm that was asked is exact. One that was not counted has no tokens, no plan and no notes.
    """

    messages: tuple[Message, ...]
    sections: tuple[SectionName, ...]
    asked: Message
    recall: str
    context: str
    tools: tuple[Tool, ...]
    answer: AnswerSchema | None
    tokens: int
    plan: Plan
    stable: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def without(self, left_out: Collection[SectionName]) -> tuple[Message, ...]:
        """The messages without those sections; what was recalled is taken out of the user's message."""
        bare = with_blocks(self.asked, self.context) if "recall" in left_out and self.recall else None
        if bare is None and frozenset(left_out).isdisjoint(self.sections):
            return self.messages
        first_of_input = self.sections.index("input")
        return tuple(
            bare if bare and at == first_of_input else message
            for at, (message, section) in enumerate(zip(self.messages, self.sections, strict=True))
            if section not in left_out
        )


def as_sent(
    materials: Materials,
    messages: tuple[Message, ...],
    before_history: Sequence[SectionPlan],
    plan: Plan = NO_PLAN,
    stable: tuple[int, ...] = (),
    notes: tuple[str, ...] = (),
) -> Rendered:
    """The messages that were made of the materials, with the section of each; `before_history` are the plans of shots,
    profile and summary.
    """
    asking = 1 + len(materials.running)
    standing = _standing(len(materials.instructions.messages), *before_history)
    past = len(messages) - len(standing) - asking
    asked = messages[-asking]
    blocks = len(asked.text) - len(materials.input.text)
    return Rendered(
        messages=messages,
        sections=standing + _HISTORY * past + _INPUT * asking,
        asked=materials.input,
        recall=asked.text[: blocks - len(materials.context)],
        context=materials.context,
        tools=materials.tools,
        answer=materials.answer,
        tokens=plan.total,
        plan=plan,
        stable=stable,
        notes=notes,
    )


def plain(
    instructions: Sequence[Message],
    history: Sequence[Message],
    sent: Message,
    running: Sequence[Message],
    asked: Message,
    context: str,
) -> Rendered:
    """A request of nothing else, which is not counted; `sent` is what was `asked` behind the context."""
    return Rendered(
        (*instructions, *history, sent, *running),
        _INSTRUCTIONS * len(instructions) + _HISTORY * len(history) + _INPUT * (1 + len(running)),
        asked,
        "",
        context,
        (),
        None,
        0,
        NO_PLAN,
    )


def with_history(rendered: Rendered, turns: Sequence[PastTurn], counter: Counter) -> Rendered:
    """The same with these turns as its history, and no summary; the plan stays that of the window."""
    history = [message for turn in turns for message in turn.messages]
    at = rendered.sections.index("input")
    before = [number for number in range(at) if rendered.sections[number] in _BEFORE_HISTORY]
    messages = (*(rendered.messages[number] for number in before), *history, *rendered.messages[at:])
    sections = (*(rendered.sections[number] for number in before), *_HISTORY * len(history), *rendered.sections[at:])
    counted = rendered.plan is not NO_PLAN
    tokens = counter.request(messages, rendered.tools, rendered.answer) if counted else 0
    return replace(rendered, messages=messages, sections=sections, tokens=tokens, stable=())


def _standing(
    instructions: int, shots: SectionPlan, profile: SectionPlan, summary: SectionPlan
) -> tuple[SectionName, ...]:
    """The sections of the messages before the history."""
    shown = 2 * sum([one.included for one in shots.candidates])
    return (
        _INSTRUCTIONS * instructions
        + _SHOTS * shown
        + _PROFILE * bool(profile.tokens)
        + _SUMMARY * bool(summary.tokens)
    )
