"""The forms of TRL (Hugging Face): conversational messages, prompt and completion, preferences, single ratings.

Source: TRL's page "Dataset formats and types" (huggingface.co/docs/trl/dataset_formats), read 2026-11-21. Tools are
JSON text, which every version of its loader keeps as it is; arguments are objects, as chat templates want them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from persona.adapter import Container
from persona.harvest.formats.shaped import NO_LIMITS, unknown_keys
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, every_reply, last_of
from persona.values.faults import RoleForm, problems, tool_problems
from persona.values.message import Message, say
from persona.values.roles import Json, read, tools_read, tools_written, wants, write

FORM = RoleForm(objects=True, named=True)


@dataclass(frozen=True, slots=True)
class Conversations:
    """`messages` whole, with loss on every reply."""

    name: str = "trl"
    shape: Shape = "chat"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ("json",)
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """`{"messages": […]}`, with `tools` where there are any."""
        wants(example, self.shape, self.name)
        return {"messages": write(example.messages, example.weights, FORM), **_tools(example)}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What TRL's trainers would stumble over."""
        found = problems(row.get("messages"), FORM) + tool_problems(row.get("tools"))
        return found + _unread(row, "system", "label", "chosen", "rejected")

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        messages, _ = read(row["messages"])
        return Example(id, messages, every_reply(messages), tools_read(row.get("tools")))


@dataclass(frozen=True, slots=True)
class Prompted:
    """A prompt and what follows it: `completion`, `chosen` and `rejected`, or `completion` and `label`."""

    name: str
    shape: Shape
    keys: tuple[str, ...]
    container: Container = "jsonl"
    also: tuple[Container, ...] = ("json",)
    loss: Loss = "last"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """`{"prompt": […], …}`, with `tools` where there are any."""
        wants(example, self.shape, self.name)
        *prompt, reply = write(example.messages, last_of(example.messages), FORM)
        row: Json = {"prompt": prompt, self.keys[0]: [reply]}
        if example.rejected is not None:
            unwanted = (*example.messages[:-1], example.rejected)
            row["rejected"] = write(unwanted, last_of(unwanted), FORM)[-1:]
        if example.label is not None:
            row["label"] = example.label
        return {**row, **_tools(example)}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What TRL's trainers would stumble over; texts instead of messages are read too."""
        row = _prompted(row)
        found = [problem for key in self.keys for problem in _reply_problems(row, key)]
        if self.shape == "unpaired" and not isinstance(row.get("label"), bool):
            found.append(Problem("label is not true or false", "say whether the completion was liked", where="label"))
        if self.shape == "preference" and not found and row["chosen"] == row["rejected"]:
            found.append(Problem("chosen and rejected are the same", "remove the row: it prefers nothing"))
        unread = _unread(row, "label", "chosen", "rejected") if self.shape == "chat" else []
        return found + tool_problems(row.get("tools")) + unread

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        row = _prompted(row)
        messages = _messages(row, self.keys[0])
        rejected = _messages(row, "rejected")[-1] if self.shape == "preference" else None
        label = row["label"] if self.shape == "unpaired" else None
        return Example(id, messages, last_of(messages), tools_read(row.get("tools")), rejected, label)


CHAT = Conversations()
PROMPT_COMPLETION = Prompted("trl-prompt-completion", "chat", ("completion",))
PREFERENCE = Prompted("trl-preference", "preference", ("chosen", "rejected"))
UNPAIRED = Prompted("trl-unpaired", "unpaired", ("completion",))


def _tools(example: Example) -> Json:
    if not example.tools:
        return {}
    return {"tools": json.dumps(tools_written(example.tools), ensure_ascii=False, separators=(",", ":"))}


def _unread(row: Mapping[str, Any], *keys: str) -> list[Problem]:
    """A warning for what another form of rows gives a meaning, which this one loses."""
    return unknown_keys({key: row[key] for key in keys if key in row}, set())


def _prompted(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A preference with its prompt: where none is written as messages, TRL takes those that both replies begin with."""
    chosen, rejected = row.get("chosen"), row.get("rejected")
    if not (isinstance(chosen, list) and isinstance(rejected, list)) or isinstance(row.get("prompt"), list):
        return row
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(chosen[:-1], rejected[:-1], strict=False))))
    return {**row, "prompt": chosen[:shared], "chosen": chosen[shared:], "rejected": rejected[shared:]}


def _reply_problems(row: Mapping[str, Any], key: str) -> list[Problem]:
    prompt, reply = row.get("prompt"), row.get(key)
    if isinstance(prompt, str) and isinstance(reply, str):
        blank = [name for name, text in (("prompt", prompt), (key, reply)) if not text.strip()]
        return [Problem(f"{name} is empty", "remove the row, or write the text", where=name) for name in blank]
    for name, value in (("prompt", prompt), (key, reply)):
        if not isinstance(value, list) or not value:
            return [Problem(f"{name} is missing or no list of messages", f"write {name} as messages", where=name)]
    return problems([*prompt, *reply], FORM, where=f"prompt + {key}")  # type: ignore[misc]


def _messages(row: Mapping[str, Any], key: str) -> tuple[Message, ...]:
    prompt, reply = row["prompt"], row[key]
    if isinstance(prompt, str):
        return say("user", prompt), say("assistant", reply)
    return read([*prompt, *reply])[0]
