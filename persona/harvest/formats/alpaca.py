"""Alpaca: one instruction and its output, as LitGPT reads it, or with LLaMA-Factory's system prompt and history.

Sources: LitGPT's tutorial "Prepare dataset"; LLaMA-Factory's data/README.md and data/converter.py (read 2026-11-21):
what a user said is `instruction`, a line end and `input`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona.adapter import Container
from persona.errors import InvalidInput
from persona.harvest.formats.shaped import NO_LIMITS, missing_text, one_question, unknown_keys, wants_no_tools
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, every_reply, last_of
from persona.values.message import Message, say
from persona.values.roles import Json, plain, wants

_KEYS = {"instruction", "input", "output"}
_MORE = {"system", "history"}


@dataclass(frozen=True, slots=True)
class Alpaca:
    """`instruction`, `input` and `output`: one question and its reply."""

    name: str = "alpaca"
    shape: Shape = "chat"
    container: Container = "json"
    also: tuple[Container, ...] = ("jsonl", "csv")
    loss: Loss = "last"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """`{"instruction": question, "input": "", "output": reply}`."""
        wants(example, self.shape, self.name)
        wants_no_tools(example, self.name)
        question, reply = one_question(plain(example.messages, self.name), self.name)
        return {"instruction": question, "input": "", "output": reply}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What LitGPT would stumble over."""
        found = _problems(row)
        if row.keys() & _MORE and any(row.get(key) for key in _MORE):
            hint = "the consumer leaves them out: write alpaca-history, or rows without them"
            found.append(Problem("system or history, which this consumer does not read", hint))
        return found + unknown_keys(dict(row), _KEYS | _MORE)

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        messages = (say("user", _asked(row)), say("assistant", row["output"]))
        return Example(id, messages, last_of(messages))


@dataclass(frozen=True, slots=True)
class AlpacaHistory:
    """Alpaca with `system` and `history`, the earlier questions and replies, as LLaMA-Factory reads them."""

    name: str = "alpaca-history"
    shape: Shape = "chat"
    container: Container = "json"
    also: tuple[Container, ...] = ("jsonl",)
    loss: Loss = "every"
    limits: DatasetLimits = NO_LIMITS

    def row(self, example: Example) -> Json:
        """The last question and its reply, the system prompt, and the pairs before."""
        wants(example, self.shape, self.name)
        wants_no_tools(example, self.name)
        messages = plain(example.messages, self.name)
        system = messages.pop(0).text if messages[0].role == "system" else ""
        if messages[0].role != "user":
            raise InvalidInput(f"{self.name} begins with a question", hint="drop the row")
        pairs = [[messages[i].text, messages[i + 1].text] for i in range(0, len(messages), 2)]
        (question, reply), history = pairs[-1], pairs[:-1]
        return {"instruction": question, "input": "", "output": reply, "system": system, "history": history}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What LLaMA-Factory would stumble over."""
        found = _problems(row)
        if not isinstance(row.get("system") or "", str):
            found.append(Problem("system is no text", "write the system prompt as text", where="system"))
        history = row.get("history") or []
        if not isinstance(history, list) or not all(map(_is_pair, history)):
            found.append(Problem("history is no list of pairs", "write [[question, reply], …]", where="history"))
        return found + unknown_keys(dict(row), _KEYS | _MORE)

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        system = [say("system", row["system"])] if row.get("system") else []
        before: list[Message] = []
        for question, reply in row.get("history") or ():
            before += [say("user", question), say("assistant", reply)]
        messages = (*system, *before, say("user", _asked(row)), say("assistant", row["output"]))
        return Example(id, messages, every_reply(messages))


def _is_pair(one: object) -> bool:
    return isinstance(one, list) and len(one) == 2 and all(isinstance(text, str) and text.strip() for text in one)


def _problems(row: Mapping[str, Any]) -> list[Problem]:
    found = missing_text(dict(row), ("instruction", "output"))
    if not isinstance(row.get("input") or "", str):
        found.append(Problem("input is no text", "write input as text, which may be empty", where="input"))
    elif "input" not in row:
        found.append(Problem("input is missing", 'add "input", which may be empty', where="input"))
    return found


def _asked(row: Mapping[str, Any]) -> str:
    return "\n".join(text for text in (row["instruction"], row.get("input")) if text)
