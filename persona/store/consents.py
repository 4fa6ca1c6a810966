"""Whether an owner's exchanges may be used for training: what they say now, and every answer they ever gave."""

from sqlalchemy import select

from persona.store import owners
from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import ConsentRow, OwnerRow
from persona.store.transaction import Statement, Transaction
from persona.values.privacy import Consent

_c, _o = table(ConsentRow).c, table(OwnerRow).c
_INSERT = insert_into(ConsentRow)
_NOW = Statement(select(_o.consent).where(_o.key == param("owner")))
_HISTORY = Statement(select(_c.training, _c.at_us).where(_c.owner_key == param("owner")).order_by(_c.at_us, _c.id))


def record(tx: Transaction, owner_key: int, training: bool, now_us: int) -> None:
    """Records an answer, unless it is the last one again. The caller holds the owner's lock."""
    row = tx.one(_NOW, {"owner": owner_key})
    if row and row[0] is not None and bool(row[0]) == training:
        return
    owners.set_consent(tx, owner_key, training, now_us)
    tx.run(_INSERT, {"id": new_id("cst"), "owner_key": owner_key, "training": training, "at_us": now_us})


def history(tx: Transaction, owner_key: int) -> list[Consent]:
    """Every answer, the first one first."""
    return [Consent(bool(training), int(at_us)) for training, at_us in tx.all(_HISTORY, {"owner": owner_key})]
