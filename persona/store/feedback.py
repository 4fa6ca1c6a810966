"""Feedback on one reply: a rating, a correction, a comment, a regeneration."""

from typing import Literal

from persona.errors import NotFound
from persona.store import conversations
from persona.store.ids import new_id
from persona.store.statements import insert_into
from persona.store.tables import FeedbackRow
from persona.store.transaction import Transaction

FeedbackKind = Literal["rating", "correction", "comment", "regeneration"]
_INSERT = insert_into(FeedbackRow)


def give(
    tx: Transaction,
    owner_key: int,
    conversation_key: int,
    message_id: str,
    kind: FeedbackKind,
    now_us: int,
    text: str = "",
    rating: float | None = None,
) -> str:
    """Keeps one piece of feedback and returns its id. Raises NotFound when its conversation was just deleted."""
    held = conversations.by_key(tx, conversation_key) if conversations.hold(tx, conversation_key) else None
    if held is None or held.owner_key != owner_key:  # erased, or merged into another user
        raise NotFound("the conversation is no longer stored")
    id = new_id("fbk")
    named = {"id": id, "owner_key": owner_key, "conversation_key": conversation_key, "message_id": message_id}
    tx.run(_INSERT, {**named, "kind": kind, "rating": rating, "text": text, "created_us": now_us})
    return id
