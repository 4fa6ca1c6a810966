"""Gives everything of one owner to another: an anonymous visitor turns out to be somebody who is known."""

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

from sqlalchemy import delete, null, select, update

from persona.errors import ConversationBusy, Erased
from persona.store import consents, erasure, facts, meters, owners
from persona.store.belongings import OWNED, is_owners
from persona.store.ids import new_id
from persona.store.statements import param, table
from persona.store.tables import ConversationRow, DocumentRow, MemoryRecord, OwnerRow, TaskRow, TurnRow
from persona.store.transaction import Statement, Transaction
from persona.values.memory import Fact
from persona.values.privacy import Merged

_c, _t, _o, _k = table(ConversationRow).c, table(TurnRow).c, table(OwnerRow).c, table(TaskRow).c
_RUNNING = Statement(
    select(_c.key, _c.lease_turn_id, _c.lease_until_us).where(_c.owner_key == param("visitor"), _c.lease_turn_id != "")
)
_LET_GO = Statement(
    update(table(ConversationRow)).where(_c.key == param("conversation")).values(lease_turn_id="", lease_until_us=0)
)
_ABANDON = Statement(
    update(table(TurnRow))
    .where(_t.id == param("turn"), _t.state == "running")
    .values(state="abandoned", ended_us=param("now_us"))
)
NAMED = {ConversationRow.__tablename__: "id", DocumentRow.__tablename__: "path"}
"""Columns that tell the rows of one owner apart: a name that both have gets another one."""

_theirs = table(TurnRow).alias("theirs")
_SAME_KEYS = Statement(
    update(table(TurnRow))
    .where(
        _t.owner_key == param("visitor"),
        _t.idempotency_key.in_(select(_theirs.c.idempotency_key).where(_theirs.c.owner_key == param("account"))),
    )
    .values(idempotency_key=null())
)


def _clashing(name: str, column: str) -> tuple[Statement, Statement]:
    """The names that both have in a table, and the statement that gives one of the visitor's another."""
    mine = next(one for one in OWNED if one.name == name)
    other = mine.alias("other")
    both = select(mine.c[column]).where(
        mine.c.owner_key == param("visitor"),
        mine.c[column].in_(select(other.c[column]).where(other.c.owner_key == param("account"))),
    )
    rename = update(mine).where(mine.c.owner_key == param("visitor"), mine.c[column] == param("old"))
    return Statement(both), Statement(rename.values({column: param("new")}))


_CLASHES = {name: _clashing(name, column) for name, column in NAMED.items()}
_MOVES = {
    one.name: Statement(update(one).where(is_owners(one, "visitor")).values(owner_key=param("account")))
    for one in OWNED
    if one.name not in (ConversationRow.__tablename__, MemoryRecord.__tablename__, TaskRow.__tablename__)
}
_MOVES[ConversationRow.__tablename__] = Statement(  # with a new revision: a turn that read the old one looks again
    update(table(ConversationRow))
    .where(_c.owner_key == param("visitor"))
    .values(owner_key=param("account"), revision=_c.revision + 1)
)
_MOVES[MemoryRecord.__tablename__] = Statement(
    update(table(MemoryRecord))
    .where(table(MemoryRecord).c.owner_key == param("visitor"))
    .values(owner_key=param("account"), revision=param("at_revision"))
)
_MOVES[TaskRow.__tablename__] = Statement(  # a worker that is at it knows the visitor, and begins again
    update(table(TaskRow))
    .where(_k.owner_key == param("visitor"), _k.state != "running")
    .values(owner_key=param("account"))
)
_MOVE_RUNNING = Statement(
    update(table(TaskRow))
    .where(_k.owner_key == param("visitor"), _k.state == "running")
    .values(owner_key=param("account"), state="waiting", lease_until_us=0)
)
_CREATED = Statement(select(_o.created_us).where(_o.key == param("owner")))
_SINCE = Statement(update(table(OwnerRow)).where(_o.key == param("owner")).values(created_us=param("created_us")))
_GONE = Statement(delete(table(OwnerRow)).where(_o.key == param("owner")))


def merge(
    tx: Transaction, visitor: owners.OwnerState, account: owners.OwnerState, many: Collection[str], now_us: int
) -> Merged:
    """Gives the account what is the visitor's, and takes the visitor away. `many` are slots that hold several values.

    Raises ConversationBusy while a turn of the visitor runs, and Erased when one of them is gone.
    """
    erasure.lock_what_runs(tx, visitor.key)
    facts.hold(tx, account.key)
    if not all([owners.lock(tx, key) for key in sorted((visitor.key, account.key))]):
        raise Erased("one of the two users was erased meanwhile")
    _stop_expired(tx, visitor.key, now_us)
    both = {"visitor": visitor.key, "account": account.key}
    theirs = {fact.id for fact in facts.holding(tx, visitor.key)}
    renamed = {name: _rename(tx, name, both) for name in NAMED}
    dropped = tx.run(_SAME_KEYS, both)
    revision = owners.touch(tx, account.key)
    meters.join(tx, visitor.key, account.key)
    counts = {name: tx.run(move, {**both, "at_revision": revision}) for name, move in _MOVES.items()}
    counts[TaskRow.__tablename__] += tx.run(_MOVE_RUNNING, both)
    superseded = _supersede(tx, account.key, theirs, many, now_us)
    _join_owners(tx, visitor, account, now_us)
    tx.run(_GONE, {"owner": visitor.key})
    moved = {name.removeprefix("persona_"): number for name, number in sorted(counts.items()) if number}
    return Merged(moved, renamed[ConversationRow.__tablename__], superseded, dropped)


def _stop_expired(tx: Transaction, visitor: int, now_us: int) -> None:
    for key, turn, until_us in tx.all(_RUNNING, {"visitor": visitor}):
        if until_us > now_us:
            raise ConversationBusy("a turn of the visitor is running", hint="merge again when it has ended")
        tx.run(_LET_GO, {"conversation": key})
        tx.run(_ABANDON, {"turn": turn, "now_us": now_us})


def _rename(tx: Transaction, name: str, both: dict[str, int]) -> dict[str, str]:
    clashing, rename = _CLASHES[name]
    renamed = {old: f"{old}~{new_id('mrg')[-6:]}" for (old,) in tx.all(clashing, both)}
    for old, new in renamed.items():
        tx.run(rename, {**both, "old": old, "new": new})
    return renamed


def _supersede(tx: Transaction, owner_key: int, theirs: set[str], many: Collection[str], now_us: int) -> int:
    """Ends what a newer fact of the same slot says otherwise, and what both had said; returns how many."""
    known: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts.holding(tx, owner_key):
        alone = fact.slot and fact.slot not in many
        said = "" if alone else f"{fact.kind}\x1f{facts.digest(fact)}"
        known.setdefault((fact.slot, said), []).append(fact)
    ended = 0
    for (_, said), same in known.items():
        # of one text the account's own stays, of one slot the newest value
        if said:
            same.sort(key=lambda fact: fact.id not in theirs)
        else:
            same.sort(key=lambda fact: fact.valid_from_us)
        for fact, next_ in pairwise(same):
            ended += facts.end(tx, owner_key, fact.id, now_us if said else next_.valid_from_us)
    return ended


def _join_owners(tx: Transaction, visitor: owners.OwnerState, account: owners.OwnerState, now_us: int) -> None:
    """A refusal of either counts, a yes only of the account; traits that it lacks are the visitor's."""
    if visitor.consent is False:
        consents.record(tx, account.key, False, now_us)
    if not visitor.learning:
        owners.set_learning(tx, account.key, False)
    known, told = account.traits, visitor.traits
    joined = replace(
        known,
        display_name=known.display_name or told.display_name,
        locale=known.locale or told.locale,
        time_zone=known.time_zone or told.time_zone,
    )
    if joined != known:
        owners.set_traits(tx, account.key, joined)
    first = [tx.one(_CREATED, {"owner": key}) for key in (visitor.key, account.key)]
    tx.run(_SINCE, {"owner": account.key, "created_us": min(int(row[0]) for row in first if row)})
