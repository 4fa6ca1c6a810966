"""Holds: the arm that a route serves whatever the settings say. Every turn reads its route's with its conversation."""

from dataclasses import asdict, dataclass

from sqlalchemy import delete, select

from persona.store import changes
from persona.store.changes import Change
from persona.store.statements import insert_or_replace, param, table
from persona.store.tables import HoldRow
from persona.store.transaction import Statement, Transaction

_holds = table(HoldRow)
_h = _holds.c
_PUT = insert_or_replace(HoldRow)
_OF_ROUTE = Statement(select(_h.arm).where(_h.route == param("route")))
_ALL = Statement(select(_h.route, _h.arm, _h.who, _h.why, _h.since_us).order_by(_h.route))
_RELEASE = Statement(delete(_holds).where(_h.route == param("route")))


@dataclass(frozen=True, slots=True)
class Hold:
    """A route that serves one arm for all, in running conversations too; `since_us` is UTC microseconds."""

    route: str
    arm: str
    who: str
    why: str
    since_us: int


def put(tx: Transaction, hold: Hold) -> Change:
    """Holds a route on an arm, instead of another one that it may be held on; returns the change as recorded."""
    before = arm(tx, hold.route)
    tx.run(_PUT, asdict(hold))
    return _record(tx, hold.since_us, hold.who, hold.route, before, hold.arm, hold.why)


def release(tx: Transaction, route: str, who: str, why: str, now_us: int) -> Change | None:
    """Lets the settings serve a route again; returns the change as recorded, or None where there was no hold."""
    before = arm(tx, route)
    if not tx.run(_RELEASE, {"route": route}):
        return None
    return _record(tx, now_us, who, route, before, "", why)


def arm(tx: Transaction, route: str) -> str:
    """The arm that a route is held on, or empty."""
    row = tx.one(_OF_ROUTE, {"route": route})
    return str(row[0]) if row else ""


def all_of_them(tx: Transaction) -> list[Hold]:
    """Every hold, by route."""
    return [Hold(*row) for row in tx.all(_ALL, {})]


def _record(tx: Transaction, at_us: int, who: str, route: str, before: str, after: str, why: str) -> Change:
    change = Change(at_us, who, f"routes.{route}.hold", before, after, why)
    changes.add(tx, change)
    return change
