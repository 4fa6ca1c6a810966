"""The training file that Claude 3 Haiku took on Amazon Bedrock, till it ended on 2026-09-10.

Nothing newer of Anthropic's could be tuned on 2026-11-21. Source: "Fine-tuning Claude 3 Haiku on Bedrock" (Anthropic's
cookbook): `system` beside the messages, first user, last assistant, in turn, and no other key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona.adapter import Container
from persona.errors import InvalidInput
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, every_reply
from persona.values.faults import RoleForm, problems
from persona.values.message import say
from persona.values.roles import Json, plain, read, wants

_STRICT = RoleForm(strict=True)


@dataclass(frozen=True, slots=True)
class BedrockClaude:
    """`system` and `messages` of plain text."""

    name: str = "bedrock-claude"
    shape: Shape = "chat"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ()
    loss: Loss = "every"
    limits: DatasetLimits = DatasetLimits(  # noqa: RUF009 - it is frozen
        *(32, 10_000, 32_000),
        source="AWS: Claude 3 Haiku fine-tuning quotas; the model ended 2026-09-10",
        checked="2026-11-21",
    )

    def row(self, example: Example) -> Json:
        """`{"system": …, "messages": […]}`, without `system` where there is none."""
        wants(example, self.shape, self.name)
        if example.tools:
            raise InvalidInput(f"{self.name} has no place for tools", hint="write a form that has, such as trl")
        said = plain(example.messages, self.name)
        system = {"system": said.pop(0).text} if said[0].role == "system" else {}
        return {**system, "messages": [{"role": one.role, "content": one.text} for one in said]}

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What Bedrock would refuse."""
        found = problems(row.get("messages"), _STRICT)
        messages = row.get("messages")
        listed = messages if isinstance(messages, list) else []
        if any(one.get("role") == "system" for one in listed if isinstance(one, Mapping)):
            found.append(Problem("a system message among the messages", 'put its text beside them as "system"'))
        if any(one.keys() - {"role", "content"} for one in listed if isinstance(one, Mapping)):
            found.append(Problem("a message has more than role and content", "remove the other keys"))
        if row.keys() - {"system", "messages"}:
            found.append(Problem("a row has more than system and messages", "remove the other keys"))
        if not isinstance(row.get("system") or "", str):
            found.append(Problem("system is no text", "write the system prompt as text", where="system"))
        return found

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms."""
        messages, _ = read(row["messages"])
        if row.get("system"):
            messages = (say("system", row["system"]), *messages)
        return Example(id, messages, every_reply(messages))


FORMATS = (BedrockClaude(),)
"""What the adapter brings."""
