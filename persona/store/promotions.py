"""The steps that arms took towards serving, and back."""

import json
from dataclasses import asdict, fields

from sqlalchemy import select

from persona.store.engine import Row, Statement, Transaction
from persona.store.statements import insert_into, param, table
from persona.store.tables import EvaluationRow, PromotionRow
from persona.values.promotion import Evidence, Promotion, Serving

_p, _v = table(PromotionRow).c, table(EvaluationRow).c
_FIELDS = tuple(one.name for one in fields(Promotion))
_INSERT = insert_into(PromotionRow)
_columns = select(*(_p[name] for name in _FIELDS))
_newest_first = (_p.at_us.desc(), _p.id.desc())
_OF_ROUTE = Statement(_columns.where(_p.route == param("route")).order_by(*_newest_first))
_ALL = Statement(_columns.order_by(*_newest_first))
_EVIDENCE = Statement(
    select(_v.numbers)
    .where(_v.route == param("route"), _v.base == param("base"), _v.other == param("other"))
    .order_by(_v.created_us.desc(), _v.id.desc())
    .limit(1)
)


def add(tx: Transaction, made: Promotion) -> None:
    """Keeps a step."""
    tx.run(_INSERT, {**asdict(made), "refused": json.dumps(made.refused), "before": json.dumps(asdict(made.before))})


def of_route(tx: Transaction, route: str) -> list[Promotion]:
    """The steps on a route, the newest first."""
    return [_promotion(row) for row in tx.all(_OF_ROUTE, {"route": route})]


def all_of_them(tx: Transaction) -> list[Promotion]:
    """Every step, the newest first."""
    return [_promotion(row) for row in tx.all(_ALL, {})]


def evidence(tx: Transaction, route: str, base: str, other: str) -> Evidence | None:
    """What the newest comparison of two arms says; None where they were not compared."""
    row = tx.one(_EVIDENCE, {"route": route, "base": base, "other": other})
    return Evidence.of(json.loads(row[0])) if row else None


def _promotion(row: Row) -> Promotion:
    told = dict(zip(_FIELDS, row, strict=True))
    told |= {"refused": tuple(json.loads(told["refused"])), "before": Serving(**json.loads(told["before"]))}
    return Promotion(**told)
