"""Messages and facts by id, for background work."""

from dataclasses import dataclass

from sqlalchemy import select

from persona.store.codec import decode_parts
from persona.store.engine import Statement, Transaction
from persona.store.statements import param, table
from persona.store.tables import FactRow, MessageRow
from persona.values.memory import MemoryKind
from persona.values.message import text_of

_m, _f = table(MessageRow).c, table(FactRow).c
_MESSAGE = Statement(select(_m.id, _m.parts, _m.created_us).where(_m.owner_key == param("owner"), _m.id == param("id")))
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


def to_remember(tx: Transaction, owner_key: int, id: str) -> ToRemember | None:
    """The message or the fact that still holds, or None."""
    if row := tx.one(_MESSAGE, {"owner": owner_key, "id": id}):
        return ToRemember(id, "turn", text_of(decode_parts(row[1])), int(row[2]), message_id=id)
    if row := tx.one(_FACT, {"owner": owner_key, "id": id}):
        _, text, kind, message_id, since = row
        return ToRemember(id, "fact", text, int(since), message_id, kind)
    return None
