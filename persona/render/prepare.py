"""From what was gathered to counted materials for one target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from persona.calling.providers import Providers
from persona.render.prompts import Prompts, shot_id
from persona.routing.routes import Arm, Shot
from persona.values.memory import Fact, Recalled
from persona.values.message import Message
from persona.values.owner import Traits
from persona.values.plan import Outline, Plan
from persona.values.request import AnswerSchema, Target, Tool
from persona.values.time import from_us
from persona.window.blocks import context_block
from persona.window.materials import (
    Anchor,
    Materials,
    PastTurn,
    Summary,
    line_of_fact,
    line_of_hit,
    recounted,
)
from persona.window.rules import WindowRules, rules_of

_MINUTE_US = 60_000_000
_STANDING = ("preference", "instruction")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one turn has to show, in the store's terms. `plan` outlines that of the conversation's last request."""

    anchor: Anchor
    turns: tuple[PastTurn, ...]
    plan: Outline | None
    facts: tuple[Fact, ...]
    summaries: tuple[Summary, ...]
    recalled: tuple[Recalled, ...]
    notes: tuple[str, ...] = ()


def rules_for(providers: Providers, arm: Arm, target: Target) -> WindowRules:
    """The budget of a target: the arm's, within what the model takes and what its provider was seen to count."""
    counter, card = providers.counter(target), providers.card(target)
    scale = providers.calibration(target).scale(counter.exact)
    return rules_of(arm.window, card.context_tokens if card else None, scale, arm.max_output_tokens)


def longest_reply(arm: Arm, plan: Plan) -> int:
    """The most tokens that an arm's reply may take in a window with this plan."""
    return min(arm.max_output_tokens or plan.reserve, plan.reserve)


def materials_for(
    providers: Providers,
    prompts: Prompts,
    arm: Arm,
    target: Target,
    gathered: Gathered,
    asked: Message,
    traits: Traits,
    tools: Sequence[Tool],
    answer: AnswerSchema | None,
    shots: tuple[Shot, ...],
    running: tuple[Message, ...],
    now_us: int,
) -> tuple[Materials, Anchor]:
    """Everything one window for this target is made of, and the anchor it starts from."""
    counter, usual = providers.counter(target), providers.counter(arm.targets[0])
    anchor = gathered.anchor
    if not anchor.frozen_us:
        anchor = replace(anchor, shots=tuple(map(shot_id, shots)))
    frozen = next((one for one in gathered.summaries if one.id == anchor.summary_id), None)
    materials = Materials(
        target=str(target),
        counter=counter,
        samples=providers.calibration(target).samples,
        instructions=prompts.instructions(arm, counter),
        tools=tuple(tools),
        tools_tokens=counter.tools(tools),
        shots=prompts.shots(shots, counter),
        facts=tuple(line_of_fact(fact, counter) for fact in sorted(gathered.facts, key=importance)),
        summary=gathered.summaries[0] if gathered.summaries else None,
        frozen_summary=frozen,
        turns=gathered.turns if counter.counts_as(usual) else recounted(gathered.turns, counter),
        recall=tuple(line_of_hit(hit, counter) for hit in gathered.recalled),
        input=asked,
        context=context_block(stated(arm.stated, traits, now_us)),
        running=running,
        now_us=now_us,
        expects_summary=bool(arm.summarise),
        notes=gathered.notes,
        answer=answer,
        answer_tokens=counter.answer(answer) if answer else 0,
    )
    return materials, anchor


def importance(fact: Fact) -> tuple[int, int]:
    """Standing preferences and instructions first, then slots, then the newest: the profile has room for so many."""
    rank = 0 if fact.kind in _STANDING else 1 if fact.slot else 2
    return rank, -fact.created_us


def stated(names: Sequence[str], traits: Traits, now_us: int) -> Mapping[str, str]:
    """What the input section says beside the user's words. Times are the user's own, or UTC."""
    if not names:
        return {}
    date, time = _clock(traits.time_zone, now_us // _MINUTE_US)
    said = {
        "date": date,
        "time": time,
        "time_zone": traits.time_zone or "UTC",
        "locale": traits.locale,
        "user": traits.display_name,
    }
    return {name: said[name] for name in names}


@lru_cache(maxsize=512)  # many users share a time zone, and many turns a minute
def _clock(time_zone: str, minute: int) -> tuple[str, str]:
    """The day and the time of a minute since the epoch, as a clock in that time zone shows them."""
    now = from_us(minute * _MINUTE_US).astimezone(_zone(time_zone))
    return now.date().isoformat(), f"{now.hour:02}:{now.minute:02}"


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
