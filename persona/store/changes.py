"""Who changed what is served, and when."""

from dataclasses import asdict, dataclass

from sqlalchemy import select

from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import ChangeRow
from persona.store.transaction import Statement, Transaction

_c = table(ChangeRow).c
_INSERT = insert_into(ChangeRow)
_NEWEST = Statement(
    select(_c.at_us, _c.who, _c.key, _c.before, _c.after, _c.why)
    .order_by(_c.at_us.desc(), _c.id.desc())
    .limit(param("most"))
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a setting or a hold; `at_us` is UTC microseconds, `before` or `after` empty where none was set."""

    at_us: int
    who: str
    key: str
    before: str
    after: str
    why: str = ""


def add(tx: Transaction, change: Change) -> None:
    """Keeps a change."""
    tx.run(_INSERT, {"id": new_id("chg"), **asdict(change)})


def newest(tx: Transaction, most: int) -> list[Change]:
    """The last changes, the newest first."""
    return [Change(*row) for row in tx.all(_NEWEST, {"most": most})]
