"""What is known of a user: facts that are superseded, never overwritten.

A slot with one value has a timeline: each entry holds until the next one. What counts is when a thing was said, not
when it was stored, so a fact that is learnt late from an old message finds its place in the past.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from sqlalchemy import or_, select, update

from persona.store import memories, owners, tasks
from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import FactRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.memory import Fact

_ENDS_WITH = " \t.,;:!?…。！？"

_facts = table(FactRow)
_f = _facts.c
_FACT = (
    *(_f.id, _f.text, _f.kind, _f.origin, _f.created_us, _f.valid_from_us, _f.valid_to_us, _f.message_id),
    *(_f.slot, _f.value, _f.told_us, _f.digest),
)
_of_owner = select(*_FACT).where(_f.owner_key == param("owner"))
_by_age = (_f.created_us, _f.id)

_INSERT = insert_into(FactRow)
_HOLDING = Statement(_of_owner.where(_f.valid_to_us == 0).order_by(*_by_age))
_AT = Statement(
    _of_owner.where(
        _f.valid_from_us <= param("at_us"), or_(_f.valid_to_us == 0, _f.valid_to_us > param("at_us"))
    ).order_by(*_by_age)
)
_HISTORY = Statement(_of_owner.order_by(_f.valid_from_us, *_by_age))
_OF_SLOT = Statement(_of_owner.where(_f.slot == param("slot")).order_by(_f.valid_from_us, *_by_age))
_HOLD = tasks.holding("index", select(_f.id).where(_f.owner_key == param("owner"), _f.valid_to_us == 0))
_SAME = Statement(
    _of_owner.where(
        _f.slot == param("slot"),
        or_(_f.kind == param("kind"), param("any_kind") == 1),
        _f.digest == param("digest"),
    ).order_by(_f.valid_to_us != 0, _f.valid_to_us.desc())
)
_LEARNT = Statement(_of_owner.where(_f.valid_to_us == 0, _f.message_id == param("message"), _f.origin == "learnt"))
_named = (_f.owner_key == param("owner"), _f.id == param("which"))
_END = Statement(update(_facts).where(*_named, _f.valid_to_us == 0).values(valid_to_us=param("valid_to_us")))
_CUT = Statement(update(_facts).where(*_named).values(valid_to_us=param("valid_to_us"), told_us=param("told_us")))
_TOLD = Statement(update(_facts).where(*_named).values(told_us=param("told_us")))
_BEGUN = Statement(update(_facts).where(*_named).values(valid_from_us=param("valid_from_us")))


def hold(tx: Transaction, owner_key: int) -> None:
    """Waits for what is just made of a user's facts, and lets nothing be until this transaction ends.

    Comes before `owners.lock`: a worker takes the task before its user, and both would wait for each other.
    """
    tx.all(_HOLD, {"owner": owner_key})


def lock(tx: Transaction, owner_key: int) -> bool:
    """Keeps others from changing what is known of a user until this transaction ends. False when they are gone.

    What may end several facts, or add some as well, takes it before the first.
    """
    hold(tx, owner_key)
    return owners.lock(tx, owner_key)


def add(tx: Transaction, owner_key: int, fact: Fact, *, many: bool = True) -> Fact | None:
    """Keeps a fact, and returns the one that says it: this one, or the same one that is there.

    With `many` it stands beside the others of its slot; without, it ends the one before it, or takes its place in the
    past. None when it is not news: the user is gone, or something that counts more says otherwise.
    """
    if not (owners.lock if many else lock)(tx, owner_key):  # or two of them at once would both find none
        return None
    return _beside(tx, owner_key, fact) if many else _in_line(tx, owner_key, fact)


def end(tx: Transaction, owner_key: int, fact_id: str, now_us: int) -> bool:
    """Says that a fact no longer holds, and takes it out of recall. False when it did not hold."""
    lock(tx, owner_key)
    ended = tx.run(_END, {"owner": owner_key, "which": fact_id, "valid_to_us": now_us})
    if ended:
        _leave_recall(tx, owner_key, fact_id)
    return bool(ended)


def end_of_slot(tx: Transaction, owner_key: int, slot: str, at_us: int, text: str = "") -> int:
    """Ends what held in a slot when its user said that it no longer does: all of it, or the one of a text.

    What was told at that moment or later stands. Returns how many ended.
    """
    if not lock(tx, owner_key):
        return 0
    rows = [(row, _fact(row)) for row in tx.all(_OF_SLOT, {"owner": owner_key, "slot": slot})]
    held = [row for row, fact in rows if _covers(fact, at_us) and fact.valid_from_us < at_us]
    ended = [row for row in held if not text or _fact(row).text == text]
    for row in ended:
        _cut(tx, owner_key, row, at_us)
    return len(ended)


def end_learnt(tx: Transaction, owner_key: int, message_id: str, at_us: int) -> None:
    """Ends what was learnt from a message when its user took it back: what they said instead may hold from then on."""
    for row in tx.all(_LEARNT, {"owner": owner_key, "message": message_id}):
        end(tx, owner_key, row[0], at_us)


def ahead(tx: Transaction, owner_key: int) -> None:
    """Says that `holding` will be asked."""
    tx.ahead(_HOLDING, {"owner": owner_key})


def holding(tx: Transaction, owner_key: int) -> list[Fact]:
    """The facts that hold now, the oldest first."""
    return _facts_of(tx.all(_HOLDING, {"owner": owner_key}))


def at(tx: Transaction, owner_key: int, at_us: int) -> list[Fact]:
    """The facts that held at a time, the oldest first."""
    return _facts_of(tx.all(_AT, {"owner": owner_key, "at_us": at_us}))


def history(tx: Transaction, owner_key: int) -> list[Fact]:
    """Every fact that ever held, in the order they began to."""
    return _facts_of(tx.all(_HISTORY, {"owner": owner_key}))


def of_slot(tx: Transaction, owner_key: int, slot: str) -> list[Fact]:
    """The facts that hold now in a slot, the oldest first."""
    return [fact for fact in holding(tx, owner_key) if fact.slot == slot]


def _beside(tx: Transaction, owner_key: int, fact: Fact) -> Fact | None:
    """Keeps one of many. What a model learnt is the same in any kind, and brings nothing back that ended since."""
    learnt = fact.origin == "learnt"
    where = {"owner": owner_key, "slot": fact.slot, "kind": fact.kind, "any_kind": int(learnt)}
    row = tx.one(_SAME, {**where, "digest": digest(fact)})
    if row:
        same = _fact(row)
        if not same.valid_to_us:
            return _told_again(tx, owner_key, row, fact.valid_from_us)
        if learnt and same.valid_to_us > fact.valid_from_us:
            return None
    return _insert(tx, owner_key, fact)


def _in_line(tx: Transaction, owner_key: int, fact: Fact) -> Fact | None:
    """Puts an entry into the timeline of a slot that has one value at a time."""
    rows = tx.all(_OF_SLOT, {"owner": owner_key, "slot": fact.slot})
    if fact.valid_from_us == fact.created_us and fact.origin != "learnt" and rows:
        # told now: what another worker's clock has stored a moment ahead is still the one before
        latest_us = max(max(_told_us(row), _fact(row).valid_to_us) for row in rows)
        fact = replace(fact, valid_from_us=max(fact.valid_from_us, latest_us))
    since, words = fact.valid_from_us, digest(fact)
    before = next((row for row in reversed(rows) if _covers(_fact(row), since)), None)
    after = next((row for row in rows if _fact(row).valid_from_us > since), None)
    if before is None:
        until = _fact(after).valid_from_us if after else 0
    elif before[-1] == words:
        return _told_again(tx, owner_key, before, since)
    elif _outranked(fact, _fact(before)):
        return None
    else:
        until = _cut(tx, owner_key, before, since)
    if after and after[-1] == words and _fact(after).valid_from_us == until:
        owners.touch(tx, owner_key)
        tx.run(_BEGUN, {"owner": owner_key, "which": after[0], "valid_from_us": since})
        return replace(_fact(after), valid_from_us=since)
    return _insert(tx, owner_key, replace(fact, valid_to_us=until))


def _outranked(fact: Fact, known: Fact) -> bool:
    """Whether both are of the same moment, and the known one was told outright."""
    return fact.valid_from_us == known.valid_from_us and fact.origin == "learnt" and known.origin != "learnt"


def _covers(fact: Fact, at_us: int) -> bool:
    return fact.valid_from_us <= at_us and (not fact.valid_to_us or at_us < fact.valid_to_us)


def _told_again(tx: Transaction, owner_key: int, row: Row, at_us: int) -> Fact:
    """Notes when a fact was told last: what was said before that is older than it."""
    if at_us > _told_us(row):
        tx.run(_TOLD, {"owner": owner_key, "which": row[0], "told_us": at_us})
    return _fact(row)


def _cut(tx: Transaction, owner_key: int, row: Row, at_us: int) -> int:
    """Ends an entry where another one begins; returns until when that one holds.

    What was told again after that time holds again from then on.
    """
    fact, told_us = _fact(row), _told_us(row)
    again = told_us > at_us
    last_us = fact.valid_from_us if again else told_us
    tx.run(_CUT, {"owner": owner_key, "which": fact.id, "valid_to_us": at_us, "told_us": last_us})
    if not fact.valid_to_us:
        _leave_recall(tx, owner_key, fact.id)
    if not again:
        return fact.valid_to_us
    _insert(tx, owner_key, replace(fact, id=new_id("fct"), valid_from_us=told_us))
    return told_us


def _leave_recall(tx: Transaction, owner_key: int, fact_id: str) -> None:
    """The task goes before the memory: a worker that is just making one either ends before, or finds its task gone."""
    tasks.drop(tx, "index", owner_key, fact_id)
    memories.bury(tx, owner_key, [fact_id])


def _insert(tx: Transaction, owner_key: int, fact: Fact) -> Fact:
    """Writes a fact; one that holds is to become a memory."""
    owners.touch(tx, owner_key)
    tx.run(
        _INSERT,
        {
            "id": fact.id,
            "owner_key": owner_key,
            "kind": fact.kind,
            "text": fact.text,
            "digest": digest(fact),
            "slot": fact.slot,
            "value": json.dumps(fact.value, ensure_ascii=False) if fact.slot else "",
            "origin": fact.origin,
            "message_id": fact.message_id,
            "valid_from_us": fact.valid_from_us,
            "valid_to_us": fact.valid_to_us,
            "told_us": fact.valid_from_us,
            "created_us": fact.created_us,
        },
    )
    if not fact.valid_to_us:
        tasks.put(tx, "index", owner_key, fact.id, fact.created_us)
    return fact


def digest(fact: Fact) -> str:
    """The same for the same words, whatever their capitals, spaces and last full stop; accents count."""
    words = " ".join(unicodedata.normalize("NFC", fact.text).casefold().split()).rstrip(_ENDS_WITH)
    return blake2b(words.encode(), digest_size=16).hexdigest()


def _facts_of(rows: Sequence[Row]) -> list[Fact]:
    return [_fact(row) for row in rows]


def _fact(row: Row) -> Fact:
    id, text, kind, origin, created_us, since_us, until_us, message_id, slot, value, _, _ = row
    said = json.loads(value) if value else None
    return Fact(id, text, kind, origin, created_us, since_us, until_us, message_id, slot, said)


def _told_us(row: Row) -> int:
    return int(row[-2])
