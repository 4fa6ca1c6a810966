"""What is known of a user: facts that are superseded, never overwritten."""

from sqlalchemy import select, update

from persona.store import memories, owners
from persona.store.engine import Statement, Transaction
from persona.store.statements import insert_into, param, table
from persona.store.tables import FactRow
from persona.values.memory import Fact

_f = table(FactRow).c

_INSERT = insert_into(FactRow)
_HOLDING = Statement(
    select(*(_f.id, _f.text, _f.kind, _f.origin, _f.created_us, _f.valid_from_us, _f.valid_to_us))
    .where(_f.owner_key == param("owner"), _f.valid_to_us == 0)
    .order_by(_f.created_us, _f.id)
)
_SAME = Statement(
    select(_f.id).where(
        _f.owner_key == param("owner"),
        _f.valid_to_us == 0,
        _f.kind == param("kind"),
        _f.text == param("text"),
    )
)
_END = Statement(
    update(table(FactRow))
    .where(_f.owner_key == param("owner"), _f.id == param("which"), _f.valid_to_us == 0)
    .values(valid_to_us=param("valid_to_us"))
)


def add(tx: Transaction, owner_key: int, fact: Fact, message_id: str = "") -> str:
    """Keeps a fact and returns its id; the same fact again is the one that is there."""
    owners.lock(tx, owner_key)  # or two of them at once would both find none
    same = tx.one(_SAME, {"owner": owner_key, "kind": fact.kind, "text": fact.text})
    if same:
        return str(same[0])
    owners.touch(tx, owner_key)
    tx.run(
        _INSERT,
        {
            "id": fact.id,
            "owner_key": owner_key,
            "kind": fact.kind,
            "text": fact.text,
            "origin": fact.origin,
            "message_id": message_id,
            "valid_from_us": fact.valid_from_us,
            "valid_to_us": 0,
            "created_us": fact.created_us,
        },
    )
    return fact.id


def end(tx: Transaction, owner_key: int, fact_id: str, now_us: int) -> bool:
    """Says that a fact no longer holds, and takes it out of recall. False when it did not hold."""
    ended = tx.run(_END, {"owner": owner_key, "which": fact_id, "valid_to_us": now_us})
    if ended:
        memories.bury(tx, owner_key, [fact_id])
    return bool(ended)


def holding(tx: Transaction, owner_key: int) -> list[Fact]:
    """The facts that hold now, the oldest first."""
    rows = tx.all(_HOLDING, {"owner": owner_key})
    return [
        Fact(id, text, kind, origin, created, since, until) for id, text, kind, origin, created, since, until in rows
    ]
