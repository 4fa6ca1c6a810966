"""The comparisons that were made: what the gates of a promotion read. Numbers, and no text of anybody."""

import json

from sqlalchemy import select

from persona.errors import NotFound
from persona.store.statements import insert_into, param, table
from persona.store.tables import EvaluationRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.comparison import Comparison

_c = table(EvaluationRow).c
_INSERT = insert_into(EvaluationRow)
_ONE = Statement(select(_c.numbers).where(_c.id == param("which")))
_NEWEST = Statement(
    select(_c.numbers)
    .where(_c.route == param("route"))
    .order_by(_c.created_us.desc(), _c.id.desc())
    .limit(param("most"))
)
_OF_ARMS = Statement(
    select(_c.numbers)
    .where(_c.route == param("route"), _c.base == param("base"), _c.other == param("other"))
    .order_by(_c.created_us.desc(), _c.id.desc())
    .limit(1)
)


def add(tx: Transaction, one: Comparison) -> None:
    """Keeps a comparison."""
    base, other = one.arms
    named = {"id": one.id, "route": one.route, "base": base, "other": other, "verdict": one.verdict}
    digests = {"dataset_digest": one.dataset_digest, "settings_digest": one.settings_digest}
    numbers = json.dumps(one.to_dict(), allow_nan=False)
    tx.run(_INSERT, {**named, **digests, "numbers": numbers, "report": one.report, "created_us": one.created_us})


def find(tx: Transaction, id: str) -> Comparison:
    """One comparison. Raises NotFound."""
    row = tx.one(_ONE, {"which": id})
    if row is None:
        raise NotFound(f"there is no evaluation {id!r}")
    return _comparison(row)


def newest(tx: Transaction, route: str, most: int) -> list[Comparison]:
    """The last comparisons of a route, the newest first."""
    return [_comparison(row) for row in tx.all(_NEWEST, {"route": route, "most": most})]


def of_arms(tx: Transaction, route: str, base: str, other: str) -> Comparison | None:
    """The last comparison of two arms, or None."""
    row = tx.one(_OF_ARMS, {"route": route, "base": base, "other": other})
    return _comparison(row) if row else None


def _comparison(row: Row) -> Comparison:
    return Comparison.from_dict(json.loads(row[0]))
