"""Logged conversations as values, written by hand."""

from dataclasses import dataclass, field, replace
from typing import Any

from harvest.logged import plan

from persona.harvest.candidate import Candidate
from persona.harvest.checks.rules import Rules
from persona.harvest.examples import Making, examples_of
from persona.harvest.prompt import Saying, Scene, Words
from persona.harvest.recipe import Selection
from persona.harvest.turns import tree_of, turns_of
from persona.store.codec import decode_plan
from persona.values.log import LoggedConversation, LoggedExchange, LoggedFeedback
from persona.values.message import Message, Part, Text, ToolCall, ToolResult
from persona.values.owner import Owner, Traits

SECOND = 1_000_000


@dataclass(slots=True)
class Talk:
    """A conversation that grows as it is talked; every step takes a second."""

    consent: bool | None = True
    now: bool | None = True
    messages: list[Message] = field(default_factory=list)
    exchanges: list[LoggedExchange] = field(default_factory=list)
    feedback: list[LoggedFeedback] = field(default_factory=list)
    head: str = ""
    clock: int = SECOND

    def ask(self, text: str, after: str | None = None) -> str:
        """The user says something, after the head or another message."""
        return self._add("user", (Text(text),), f"trn_{len(self.messages)}", self.head if after is None else after)

    def answer(self, asked: str, text: str, *, turn: str = "", rounds: bool = False, **changes: Any) -> str:
        """The model answers; with `rounds` after a call of a tool and its result."""
        turn = turn or self._message(asked).turn_id
        parent = asked
        if rounds:
            call = self._add("assistant", (ToolCall("c1", "look", '{"word":"x"}'),), turn, asked)
            self._log(turn, call)
            parent = self._add("tool", (ToolResult("c1", "look", "it is 42"),), turn, call)
        reply = self._add("assistant", (Text(text),), turn, parent)
        self._log(turn, reply, **changes)
        return reply

    def fail(self, asked: str, **changes: Any) -> None:
        """A call that brings nothing."""
        self._log(self._message(asked).turn_id, "", **{"outcome": "failed", "stop": "", **changes})

    def say(self, question: str, reply: str, **changes: Any) -> str:
        """A question and its answer, at the head."""
        return self.answer(self.ask(question), reply, **changes)

    def feel(self, message: str, kind: str, rating: float | None = None, text: str = "") -> None:
        """Feedback on a reply."""
        self.clock += SECOND
        self.feedback.append(LoggedFeedback(f"fbk_{len(self.feedback)}", message, kind, rating, text, self.clock))

    def logged(self, **changes: Any) -> LoggedConversation:
        """The conversation as the log has it."""
        made = LoggedConversation(
            key=1,
            id="c-1",
            owner=Owner("acme", "ada"),
            owner_key=7,
            traits=Traits("Ada Lovelace", "fr-FR"),
            route="default",
            arm="base",
            tags=(),
            created_us=0,
            head_id=self.head,
            consent=self.now,
            messages=tuple(sorted(self.messages, key=lambda one: (one.depth, one.id))),
            counts=("",) * len(self.messages),
            exchanges=tuple(self.exchanges),
            feedback=tuple(self.feedback),
            facts=(),
            summaries=(),
        )
        return replace(made, **changes)

    def _add(self, role: Any, parts: tuple[Part, ...], turn: str, parent: str) -> str:
        self.clock += SECOND
        depth = self._message(parent).depth + 1 if parent else 0
        id = f"msg_{len(self.messages):03}"
        self.messages.append(Message(role, parts, id, parent, turn, depth, self.clock))
        self.head = id
        return id

    def _message(self, id: str) -> Message:
        return next(message for message in self.messages if message.id == id)

    def _log(self, turn: str, reply: str, **changes: Any) -> None:
        self.clock += SECOND
        made = LoggedExchange(
            *(f"exc_{len(self.exchanges)}", turn, 0, "turn", reply, "default", "base", "embedded", "extractive-1", ""),
            *("answered", "end", "", self.consent, 1, 1, None, None, None, "", "", self.clock, 1.0, plan(0, 0)),
        )
        self.exchanges.append(replace(made, **changes))


@dataclass(slots=True)
class Made:
    """What was made of a conversation, and what was refused: by exchange, the check's name."""

    examples: list[Candidate]
    refused: dict[str, str]

    def shown(self) -> list[list[str]]:
        """The words of each example."""
        return [[message.text for message in one.example.messages] for one in self.examples]


def made_of(talk: Talk | LoggedConversation, *shapes: Any, whole: bool = False, **rules: Any) -> Made:
    """The examples of a conversation, as it was said."""
    conversation = talk.logged() if isinstance(talk, Talk) else talk
    refused: dict[str, str] = {}
    tree = tree_of(conversation, conversation.messages)
    making = Making(Rules(Selection("default"), **rules), Saying(()), shapes or ("chat",), whole)
    plans = {one.id: decode_plan(one.plan) for one in conversation.exchanges}
    scene = Scene(conversation, tree, Words(plans, {}, {}, {}))
    turns = turns_of(conversation, tree)
    found = examples_of(scene, turns, making, lambda turn, check, why: refused.update({turn.exchange.id: check}))
    return Made(list(found), refused)
