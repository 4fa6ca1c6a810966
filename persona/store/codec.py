"""How parts and plans are written in JSON columns. Plans are positional lists: a third of the size and time."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in the module, and not in its types
from typing import Any

from persona.values.message import Image, Part, Text, ToolCall, ToolResult
from persona.values.plan import NO_PLAN, SECTIONS, Candidate, HistoryRange, Plan, SectionName, SectionPlan

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_NOTHING_OF = tuple(f'["{name}",0,0,[],' for name in ("profile", "summary", "recall"))
_ONE_TEXT = '[{"text":"'
_LONE = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")


def storable(text: str) -> str:
    """Text of a model or a tool with what no database takes (NUL, lone surrogates) replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def encode_parts(parts: Sequence[Part]) -> str:
    """The parts as a JSON list with one key that names the kind of each."""
    raw = _encode([_part(part) for part in parts])
    return raw if raw.isascii() else _escaped(raw)


def decode_parts(raw: str) -> tuple[Part, ...]:
    """The parts that `encode_parts` wrote."""
    if raw.startswith(_ONE_TEXT):  # as nearly all are: a third of the time
        text, end = scanstring(raw, len(_ONE_TEXT))
        if end + 2 == len(raw):
            return (Text(text),)
    return tuple(_unpart(part) for part in json.loads(raw))


def encode_tokens(tokens: dict[str, int]) -> str:
    """Counts by the counter's name."""
    return _encode(tokens)


def decode_tokens(raw: str) -> dict[str, int]:
    """The counts that `encode_tokens` wrote."""
    counts: dict[str, int] = json.loads(raw) if raw else {}
    return counts


@lru_cache(maxsize=1 << 14)  # a few hundred counts come again and again
def count_in(raw: str, counter: str) -> int:
    """The count of one counter among those that `encode_tokens` wrote, 0 where it has none there."""
    return decode_tokens(raw).get(counter, 0)


def encode_tags(tags: Sequence[str]) -> str:
    """What a conversation is tagged with; nothing is an empty text."""
    return _encode(list(tags)) if tags else ""


def decode_tags(raw: str) -> tuple[str, ...]:
    """The tags that `encode_tags` wrote."""
    return tuple(json.loads(raw)) if raw else ()


@dataclass(frozen=True, slots=True)
class PlanText:
    """A plan as its exchange keeps it: the lists of `encode_plan`, and what is summed up beside them."""

    text: str
    total: int
    prefix_tokens: int


def written(plan: Plan) -> PlanText:
    """The plan as its exchange keeps it."""
    return PlanText(encode_plan(plan), plan.total, plan.prefix_tokens)


def encode_plan(plan: Plan) -> str:
    """The plan as positional lists, in the order of its fields."""
    history = plan.history
    return _encode(
        [
            *(
                plan.target,
                plan.counter,
                plan.label,
                plan.total,
                plan.limit,
                plan.reserve,
                plan.framing,
                plan.tools,
            ),
            [[s.name, s.tokens, s.grant, [_candidate(c) for c in s.candidates], s.digest] for s in plan.sections],
            [
                *(history.first_depth, history.last_depth, history.last_id),
                *(history.turns, history.tokens, history.left_out),
            ],
            *(plan.jumped, plan.prefix_tokens, plan.scale, plan.notes, plan.tools_digest, plan.answer),
        ]
    )


def decode_plan(raw: str) -> Plan:
    """The plan that `encode_plan` wrote."""
    return _plan(json.loads(raw))


def decode_plans(raws: Iterable[str]) -> list[Plan]:
    """Many of them at once, to render from: the sections of one that names nothing are those of `NO_PLAN`."""
    return list(map(_plan, json.loads(f"[{','.join([_NAMELESS.sub('null', raw, 1) for raw in raws])}]")))


def _plan(told: list[Any]) -> Plan:
    *most, sections, history, jumped, prefix, scale, notes, tools_digest, answer = told
    target, counter, label, total, limit, reserve, framing, tools = most
    return Plan(
        *(target, counter, label, total, limit, reserve, framing, tools),
        NO_PLAN.sections if sections is None else tuple(map(_section, sections)),
        HistoryRange(*history),
        jumped,
        prefix,
        scale,
        tuple(notes),
        tools_digest,
        answer,
    )


def _section(told: list[Any]) -> SectionPlan:
    name, tokens, grant, candidates, digest = told
    return SectionPlan(name, tokens, grant, tuple([Candidate(*c) for c in candidates]), digest)


def _nameless(name: SectionName) -> str:
    """The JSON of a section that has no candidate, or as the pinned ones only itself."""
    pinned = rf'(?:\["{name}",\d+,true,"pinned",null,""\])?' if name in ("instructions", "input") else ""
    return rf'\["{name}",\d+,\d+,\[{pinned}\],"\w*"\]'


_NAMELESS = re.compile(rf"\[{','.join(map(_nameless, SECTIONS))}\]")


def names_nothing(raw: str) -> bool:
    """Whether a plan shows nothing that was remembered, and declares nothing; told without decoding it.

    False says nothing: the plan is to be decoded.
    """
    return raw.endswith(',"",0]') and all(section in raw for section in _NOTHING_OF)


def _escaped(raw: str) -> str:
    """The same JSON with halves of surrogate pairs, which a tool or a model may send, as escapes."""
    return _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", raw)


def _candidate(c: Candidate) -> list[Any]:
    return [c.id, c.tokens, c.included, c.rule, c.score if c.score is None else round(float(c.score), 4), c.title]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, ToolCall):
        return {"call": [part.id, part.name, part.arguments, *([part.signature] if part.signature else [])]}
    if isinstance(part, ToolResult):
        return {"result": [part.call_id, part.name, part.text, part.failed, part.cut_from]}
    return {"image": [part.url, part.detail, part.width, part.height]}


def _unpart(raw: dict[str, Any]) -> Part:
    ((kind, value),) = raw.items()
    if kind == "text":
        return Text(value)
    if kind == "call":
        return ToolCall(*value)
    return ToolResult(*value) if kind == "result" else Image(*value)
