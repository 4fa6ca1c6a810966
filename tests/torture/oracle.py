"""Says what a database holds against what was acknowledged: read row by row, past persona's own code."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from torture.model import reply_to

from persona.store.engine import Database
from persona.store.transaction import Statement, Transaction

Fact = dict[str, Any]
Row = tuple[Any, ...]


def _query(columns: str, table: str) -> Statement:
    return Statement(text(f"SELECT {columns} FROM persona_{table}"))


_CONVERSATIONS = _query("key, id, head_id, depth, messages", "conversations")
_MESSAGES = _query("id, parent_id, turn_id, depth, role, parts, conversation_key", "messages")
_TURNS = _query("id, message_id, state, reply_id", "turns")
_EXCHANGES = _query("id, reply_id, outcome", "exchanges")
_TASKS = _query("subject, state, kind", "tasks")
_MEMORIES = _query("id, deleted", "memories")
_FACTS = _query("id, text, valid_to_us", "facts")


@dataclass(frozen=True, slots=True)
class Told:
    """One message as stored. `text` is None when it is not words alone."""

    id: str
    parent_id: str
    turn_id: str
    depth: int
    role: str
    text: str | None
    conversation: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that a turn may leave behind."""

    conversations: list[Row]
    messages: dict[str, Told]
    turns: list[Row]
    exchanges: list[Row]
    tasks: list[Row]
    memories: list[Row]
    facts: list[Row]

    def path(self, conversation_id: str) -> list[Told]:
        """The conversation from its root to its head, by its parents alone."""
        found: list[Told] = []
        at = next((head for _, id, head, *_ in self.conversations if id == conversation_id), "")
        while at:
            found.append(self.messages[at])
            at = found[-1].parent_id
        return found[::-1]


def read(database: Database) -> Rows:
    """All rows, of one moment."""

    def rows(tx: Transaction) -> Rows:
        told = [Told(*row[:5], _words(row[5]), row[6]) for row in tx.all(_MESSAGES, {})]
        by_id = {one.id: one for one in told}
        rest = (tx.all(one, {}) for one in (_TURNS, _EXCHANGES, _TASKS, _MEMORIES, _FACTS))
        return Rows(tx.all(_CONVERSATIONS, {}), by_id, *rest)

    return database.run_now(rows, False)


def _words(raw: str) -> str | None:
    parts = json.loads(raw)
    return parts[0]["text"] if len(parts) == 1 and "text" in parts[0] else None


def broken(rows: Rows, facts: Sequence[Fact]) -> list[str]:
    """Every promise that the rows break, in words; `facts` is what one process acknowledged, in order."""
    return [*_lost(rows, facts), *_out_of_order(rows, facts), *_half(rows), *_tasks_lost(rows), *_crooked(rows)]


def _lost(rows: Rows, facts: Sequence[Fact]) -> Iterator[str]:
    holding = {(id, said) for id, said, until in rows.facts if not until}
    for fact in facts:
        if said := fact.get("durable") or fact.get("replied"):
            path = rows.path(fact["conversation"])
            times = sum(one.role == "user" and one.text == said for one in path)
            if times != 1:
                yield f"{said!r} was acknowledged and is there {times} times"
        if "replied" in fact:
            found = rows.messages.get(fact["id"])
            if found is None or found.text != fact["text"] or found not in path:
                yield f"the reply to {said!r} was acknowledged and is not there"
        if "remembered" in fact and (fact["remembered"], fact["text"]) not in holding:
            yield f"the fact {fact['text']!r} was acknowledged and is not there"


def _out_of_order(rows: Rows, facts: Sequence[Fact]) -> Iterator[str]:
    """The texts of each conversation come in the order in which their calls began."""
    for conversation in {fact["conversation"] for fact in facts if "durable" in fact}:
        began = [one["durable"] for one in facts if "durable" in one and one["conversation"] == conversation]
        wanted = list(dict.fromkeys(began))
        there = [one.text for one in rows.path(conversation) if one.role == "user" and one.text in set(wanted)]
        if there != [said for said in wanted if said in there]:
            yield f"conversation {conversation!r} has another order than its acknowledgements"


def _half(rows: Rows) -> Iterator[str]:
    """A turn is answered exactly when its whole reply is there."""
    replies = {reply for _, _, _, reply in rows.turns if reply}
    for id, message_id, state, reply_id in rows.turns:
        asked, reply = rows.messages.get(message_id), rows.messages.get(reply_id)
        if asked is None or asked.text is None:
            yield f"turn {id} has no message"
        elif state != "answered":
            if reply_id:
                yield f"turn {id} is {state} and has a reply"
        elif reply is None or reply.text != reply_to(asked.text) or reply.turn_id != id:
            yield f"turn {id} claims to be answered, and its reply is {reply and reply.text!r}"
    for message in rows.messages.values():
        if message.role == "assistant" and message.text is not None and message.id not in replies:
            yield f"message {message.id} is a reply that no turn has"
    for id, reply_id, outcome in rows.exchanges:
        if outcome == "answered" and reply_id not in rows.messages:
            yield f"exchange {id} claims a reply that is not there"


def _tasks_lost(rows: Rows) -> Iterator[str]:
    """What was said and what was told is a memory, or will be one."""
    known = {id for id, *_ in rows.memories}
    known |= {subject for subject, state, kind in rows.tasks if kind == "index" and state != "dead"}
    for message in rows.messages.values():
        if message.role == "user" and message.id not in known:
            yield f"{message.text!r} is no memory, and no task makes it one"
    for id, said, _ in rows.facts:
        if id not in known:
            yield f"the fact {said!r} is no memory, and no task makes it one"


def _crooked(rows: Rows) -> Iterator[str]:
    """The tree of messages is whole, and every head counts right."""
    turns = Counter(id for id, *_ in rows.turns)
    sizes = Counter(one.conversation for one in rows.messages.values())
    for message in rows.messages.values():
        parent = rows.messages.get(message.parent_id)
        if message.depth != (parent.depth + 1 if parent else 0) or bool(parent) != bool(message.parent_id):
            yield f"message {message.id} hangs in the air"
        if turns[message.turn_id] != 1:
            yield f"message {message.id} belongs to no turn"
    for key, id, head_id, depth, messages in rows.conversations:
        if messages != sizes[key] or depth != (rows.messages[head_id].depth + 1 if head_id else 0):
            yield f"conversation {id!r} miscounts its messages"
