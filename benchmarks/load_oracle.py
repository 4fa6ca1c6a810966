"""Says from the rows alone, past persona's own code, whether every acknowledged turn was kept, once and in order."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from benchmarks.load_client import Turn, name_of
from benchmarks.load_words import reply, said

Rows = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a query with the database's own driver."""

_MESSAGES = """SELECT c.id, c.head_id, m.id, m.parent_id, m.turn_id, m.role, m.parts
    FROM persona_messages m JOIN persona_conversations c ON c.key = m.conversation_key ORDER BY c.id, m.depth, m.id"""
_TURNS = "SELECT id, message_id, state, reply_id FROM persona_turns"


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    parent_id: str
    turn_id: str
    role: str
    text: str


@dataclass(slots=True)
class Verdict:
    """How many acknowledged messages and replies are lost, doubled or out of order; `strange` is what nobody said."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    strange: int = 0
    problems: list[str] = field(default_factory=list)

    def found(self, what: str, name: str) -> None:
        """Counts one problem under the field of this name, and keeps the first few in words."""
        setattr(self, name, getattr(self, name) + 1)
        if len(self.problems) < 10:
            self.problems.append(what)


def judge(turns: Sequence[Turn], rows: Rows) -> Verdict:
    """What became of the turns that the client knows of."""
    verdict = Verdict()
    by_conversation: dict[str, list[Turn]] = {}
    for turn in turns:
        by_conversation.setdefault(name_of(turn.conversation), []).append(turn)
    states = {id: (message, state, answer) for id, message, state, answer in rows(_TURNS)}
    for name, of_one in groupby(rows(_MESSAGES), key=lambda row: row[0]):
        stored = list(of_one)
        messages = [_Message(id, parent, turn, role, _text(parts)) for _, _, id, parent, turn, role, parts in stored]
        path = _path(messages, stored[0][1])
        _judge_one(verdict, by_conversation.pop(name, []), messages, path, states)
    for turn in (turn for left in by_conversation.values() for turn in left if turn.answered):
        verdict.found(f"the conversation of message {turn.number} is not there", "lost")
    return verdict


def _judge_one(
    verdict: Verdict,
    turns: Sequence[Turn],
    messages: Sequence[_Message],
    path: Sequence[_Message],
    states: dict[str, tuple[str, str, str]],
) -> None:
    """One conversation: what was acknowledged against all its messages, and against those from its root to its head."""
    there, on_path = Counter(one.text for one in messages), {one.text for one in path}
    by_text = {one.text: one for one in path}
    known = set()
    for turn in turns:
        question, answer = said(turn.number), reply(turn.number, turn.took_us)
        known |= {question, answer}
        for text in (question, answer) if turn.answered else ():
            if text not in on_path:
                verdict.found(f"{text[-40:]!r} was acknowledged and is not in its conversation", "lost")
            if there[text] > 1:
                verdict.found(f"{text[-40:]!r} is there {there[text]} times", "doubled")
        if turn.outcome == "ConversationBusy" and question in there:
            verdict.found(f"message {turn.number} was refused and is there", "strange")
        if turn.answered and question in on_path and answer in on_path:
            _judge_pair(verdict, by_text[question], by_text[answer], states)
    for one in messages:
        if one.text not in known:
            verdict.found(f"{one.text[-40:]!r} is there, and nobody knows of it", "strange")
    _judge_order(verdict, turns, path)


def _judge_pair(
    verdict: Verdict, question: _Message, answer: _Message, states: dict[str, tuple[str, str, str]]
) -> None:
    """A reply hangs on its message, and their turn says so."""
    whole = (question.id, "answered", answer.id)
    roles = (question.role, answer.role) == ("user", "assistant")
    if answer.parent_id != question.id or states.get(question.turn_id) != whole or not roles:
        verdict.found(f"the reply {answer.id} does not hang on its message", "out_of_order")


def _judge_order(verdict: Verdict, turns: Sequence[Turn], path: Sequence[_Message]) -> None:
    """A turn that had ended before another began comes before it."""
    by_text = {said(turn.number): turn for turn in turns if turn.answered}
    latest = 0.0  # when the youngest of those before began
    for one in path:
        if turn := by_text.get(one.text):
            if turn.ended < latest:
                verdict.found(f"message {turn.number} comes after one that was said after it", "out_of_order")
            latest = max(latest, turn.began)


def _path(messages: Sequence[_Message], head_id: str) -> list[_Message]:
    """The messages from the root to the head, by their parents alone."""
    by_id = {one.id: one for one in messages}
    found: list[_Message] = []
    while head := by_id.get(head_id):
        found.append(head)
        head_id = head.parent_id
    return found[::-1]


def _text(parts: str) -> str:
    return "".join(part.get("text", "") for part in json.loads(parts))
