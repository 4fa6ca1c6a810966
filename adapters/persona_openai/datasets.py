"""Training files of OpenAI, and of those who took over its chat form: Azure, Mistral, Together and Fireworks.

Sources, read 2026-11-21: OpenAI's guides "Supervised fine-tuning" and "Direct preference optimization", and its
cookbook "Data preparation and analysis for chat model fine-tuning" (its seven checks are the reasons with an
underscore); Mistral's page "Text and vision fine-tuning" (mistralai/platform-docs-public); Together's page "Data
preparation"; Fireworks' pages "Supervised fine-tuning" and "Direct Preference Optimization".
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from persona.adapter import Container
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, last_of
from persona.values.faults import RoleForm, problems, tool_problems
from persona.values.message import Message, Part, ToolCall, ToolResult
from persona.values.roles import Json, read, tools_read, tools_written, wants, write

_MB, _GB = 1024**2, 1024**3
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NINE = r"[0-9A-Za-z]{9}"
_CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}

OPENAI = RoleForm(weights=True, images=True)
STRICT = RoleForm(weights=True, strict=True)
MISTRAL = RoleForm(apart=True, strict=True, call_id=_NINE)


@dataclass(frozen=True, slots=True)
class Chat:
    """`messages`, with `tools` where there are any."""

    name: str
    form: RoleForm
    limits: DatasetLimits
    loss: Loss = "weights"
    shape: Shape = "chat"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ()

    def row(self, example: Example) -> Json:
        """`{"messages": […]}`; a message of the assistant's without loss has weight 0."""
        wants(example, self.shape, self.name)
        messages = _nine(example.messages) if self.form.call_id else example.messages
        row: Json = {"messages": write(messages, example.weights, self.form)}
        if example.tools:
            row["tools"] = tools_written(example.tools)
        return row

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What an upload would be refused for."""
        found = problems(row.get("messages"), self.form) + tool_problems(row.get("tools"))
        if not row.keys() <= _CHAT_KEYS:
            found.append(Problem("keys that the consumer does not read", "remove them", False))
        if not isinstance(row.get("parallel_tool_calls", True), bool):
            found.append(Problem("parallel_tool_calls is not true or false", "correct or remove it"))
        return found

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        messages, weights = read(row["messages"])
        return Example(id, messages, weights, tools_read(row.get("tools")))


@dataclass(frozen=True, slots=True)
class Preference:
    """`input`, and the reply that was preferred to another."""

    name: str
    form: RoleForm
    limits: DatasetLimits
    loss: Loss = "last"
    shape: Shape = "preference"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ()

    def row(self, example: Example) -> Json:
        """`{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}`."""
        wants(example, self.shape, self.name)
        assert example.rejected is not None, "a preference has the reply that was not wanted"  # noqa: S101 - narrows
        unwanted = (*example.messages[:-1], example.rejected)
        *asked, preferred = write(example.messages, last_of(example.messages), self._unweighed())
        other = write(unwanted, last_of(unwanted), self._unweighed())[-1]
        given: Json = {"messages": asked, "tools": tools_written(example.tools), "parallel_tool_calls": True}
        return {"input": given, "preferred_output": [preferred], "non_preferred_output": [other]}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What an upload would be refused for."""
        given = row.get("input")
        asked = given.get("messages") if isinstance(given, Mapping) else None
        if not isinstance(given, Mapping) or not isinstance(asked, list) or not asked:
            return [Problem("input has no messages", 'write "input": {"messages": […]}', where="input")]
        found = tool_problems(given.get("tools"))
        for key in ("preferred_output", "non_preferred_output"):
            reply = row.get(key)
            if not isinstance(reply, list) or len(reply) != 1:
                found.append(Problem(f"{key} is not one message", f'write "{key}": [{{…}}] with one', where=key))
            else:
                found += problems([*asked, *reply], self._unweighed(), where=f"input + {key}")
        if not found and row["preferred_output"] == row["non_preferred_output"]:
            found.append(Problem("both outputs are the same", "remove the row: it prefers nothing"))
        return found

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        given = row["input"]
        messages, _ = read([*given["messages"], *row["preferred_output"]])
        rejected = read([*given["messages"], *row["non_preferred_output"]])[0][-1]
        return Example(id, messages, last_of(messages), tools_read(given.get("tools")), rejected)

    def _unweighed(self) -> RoleForm:
        return replace(self.form, weights=False)


def _nine(messages: Sequence[Message]) -> list[Message]:
    """The messages with ids of calls in nine letters and digits, the same for the same id."""
    return [replace(one, parts=tuple(map(_part, one.parts))) if _has_ids(one) else one for one in messages]


def _has_ids(message: Message) -> bool:
    return any(isinstance(part, ToolCall | ToolResult) for part in message.parts)


def _part(part: Part) -> Part:
    if isinstance(part, ToolCall):
        return replace(part, id=_nine_letters(part.id))
    return replace(part, call_id=_nine_letters(part.call_id)) if isinstance(part, ToolResult) else part


def _nine_letters(id: str) -> str:
    if re.fullmatch(_NINE, id):
        return id
    number = int.from_bytes(hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()[:8])
    return "".join(_LETTERS[number // 62**place % 62] for place in range(9))


_CHECKED = "2026-11-21"
_LIMITS = DatasetLimits(
    *(10, None, 65_536, 512 * _MB),
    source="platform.openai.com/docs/guides/supervised-fine-tuning; no new jobs from 2027-01-06",
    checked=_CHECKED,
)
_AZURE = DatasetLimits(
    max_bytes=512 * _MB,
    source="learn.microsoft.com: Azure OpenAI quotas and limits; the least number depends on the model",
    checked=_CHECKED,
)
_MISTRAL = DatasetLimits(
    max_bytes=512 * _MB,
    max_validation_bytes=_MB,
    source="mistralai/platform-docs-public, deprecated/finetuning.md: no longer actively supported",
    checked=_CHECKED,
)
_TOGETHER = DatasetLimits(max_bytes=100 * _GB, source="docs.together.ai: data preparation", checked=_CHECKED)
_FIREWORKS = DatasetLimits(3, 3_000_000, source="docs.fireworks.ai: supervised fine-tuning", checked=_CHECKED)

FORMATS = (
    Chat("openai", OPENAI, _LIMITS),
    Preference("openai-dpo", OPENAI, _LIMITS),
    Chat("azure", OPENAI, _AZURE),
    Preference("azure-dpo", OPENAI, _AZURE),
    Chat("mistral", MISTRAL, _MISTRAL, loss="every"),
    Chat("together", STRICT, _TOGETHER),
    Preference("together-dpo", STRICT, _TOGETHER),
    Chat("fireworks", STRICT, _FIREWORKS),
    Preference("fireworks-dpo", STRICT, _FIREWORKS),
)
"""What the adapter brings."""
