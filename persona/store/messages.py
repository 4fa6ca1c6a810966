"""Messages: written once, and read by id for background work, as facts are."""

from dataclasses import dataclass

from sqlalchemy import select

from persona.store.codec import decode_parts, encode_parts, encode_tokens
from persona.store.statements import insert_into, param, table
from persona.store.tables import FactRow, MessageRow
from persona.store.transaction import Statement, Transaction
from persona.values.memory import MemoryKind
from persona.values.message import Message, text_of

_m, _f = table(MessageRow).c, table(FactRow).c
_MESSAGE = Statement(
    select(_m.parts, _m.created_us, _m.conversation_key, _m.depth).where(
        _m.owner_key == param("owner"), _m.id == param("id")
    )
)
_INSERT = insert_into(MessageRow)
_FACT = Statement(
    select(_f.id, _f.text, _f.kind, _f.message_id, _f.valid_from_us).where(
        _f.owner_key == param("owner"), _f.id == param("id"), _f.valid_to_us == 0
    )
)


@dataclass(frozen=True, slots=True)
class ToRemember:
    """A text that is to become a memory. Its id is that of the message or fact, so it becomes one only once."""

    id: str
    kind: MemoryKind
    text: str
    at_us: int
    message_id: str = ""
    fact_kind: str = ""
    conversation_key: int = 0
    depth: int = 0


def insert(tx: Transaction, owner_key: int, conversation_key: int, message: Message, tokens: dict[str, int]) -> None:
    """Writes one message with the counts that were made of it."""
    tx.put(
        _INSERT,
        {
            "id": message.id,
            "owner_key": owner_key,
            "conversation_key": conversation_key,
            "turn_id": message.turn_id,
            "parent_id": message.parent_id,
            "depth": message.depth,
            "role": message.role,
            "parts": encode_parts(message.parts),
            "tokens": encode_tokens(tokens),
            "created_us": message.created_us,
        },
    )


def ahead(tx: Transaction, owner_key: int, id: str) -> None:
    """Says that `to_remember` will be asked."""
    tx.ahead(_MESSAGE, {"owner": owner_key, "id": id})


def to_remember(tx: Transaction, owner_key: int, id: str) -> ToRemember | None:
    """The message or the fact that still holds, or None."""
    if row := tx.one(_MESSAGE, {"owner": owner_key, "id": id}):
        parts, at_us, conversation_key, depth = row
        return ToRemember(
            id, "turn", text_of(decode_parts(parts)), int(at_us), id, "", int(conversation_key), int(depth)
        )
    if row := tx.one(_FACT, {"owner": owner_key, "id": id}):
        _, text, kind, message_id, since = row
        return ToRemember(id, "fact", text, int(since), message_id, kind)
    return None
