"""What an example shows before its reply: the window of the arm that will serve, or the conversation as it was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from persona.harvest.turns import LoggedTurn, Tree
from persona.render.past import Past
from persona.values.log import LoggedConversation, LoggedMemory
from persona.values.message import Message, Text, ToolResult, say
from persona.values.plan import NO_PLAN, Plan, SectionName
from persona.values.record import record
from persona.values.request import AnswerSchema, Tool

System = Literal["keep", "short", "drop"]
Memory = Literal["keep", "strip"]
Declared = tuple[tuple[Tool, ...], AnswerSchema | None]
_REMEMBERED: frozenset[SectionName] = frozenset({"profile", "summary", "recall"})


@record(frozen=True, slots=True)
class Prompt:
    """The messages up to the reply, with the tool rounds of its turn last; `rounds` is how many messages these are.

    `hidden` are the remembered texts that the model was shown and the messages do not show; `sources` are those of this
    user alone that they do: what was remembered, and the results of tools.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    rounds: int = 0
    hidden: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class Words:
    """The plans of exchanges by their ids, and what they name: memories by their ids, and what was declared beside
    the messages, tools and the schema of an answer, by its digest.

    `withheld` are facts and memories of what was said without consent: their texts by their ids."""

    plans: Mapping[str, Plan]
    memories: Mapping[str, LoggedMemory]
    declared: Mapping[str, Declared]
    withheld: Mapping[str, str]


@record(frozen=True, slots=True)
class Scene:
    """A conversation as its examples are made of it."""

    conversation: LoggedConversation
    tree: Tree
    words: Words

    def plan(self, turn: LoggedTurn) -> Plan:
        """The plan of a turn's reply."""
        return self.words.plans[turn.exchange.id]

    def declared(self, turn: LoggedTurn) -> Declared:
        """The tools that were offered, and the schema that the reply was held to."""
        return self.words.declared.get(self.plan(turn).tools_digest, ((), None))

    def remembered(self, turn: LoggedTurn) -> list[str]:
        """The texts of facts and memories that the model was shown for a turn."""
        plan, memories = self.plan(turn), self.words.memories
        shown = {one.id for name in _REMEMBERED for one in plan.section(name).candidates if one.included}
        facts = [fact.text for fact in self.conversation.facts if fact.id in shown] if shown else []
        return [*facts, *(memories[id].text for id in sorted(shown & memories.keys()))]


class Prompter(Protocol):
    """Makes the prompts of examples."""

    def prompt(self, scene: Scene, turn: LoggedTurn, whole: bool) -> Prompt:
        """What comes before the reply; with `whole` after the whole conversation before it."""
        ...


@dataclass(frozen=True, slots=True)
class Rendering:
    """Through the window of an arm. `system` are the prompts that replace its own, None for none."""

    past: Past
    memory: Memory
    system: tuple[Message, ...] | None
    left_out: frozenset[SectionName] = field(init=False)
    """What no example shows: shots, and what the settings strip or replace."""

    def __post_init__(self) -> None:
        replaced = () if self.system is None else ("instructions",)
        stripped = _REMEMBERED if self.memory == "strip" else ()
        object.__setattr__(self, "left_out", frozenset(("shots", *replaced, *stripped)))

    def prompt(self, scene: Scene, turn: LoggedTurn, whole: bool) -> Prompt:
        """Raises NotFound for what was erased, and WindowTooSmall."""
        rendered = self.past.render(
            *(scene.conversation, turn.exchange, scene.words.memories, *scene.declared(turn)),
            plan=scene.plan(turn),
            whole=whole,
            counted=False,
        )
        sections = rendered.sections
        remembered = [rendered.recall]
        if not _REMEMBERED.isdisjoint(sections):
            said = zip(rendered.messages, sections, strict=True)
            remembered += [message.text for message, section in said if section in _REMEMBERED]
        messages = (*(self.system or ()), *rendered.without(self.left_out))
        rounds = len(sections) - 1 - sections.index("input")
        hidden, shown = (remembered, []) if self.memory == "strip" else ([], remembered)
        sources = (*shown, *_told(messages, rounds))
        return Prompt(messages, rendered.tools, rounds, tuple(filter(None, hidden)), tuple(filter(None, sources)))


@dataclass(frozen=True, slots=True)
class Saying:
    """As it was said, without the window: no memory, no context, the whole conversation before."""

    system: tuple[Message, ...]

    def prompt(self, scene: Scene, turn: LoggedTurn, whole: bool) -> Prompt:
        """Never raises: the reply and its question are there."""
        assert turn.reply is not None, "only turns with a reply have a prompt"  # noqa: S101 - narrows the type
        path = scene.tree.up_to(turn.reply)[:-1]
        said = joined(answered(path[_first_question(path) :]))
        rounds = _first_question(said[::-1])
        plan = scene.plan(turn)
        if plan is NO_PLAN:
            return Prompt((*self.system, *said), (), rounds, (), tuple(_told(said, rounds)))
        hidden = tuple(scene.remembered(turn))
        return Prompt((*self.system, *said), scene.declared(turn)[0], rounds, hidden, tuple(_told(said, rounds)))


def _first_question(messages: Sequence[Message]) -> int:
    """The place of the first message of the user; after all where there is none."""
    for at, message in enumerate(messages):
        if message.role == "user":
            return at
    return len(messages)


def _told(messages: Sequence[Message], rounds: int) -> list[str]:
    """What tools gave back, in the last messages."""
    if not rounds:
        return []
    return [part.text for message in messages[-rounds:] for part in message.parts if isinstance(part, ToolResult)]


def answered(messages: Sequence[Message]) -> list[Message]:
    """Without tool calls that have no results, and results without their calls: no consumer takes them."""
    kept: list[Message] = []
    for at, message in enumerate(messages):
        if message.role == "tool":
            if kept and _calls(kept[-1]) and _calls(kept[-1]) == _results(message):
                kept.append(message)
        elif not message.tool_calls or (at + 1 < len(messages) and _calls(message) == _results(messages[at + 1])):
            kept.append(message)
    return kept


def joined(messages: Sequence[Message]) -> list[Message]:
    """Neighbouring messages of the user as one: an unanswered one is read together with the next."""
    kept: list[Message] = []
    for message in messages:
        if kept and message.role == kept[-1].role == "user":
            kept[-1] = replace(message, parts=(*kept[-1].parts, Text("\n\n"), *message.parts))
        else:
            kept.append(message)
    return kept


def system_of(system: System, instructions: Sequence[Message], short: str) -> tuple[Message, ...]:
    """The system prompts of an example."""
    return {"keep": tuple(instructions), "short": (say("system", short),), "drop": ()}[system]


def _calls(message: Message) -> set[str]:
    return {call.id for call in message.tool_calls}


def _results(message: Message) -> set[str]:
    return {part.call_id for part in message.parts if isinstance(part, ToolResult)}
