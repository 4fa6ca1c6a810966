"""What was erased: numbers, which stay when what they tell of is gone."""

import json

from sqlalchemy import func, select, update

from persona.store.statements import insert_into, param, table
from persona.store.tables import ReceiptRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.privacy import Receipt

_receipts = table(ReceiptRow)
_r = _receipts.c
_COLUMNS = (
    *(_r.id, _r.scope, _r.erased_us, _r.counts, _r.indexes),
    *(_r.consented, _r.recalled, _r.datasets, _r.left_in, _r.scrubbed_us, _r.models, _r.reports),
)
_NEWEST = Statement(select(func.max(_r.number)))
_SINCE = Statement(select(_r.erased_key).where(_r.number > param("since")).distinct())
_INSERT = insert_into(ReceiptRow)
_LEFT_IN = Statement(update(_receipts).where(_r.id == param("which")).values(left_in=param("left_in")))
_SCRUBBED = Statement(
    update(_receipts)
    .where(_r.scrubbed_us == 0, _r.number <= param("upto"))
    .values(left_in="", scrubbed_us=param("scrubbed_us"))
)
_LIST = Statement(select(*_COLUMNS).order_by(_r.number.desc()).limit(param("most")))
_ONE = Statement(select(*_COLUMNS).where(_r.id == param("which")))


def ahead(tx: Transaction) -> None:
    """Says that `newest` will be asked."""
    tx.ahead(_NEWEST, {})


def newest(tx: Transaction) -> int:
    """The number of the last receipt: they are counted in the order in which their erasures were committed."""
    row = tx.one(_NEWEST, {})
    return int(row[0]) if row and row[0] is not None else 0


def erased_since(tx: Transaction, number: int) -> list[int]:
    """The keys of the owners that something was erased of after this receipt."""
    return [int(key) for (key,) in tx.all(_SINCE, {"since": number})]


def add(tx: Transaction, owner_key: int, receipt: Receipt) -> None:
    """Keeps a receipt in the transaction of its erasure.

    Of two at once one waits for the other here, and is then run again from its beginning: the numbers have no gap.
    """
    row = {
        "number": newest(tx) + 1,
        "id": receipt.id,
        "scope": receipt.scope,
        "erased_key": owner_key,
        "counts": json.dumps(dict(receipt.counts)),
        "indexes": json.dumps(dict(receipt.indexes)),
        "consented": receipt.consented,
        "recalled": receipt.recalled,
        "datasets": json.dumps(receipt.datasets),
        "models": json.dumps(receipt.models),
        "reports": json.dumps(receipt.reports),
        "left_in": receipt.left_in,
        "erased_us": receipt.erased_us,
        "scrubbed_us": receipt.scrubbed_us,
    }
    tx.run(_INSERT, row)


def left_in(tx: Transaction, id: str, place: str) -> None:
    """Records where traces of it may be."""
    tx.run(_LEFT_IN, {"which": id, "left_in": place})


def scrubbed(tx: Transaction, upto: int, now_us: int) -> None:
    """Records that no trace is left in the file of anything that these receipts tell of."""
    tx.run(_SCRUBBED, {"upto": upto, "scrubbed_us": now_us})


def listing(tx: Transaction, most: int) -> list[Receipt]:
    """The receipts, the newest first."""
    return [_receipt(row) for row in tx.all(_LIST, {"most": most})]


def find(tx: Transaction, id: str) -> Receipt | None:
    """One receipt, or None."""
    row = tx.one(_ONE, {"which": id})
    return _receipt(row) if row else None


def _receipt(row: Row) -> Receipt:
    id, scope, erased_us, counts, indexes, consented, recalled, datasets, place, scrubbed_us, models, reports = row
    told = (json.loads(counts), json.loads(indexes), consented, recalled, tuple(json.loads(datasets)))
    made = (tuple(json.loads(models)), tuple(json.loads(reports)))
    return Receipt(id, scope, erased_us, *told, place, scrubbed_us, *made)
