"""The steps that arms took towards serving, and back."""

import json
from dataclasses import asdict, fields

from sqlalchemy import select

from persona.store.statements import insert_into, param, table
from persona.store.tables import PromotionRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.promotion import Promotion, Serving

_p = table(PromotionRow).c
_FIELDS = tuple(one.name for one in fields(Promotion))
_INSERT = insert_into(PromotionRow)
_columns = select(*(_p[name] for name in _FIELDS))
_newest_first = (_p.at_us.desc(), _p.id.desc())
_OF_ROUTE = Statement(_columns.where(_p.route == param("route")).order_by(*_newest_first))
_ALL = Statement(_columns.order_by(*_newest_first))


def add(tx: Transaction, made: Promotion) -> None:
    """Keeps a step."""
    tx.run(_INSERT, {**asdict(made), "refused": json.dumps(made.refused), "before": json.dumps(asdict(made.before))})


def of_route(tx: Transaction, route: str) -> list[Promotion]:
    """The steps on a route, the newest first."""
    return [_promotion(row) for row in tx.all(_OF_ROUTE, {"route": route})]


def all_of_them(tx: Transaction) -> list[Promotion]:
    """Every step, the newest first."""
    return [_promotion(row) for row in tx.all(_ALL, {})]


def _promotion(row: Row) -> Promotion:
    told = dict(zip(_FIELDS, row, strict=True))
    told |= {"refused": tuple(json.loads(told["refused"])), "before": Serving(**json.loads(told["before"]))}
    return Promotion(**told)
