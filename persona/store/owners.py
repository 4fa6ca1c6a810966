"""Owners: found by `(tenant, kind, name)`, made on first use, and counted up on every change to what they own."""

from dataclasses import dataclass

from sqlalchemy import select, update

from persona.errors import Erased
from persona.store.statements import insert_unless_there, param, table
from persona.store.tables import OwnerRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.owner import Owner, Traits

_o = table(OwnerRow).c
COLUMNS = (_o.key, _o.revision, _o.consent, _o.learning, _o.display_name, _o.locale, _o.time_zone)
IS_OWNER = (_o.tenant == param("tenant"), _o.kind == param("kind"), _o.name == param("name"))

_FIND = Statement(select(*COLUMNS).where(*IS_OWNER))
_INSERT = insert_unless_there(OwnerRow)
_TOUCH = Statement(
    update(table(OwnerRow)).where(_o.key == param("owner")).values(revision=_o.revision + 1).returning(_o.revision)
)
_LOCK = Statement(select(_o.key).where(_o.key == param("owner")).with_for_update())
_HOLD = Statement(select(_o.key).where(_o.key == param("owner")).with_for_update(read=True, key_share=True))
_NAMED = Statement(
    select(_o.tenant, _o.name, _o.kind).where(_o.key == param("owner")).with_for_update(read=True, key_share=True)
)
_CONSENT = Statement(
    update(table(OwnerRow))
    .where(_o.key == param("owner"))
    .values(consent=param("consent"), consent_us=param("consent_us"))
)
_LEARNING = Statement(update(table(OwnerRow)).where(_o.key == param("owner")).values(learning=param("learning")))
_LEARNS = Statement(select(_o.learning).where(_o.key == param("owner")))
_TRAITS = Statement(
    update(table(OwnerRow))
    .where(_o.key == param("owner"))
    .values(display_name=param("display_name"), locale=param("locale"), time_zone=param("time_zone"))
)


@dataclass(frozen=True, slots=True)
class OwnerState:
    """An owner as stored. `consent` is None while they were never asked; `learning` says whether facts are learnt."""

    key: int
    revision: int
    consent: bool | None
    learning: bool
    traits: Traits


def state_of(row: Row) -> OwnerState:
    """The state in a row of `COLUMNS`."""
    key, revision, consent, learning, *traits = row
    return OwnerState(key, revision, None if consent is None else bool(consent), bool(learning), Traits(*traits))


def identity(owner: Owner) -> dict[str, str]:
    """The parameters of `IS_OWNER`."""
    return {"tenant": owner.tenant, "kind": owner.kind, "name": owner.name}


def find(tx: Transaction, owner: Owner) -> OwnerState | None:
    """The owner, or None when nothing was ever kept for them."""
    row = tx.one(_FIND, identity(owner))
    return state_of(row) if row else None


def find_or_make(tx: Transaction, owner: Owner, now_us: int) -> OwnerState:
    """The owner, made when new; by whoever comes first, when several do at once."""
    found = find(tx, owner)
    if found:
        return found
    blank = {
        "revision": 0,
        "consent": None,
        "consent_us": 0,
        "learning": True,
        "display_name": "",
        "locale": "",
        "time_zone": "",
    }
    tx.run(_INSERT, {**identity(owner), **blank, "created_us": now_us})
    made = find(tx, owner)
    assert made is not None, "an owner that was just inserted, here or elsewhere, is there"  # noqa: S101 - narrows the type
    return made


def named(tx: Transaction, owner_key: int) -> Owner | None:
    """Whom a key stands for, who is not erased until this transaction ends; None when they are gone."""
    row = tx.one(_NAMED, {"owner": owner_key})
    return Owner(*row) if row else None


def touch(tx: Transaction, owner_key: int) -> int:
    """Counts the owner's revision up, under its row lock, and returns the new one. Raises Erased."""
    row = tx.one(_TOUCH, {"owner": owner_key})
    if row is None:
        raise Erased("the user was erased meanwhile", hint="begin anew: nothing of this call was kept")
    return int(row[0])


def lock(tx: Transaction, owner_key: int) -> bool:
    """Keeps others from changing what belongs to the owner until this transaction ends, as SQLite does anyway.

    False when there is no such owner any more.
    """
    return tx.one(_LOCK, {"owner": owner_key}) is not None


def hold(tx: Transaction, owner_key: int) -> bool:
    """Keeps the owner from being erased until this transaction ends. False when they are gone."""
    return tx.one(_HOLD, {"owner": owner_key}) is not None


def set_consent(tx: Transaction, owner_key: int, consent: bool, now_us: int) -> None:
    """Records whether the owner's conversations may be used for training, and since when."""
    tx.run(_CONSENT, {"owner": owner_key, "consent": consent, "consent_us": now_us})


def set_learning(tx: Transaction, owner_key: int, learning: bool) -> None:
    """Records whether facts are learnt from what the owner says."""
    tx.run(_LEARNING, {"owner": owner_key, "learning": learning})


def learns(tx: Transaction, owner_key: int) -> bool:
    """Whether facts are learnt from what the owner says; False when they are gone."""
    row = tx.one(_LEARNS, {"owner": owner_key})
    return row is not None and bool(row[0])


def set_traits(tx: Transaction, owner_key: int, traits: Traits) -> None:
    """Records the owner's name, locale and time zone."""
    values = {"display_name": traits.display_name, "locale": traits.locale, "time_zone": traits.time_zone}
    tx.run(_TRAITS, {"owner": owner_key, **values})
