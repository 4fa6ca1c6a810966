"""The turn that an idempotency key began."""

from dataclasses import dataclass

from sqlalchemy import select

from persona.store.statements import param, table
from persona.store.tables import MessageRow, TurnRow
from persona.store.transaction import Statement, Transaction

_t, _m = table(TurnRow).c, table(MessageRow).c
_BY_KEY = Statement(
    select(_t.id, _t.state, _t.message_id, _t.reply_id, _t.conversation_key, _m.turn_id, _m.parts)
    .join(table(MessageRow), _m.id == _t.message_id)
    .where(_t.owner_key == param("owner"), _t.idempotency_key == param("key"))
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A turn with its state and its message. `again` is that message's id when the turn asked for another reply."""

    turn_id: str
    state: str
    message_id: str
    reply_id: str
    conversation_key: int
    again: str
    parts: str


def begun_by(tx: Transaction, owner_key: int, key: str) -> Earlier | None:
    """The turn that this key of the owner's began, or None when the key is new."""
    row = tx.one(_BY_KEY, {"owner": owner_key, "key": key})
    if row is None:
        return None
    turn_id, state, message_id, reply_id, conversation_key, first_turn_id, parts = row
    # a turn that asks for another reply is known by its message, which an earlier turn brought
    again = message_id if first_turn_id != turn_id else ""
    return Earlier(turn_id, state, message_id, reply_id, conversation_key, again, parts)
