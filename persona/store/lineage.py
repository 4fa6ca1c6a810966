"""What the tables know of where models come from, as plain rows."""

from dataclasses import dataclass

from sqlalchemy import func, select

from persona.store.engine import Statement, Transaction
from persona.store.statements import param, table
from persona.store.tables import DatasetOwnerRow, DatasetRow, EvaluationRow, OwnerRow

_d, _o, _v, _w = table(DatasetRow).c, table(DatasetOwnerRow).c, table(EvaluationRow).c, table(OwnerRow).c
_OWNERS = Statement(
    select(_o.owner_key, _o.dataset_id, func.sum(_o.examples))
    .join(table(DatasetRow), _d.id == _o.dataset_id)
    .where(_d.state == "ready")
    .group_by(_o.owner_key, _o.dataset_id)
)
_EVALUATIONS = Statement(select(_v.id, _v.route, _v.verdict, _v.numbers).order_by(_v.id))
_KEY = Statement(select(_w.key).where(_w.tenant == param("tenant"), _w.kind == "user", _w.name == param("name")))


@dataclass(frozen=True, slots=True)
class Compared:
    """One stored comparison: its verdict, and its numbers as JSON."""

    id: str
    route: str
    verdict: str
    numbers: str


def examples_of_owners(tx: Transaction) -> list[tuple[int, str, int]]:
    """The key of an owner, the dataset that holds examples of theirs, and how many."""
    return [(int(key), str(dataset), int(number)) for key, dataset, number in tx.all(_OWNERS, {})]


def comparisons(tx: Transaction) -> list[Compared]:
    """Every stored comparison."""
    return [Compared(*row) for row in tx.all(_EVALUATIONS, {})]


def key_of(tx: Transaction, tenant: str, name: str) -> int | None:
    """The key of a user's rows; None for somebody who is not stored."""
    row = tx.one(_KEY, {"tenant": tenant, "name": name})
    return int(row[0]) if row else None
