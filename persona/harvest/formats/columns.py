"""Forms of a few columns: AutoTrain's, `input_text` and `output_text`, messages by `author`, and plain text.

Sources: AutoTrain's page "LLM finetuning" (huggingface.co/docs/autotrain); the tuning pages of text-bison and
chat-bison, which ended on 2025-04-09, and whose forms outlived them; read 2026-11-21.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona.adapter import Container
from persona.harvest.formats.shaped import NO_LIMITS, missing_text, one_question, wants_no_tools
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, every_reply, last_of
from persona.values.faults import RoleForm, problems
from persona.values.message import say
from persona.values.roles import Json, plain, read, wants, write


@dataclass(frozen=True, slots=True)
class AutoTrain:
    """`text`: the messages of a conversation, which AutoTrain's chat template renders."""

    name: str = "autotrain"
    shape: Shape = "chat"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ("csv",)
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """`{"text": [{"role": …, "content": …}]}`."""
        wants(example, self.shape, self.name)
        wants_no_tools(example, self.name)
        said = plain(example.messages, self.name)
        return {"text": write(said, every_reply(said), RoleForm(strict=True))}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What AutoTrain would stumble over; a text that is already rendered is read too."""
        text = _listed(row.get("text"))
        if text and not isinstance(text, str):
            return problems(text, RoleForm(), where="text")
        hint = "write the messages, and the chat template of the model that is trained renders them"
        rendered = Problem("the text is rendered already", hint, error=False, where="text")
        return missing_text(dict(row), ("text",)) or [rendered]

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms; a rendered text is one message."""
        text = _listed(row["text"])
        messages = (say("assistant", text),) if isinstance(text, str) else read(text)[0]
        return Example(id, messages, every_reply(messages))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Columns of words: a question, its reply, and the reply that was not wanted where a row teaches preference."""

    name: str
    keys: tuple[str, ...]
    container: Container
    shape: Shape = "chat"
    also: tuple[Container, ...] = ()
    loss: Loss = "last"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """The columns in their order."""
        wants(example, self.shape, self.name)
        wants_no_tools(example, self.name)
        texts = list(one_question(plain(example.messages, self.name), self.name))
        if example.rejected is not None:
            texts.append(plain((*example.messages[:-1], example.rejected), self.name)[-1].text)
        return dict(zip(self.keys, texts, strict=True))

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """Columns that are missing or empty."""
        return missing_text(dict(row), self.keys)

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        messages = (say("user", row[self.keys[0]]), say("assistant", row[self.keys[1]]))
        rejected = say("assistant", row[self.keys[2]]) if len(self.keys) > 2 else None
        return Example(id, messages, last_of(messages), rejected=rejected)


@dataclass(frozen=True, slots=True)
class Authors:
    """`messages` of `author` and `content`, with the system prompt as `context`; JSON text in a cell of a CSV file."""

    name: str
    container: Container
    shape: Shape = "chat"
    also: tuple[Container, ...] = ()
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """`{"context": …, "messages": [{"author": "user", "content": …}, …]}`."""
        wants(example, self.shape, self.name)
        wants_no_tools(example, self.name)
        said = plain(example.messages, self.name)
        context = said.pop(0).text if said[0].role == "system" else ""
        messages = [{"author": one.role, "content": one.text} for one in said]
        cell = json.dumps(messages, ensure_ascii=False) if self.container == "csv" else messages
        return {"context": context, "messages": cell}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """Authors out of turn, and what is no text."""
        found = _listed(row.get("messages"))
        if isinstance(found, list) and any(isinstance(one, Mapping) and "author" not in one for one in found):
            return [Problem("a message has no author", 'write {"author": "user", "content": …}', where="messages")]
        wrong = [] if isinstance(row.get("context") or "", str) else [Problem("context is no text", "write it as text")]
        return wrong + problems(_roled(found), RoleForm(strict=True))

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        messages, _ = read(_roled(_listed(row["messages"])))
        if row.get("context"):
            messages = (say("system", row["context"]), *messages)
        return Example(id, messages, every_reply(messages))


@dataclass(frozen=True, slots=True)
class PlainText:
    """Texts for continued pre-training: a paragraph each, or `text` of a JSON object."""

    name: str
    container: Container
    shape: Shape = "text"
    also: tuple[Container, ...] = ()
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """One message as it is; a conversation with a line for each message that says who speaks."""
        wants_no_tools(example, self.name)
        if len(example.messages) == 1 and example.messages[0].text.strip():
            text = example.messages[0].text
        else:
            text = "\n".join(f"{one.role.title()}: {one.text}" for one in plain(example.messages, self.name))
        if self.container == "text":
            text = "\n".join(line for line in text.splitlines() if line.strip())  # an empty line ends the paragraph
        return {"text": text}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """Texts that are missing or empty."""
        return missing_text(dict(row), ("text",))

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms: one message, all of it learnt."""
        messages = (say("assistant", row["text"]),)
        return Example(id, messages, last_of(messages))


AUTOTRAIN = AutoTrain()
AUTOTRAIN_PREFERENCE = Pairs(
    "autotrain-preference", ("prompt", "text", "rejected_text"), "csv", "preference", ("jsonl",)
)
_LEGACY = DatasetLimits(max_tokens=9_216, source="tuning page of text-bison: 8,192 in, 1,024 out", checked="2026-11-21")
INPUT_OUTPUT = Pairs("input-output", ("input_text", "output_text"), "jsonl", limits=_LEGACY)
INPUT_OUTPUT_CSV = Pairs("input-output-csv", ("input_text", "output_text"), "csv", limits=_LEGACY)
AUTHORS = Authors("author-content", "jsonl")
AUTHORS_CSV = Authors("author-content-csv", "csv")
TEXT = PlainText("text", "text")
TEXT_JSONL = PlainText("text-jsonl", "jsonl", also=("json", "csv"))


def _listed(value: Any) -> Any:
    """A list that a cell holds as JSON text, or the value as it is."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _roled(found: Any) -> Any:
    if not isinstance(found, list):
        return found
    aliases = {"bot": "assistant", "model": "assistant"}
    return [
        {"role": aliases.get(str(one["author"]), one["author"]), "content": one.get("content")}
        if isinstance(one, Mapping)
        else one
        for one in found
    ]
