"""The datasets that were made of the log, and how many examples of whom are in each: what an erasure names."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import delete, func, select, update

from persona.store import receipts
from persona.store.engine import Database
from persona.store.statements import insert_into, param, table
from persona.store.tables import ConsentRow, DatasetOwnerRow, DatasetRow, ExchangeRow, OwnerRow, ReceiptRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.dataset import DatasetEntry

_LOOKED_UP = 200  # exchanges, by their ids
_AT_ONCE = 2_000  # rows in one transaction: a writer waits for some hundredths of a second

_d, _o, _r = table(DatasetRow).c, table(DatasetOwnerRow).c, table(ReceiptRow).c
_c, _e, _w = table(ConsentRow).c, table(ExchangeRow).c, table(OwnerRow).c
_COLUMNS = tuple(_d[field.name] for field in fields(DatasetEntry))
_INSERT, _INSERT_OWNER = insert_into(DatasetRow), insert_into(DatasetOwnerRow)
_DROP = Statement(delete(table(DatasetRow)).where(_d.id == param("which")))
_DROP_OWNERS = Statement(delete(table(DatasetOwnerRow)).where(_o.dataset_id == param("which")))
_STATE = Statement(
    update(table(DatasetRow))
    .where(_d.id == param("which"))
    .values(state=param("state"), replaced_by=param("replaced_by"))
)
_LIST = Statement(select(*_COLUMNS).where(_d.state != "writing").order_by(_d.created_us.desc(), _d.id))
_ONE = Statement(select(*_COLUMNS).where(_d.id == param("which"), _d.state != "writing"))
_OF_OWNER = Statement(
    select(_d.id)
    .join(table(DatasetOwnerRow), _o.dataset_id == _d.id)
    .where(_o.owner_key == param("owner"), _d.state != "replaced")
    .distinct()
    .order_by(_d.id)
)
_TAKEN_SINCE = Statement(
    select(_o.owner_key)
    .join(table(ReceiptRow), _r.erased_key == _o.owner_key)
    .where(_o.dataset_id == param("which"), _r.number > param("since"), _r.scope != "merge")
    .limit(1)
)
_WITHDRAWN = Statement(select(func.max(_c.at_us)).where(_c.training.is_(False)))
_WITHDRAWN_SINCE = Statement(
    select(_c.owner_key).where(_c.training.is_(False), _c.at_us > param("since_us")).distinct()
)
_WITHDRAWN_NOW = Statement(select(_w.key).where(_w.consent.is_(False)))
_OWNERS_OF = Statement(
    select(_e.id, _e.owner_key).where(_e.id.in_([param(f"id_{number}") for number in range(_LOOKED_UP)]))
)
_OWNERS_FROM = Statement(
    select(_e.owner_key)
    .where(
        *(_e.route == param("route"), _e.purpose == "turn"),
        *(_e.started_us >= param("since_us"), _e.started_us < param("until_us")),
    )
    .distinct()
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether what was read of the log may still be used: erasures, and answers that withdraw."""

    receipts: int
    withdrawn_us: int


def standing(tx: Transaction) -> Standing:
    """How it stands now."""
    row = tx.one(_WITHDRAWN, {})
    return Standing(receipts.newest(tx), int(row[0]) if row and row[0] is not None else 0)


def gone_since(tx: Transaction, number: int, withdrawn_us: int) -> frozenset[int]:
    """The keys of owners of whom something was erased after a receipt, or who withdrew after a time."""
    withdrawn = tx.all(_WITHDRAWN_SINCE, {"since_us": withdrawn_us})
    return frozenset([*receipts.erased_since(tx, number), *(int(key) for (key,) in withdrawn)])


def withdrawn(tx: Transaction) -> frozenset[int]:
    """The keys of the owners who do not agree to training now."""
    return frozenset(int(key) for (key,) in tx.all(_WITHDRAWN_NOW, {}))


def owners_of(tx: Transaction, exchanges: Sequence[str]) -> dict[str, int]:
    """Whose these exchanges are, up to 200 of them; those that are not stored any more are left out."""
    some = [*exchanges, *[""] * (_LOOKED_UP - len(exchanges))]
    return dict(tx.all(_OWNERS_OF, {f"id_{at}": id for at, id in enumerate(some)}))


def owners_from(tx: Transaction, route: str, since_us: int, until_us: int) -> frozenset[int]:
    """The keys of the owners who had a turn on a route from one time up to another."""
    found = tx.all(_OWNERS_FROM, {"route": route, "since_us": since_us, "until_us": until_us})
    return frozenset(int(key) for (key,) in found)


def register(database: Database, entry: DatasetEntry, owners: Iterable[tuple[int, int]]) -> bool:
    """Records a dataset with the keys of those whose examples it holds, and how many of each.

    False, with nothing kept, when something of one of them was erased after the receipts that the entry knows of.
    """
    database.run_now(lambda tx: _begin(tx, entry))
    batch: list[tuple[int, int]] = []
    for one in owners:
        batch.append(one)
        if len(batch) == _AT_ONCE:
            database.run_now(lambda tx, rows=tuple(batch): _add(tx, entry.id, rows))  # type: ignore[misc]
            batch.clear()
    return database.run_now(lambda tx: _end(tx, entry, batch))


def replaced(tx: Transaction, id: str, by: str) -> None:
    """Records that a dataset has no examples any more, and which one holds what may stay."""
    tx.run(_STATE, {"which": id, "state": "replaced", "replaced_by": by})
    tx.run(_DROP_OWNERS, {"which": id})


def listing(tx: Transaction) -> list[DatasetEntry]:
    """Every dataset, the newest first."""
    return [_entry(row) for row in tx.all(_LIST, {})]


def find(tx: Transaction, id: str) -> DatasetEntry | None:
    """One dataset, or None."""
    row = tx.one(_ONE, {"which": id})
    return _entry(row) if row else None


def of_owner(tx: Transaction, owner_key: int) -> list[str]:
    """The ids of the datasets that hold examples of this owner, those that are just being written too."""
    return [id for (id,) in tx.all(_OF_OWNER, {"owner": owner_key})]


def _begin(tx: Transaction, entry: DatasetEntry) -> None:
    """Whatever an interrupted registration left is made anew."""
    tx.run(_DROP, {"which": entry.id})
    tx.run(_DROP_OWNERS, {"which": entry.id})
    tx.run(_INSERT, {**asdict(entry), "state": "writing"})


def _add(tx: Transaction, id: str, owners: Sequence[tuple[int, int]]) -> None:
    for owner_key, examples in owners:
        tx.run(_INSERT_OWNER, {"dataset_id": id, "owner_key": owner_key, "examples": examples})


def _end(tx: Transaction, entry: DatasetEntry, owners: Sequence[tuple[int, int]]) -> bool:
    _add(tx, entry.id, owners)
    if tx.one(_TAKEN_SINCE, {"which": entry.id, "since": entry.receipts}):
        tx.run(_DROP, {"which": entry.id})
        tx.run(_DROP_OWNERS, {"which": entry.id})
        return False
    tx.run(_STATE, {"which": entry.id, "state": "ready", "replaced_by": ""})
    return True


def _entry(row: Row) -> DatasetEntry:
    return DatasetEntry(*row)
