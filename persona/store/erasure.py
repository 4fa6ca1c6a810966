"""Takes out of the tables what is to be erased, with all that hangs on it: one transaction, and no word of it stays.

Erasing wins over what runs. Conversations and tasks are locked before their owner, in the order in which turns and
workers take them; a turn of the owner then finds that it lost its conversation, and a worker that its task is gone.
A memory leaves a tombstone with nothing in it, so that every index drops it, unless its owner goes as well.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, func, or_, select, update

from persona.store import conversations, datasets, mending, owners, turns
from persona.store.belongings import BELONGING, OWNED, is_owners
from persona.store.lineage import Made, made_of
from persona.store.memories import BURIED
from persona.store.statements import param, table
from persona.store.tables import (
    AttemptRow,
    ConversationRow,
    ExchangeRow,
    FactRow,
    FeedbackRow,
    MemoryRecord,
    MessageRow,
    OwnerRow,
    SummaryRow,
    TaskRow,
    TurnRow,
)
from persona.store.transaction import Statement, Transaction
from persona.values.owner import Owner

_c, _o, _k, _r = table(ConversationRow).c, table(OwnerRow).c, table(TaskRow).c, table(MemoryRecord).c
_m, _t, _e, _f = table(MessageRow).c, table(TurnRow).c, table(ExchangeRow).c, table(FactRow).c
_s, _a, _b = table(SummaryRow).c, table(AttemptRow).c, table(FeedbackRow).c

_LOCKS = [
    Statement(select(_c.key).where(_c.owner_key == param("owner")).order_by(_c.key).with_for_update()),
    Statement(select(_k.id).where(_k.owner_key == param("owner")).order_by(_k.id).with_for_update()),
]
_CONSENTED = Statement(
    select(func.count()).select_from(table(ExchangeRow)).where(_e.owner_key == param("owner"), _e.consent.is_(True))
)
_INDEXED = Statement(
    select(func.count()).select_from(table(MemoryRecord)).where(_r.owner_key == param("owner"), _r.deleted.is_(False))
)
_ALL_OF_OWNER = {one.name: Statement(delete(one).where(is_owners(one))) for one in BELONGING}
_OWNER = Statement(delete(table(OwnerRow)).where(_o.key == param("owner")))

_TURNS_OF_MESSAGE = Statement(
    select(_t.id).where(_t.conversation_key == param("conversation"), _t.message_id == param("which"))
)
_ANSWERS = Statement(
    select(_m.id).where(_m.conversation_key == param("conversation"), _m.turn_id == param("turn"), _m.role != "user")
)
_MESSAGES_OF = Statement(select(_m.id).where(_m.conversation_key == param("conversation")))
_SUMMARIES_FROM = Statement(
    select(_s.id).where(_s.conversation_key == param("conversation"), _s.upto_depth >= param("depth"))
)
_LEARNT_FROM = Statement(select(_f.id).where(_f.owner_key == param("owner"), _f.message_id == param("which")))
_EXCHANGES_OF = Statement(select(_e.id, _e.consent).where(_e.turn_id == param("turn")))
_EXCHANGES_IN = Statement(select(_e.id, _e.consent).where(_e.conversation_key == param("conversation")))

_in_conversation = [one for one in OWNED if "conversation_key" in one.c and one.name != MemoryRecord.__tablename__]
_ALL_IN_CONVERSATION = {
    one.name: Statement(delete(one).where(one.c.conversation_key == param("conversation"))) for one in _in_conversation
}
_CONVERSATION = Statement(delete(table(ConversationRow)).where(_c.key == param("conversation")))
_BY_ID = {
    "persona_attempts": Statement(delete(table(AttemptRow)).where(_a.exchange_id == param("which"))),
    "persona_exchanges": Statement(delete(table(ExchangeRow)).where(_e.id == param("which"))),
    "persona_feedback": Statement(delete(table(FeedbackRow)).where(_b.message_id == param("which"))),
    "persona_facts": Statement(delete(table(FactRow)).where(_f.owner_key == param("owner"), _f.id == param("which"))),
    "persona_summaries": Statement(delete(table(SummaryRow)).where(_s.id == param("which"))),
    "persona_tasks": Statement(
        delete(table(TaskRow)).where(_k.owner_key == param("owner"), _k.subject == param("which"))
    ),
    "persona_turns": Statement(delete(table(TurnRow)).where(_t.id == param("which"))),
    "persona_messages": Statement(delete(table(MessageRow)).where(_m.id == param("which"))),
}
_words = [
    name
    for name, field_ in MemoryRecord.model_fields.items()
    if field_.annotation is str and name not in ("id", "kind")
]
_bury = update(table(MemoryRecord)).where(_r.owner_key == param("owner"), _r.deleted.is_(False))
_nothing = {**dict.fromkeys(_words, ""), **BURIED, "revision": param("at_revision")}
# a memory has the id of its message or fact, and names the message that it was made of
_BURY = Statement(_bury.where(or_(_r.id == param("which"), _r.message_id == param("which"))).values(**_nothing))
_of_conversation = select(_m.id).where(_m.conversation_key == param("conversation"))
_BURY_CONVERSATION = Statement(
    _bury.where(or_(_r.id.in_(_of_conversation), _r.message_id.in_(_of_conversation))).values(**_nothing)
)
_TASKS_OF_CONVERSATION = Statement(
    delete(table(TaskRow)).where(
        _k.owner_key == param("owner"),
        or_(_k.conversation_key == param("conversation"), _k.subject.in_(_of_conversation)),
    )
)
_UNANSWERED = Statement(update(table(TurnRow)).where(_t.id == param("which")).values(reply_id=""))


@dataclass(slots=True)
class Taken:
    """What an erasure took: rows by table, memories that were in the owner's index, and exchanges with consent.

    `recalled` counts the exchanges that stay and that were shown something of it; `ids` are those that went, and
    `datasets` the datasets with examples of the owner, and `made` what was made of those.
    """

    owner_key: int
    rows: Counter[str] = field(default_factory=Counter)
    indexed: int = 0
    consented: int = 0
    recalled: int = 0
    ids: set[str] = field(default_factory=set)
    datasets: tuple[str, ...] = ()
    made: Made = field(default_factory=Made)


def erase_owner(tx: Transaction, owner: Owner) -> Taken | None:
    """Takes everything that belongs to an owner, and the owner. None when there is no such one."""
    key = _locked(tx, owner)
    if key is None:
        return None
    named, taken = {"owner": key}, _begun(tx, key)
    taken.consented, taken.indexed = _number(tx, _CONSENTED, named), _number(tx, _INDEXED, named)
    for name, statement in _ALL_OF_OWNER.items():
        taken.rows[name] += tx.run(statement, named)
    taken.rows[OwnerRow.__tablename__] += tx.run(_OWNER, named)
    return taken


def erase_conversation(tx: Transaction, owner: Owner, id: str, now_us: int) -> Taken | None:
    """Takes a conversation, the memories made of it and the facts learnt from it. None when there is no such one."""
    key = _locked(tx, owner)
    _, found = conversations.find(tx, owner, id) if key is not None else (None, None)
    if key is None or found is None:
        return None
    named, taken = {"conversation": found.key}, _begun(tx, key)
    messages = [id for (id,) in tx.all(_MESSAGES_OF, named)]
    whole = {**named, "owner": key}
    exchanges = tx.all(_EXCHANGES_IN, named)
    summaries = [id for (id,) in tx.all(_SUMMARIES_FROM, {**named, "depth": 0})]
    _take_calls(tx, taken, exchanges)
    _take_facts(tx, taken, _learnt_from(tx, key, messages))
    taken.rows["persona_tasks"] += tx.run(_TASKS_OF_CONVERSATION, whole)
    buried = tx.run(_BURY_CONVERSATION, {**whole, "at_revision": owners.touch(tx, key)})
    taken.rows["persona_memories"] += buried
    taken.indexed += buried
    for name, statement in _ALL_IN_CONVERSATION.items():
        taken.rows[name] += tx.run(statement, named)
    taken.rows[ConversationRow.__tablename__] += tx.run(_CONVERSATION, named)
    taken.ids.update(messages, summaries)
    _mend(tx, taken, now_us)
    return taken


def erase_message(tx: Transaction, owner: Owner, id: str, now_us: int) -> Taken | None:
    """Takes a message of the user with its answers, or an answer with its tool rounds. None when there is no such one.

    What came after it follows what came before it.
    """
    key = _locked(tx, owner)
    found = conversations.message(tx, owner, id) if key is not None else None
    if key is None or found is None:
        return None
    message, conversation_key = found
    taken, named = _begun(tx, key), {"conversation": conversation_key}
    asked = message.role == "user"
    begun = [turn for (turn,) in tx.all(_TURNS_OF_MESSAGE, {**named, "which": id})] if asked else [message.turn_id]
    answers = [one for turn in begun for (one,) in tx.all(_ANSWERS, {**named, "turn": turn})]
    messages = [id, *answers] if asked else answers
    before = message.parent_id if asked else _asked_in(tx, owner, message.turn_id)
    summaries = [one for (one,) in tx.all(_SUMMARIES_FROM, {**named, "depth": message.depth})]
    calls = [call for turn in begun for call in tx.all(_EXCHANGES_OF, {"turn": turn})]
    _take_calls(tx, taken, calls)
    _take_facts(tx, taken, _learnt_from(tx, key, messages))
    for name in ("persona_feedback", "persona_tasks", "persona_messages"):
        _take(tx, taken, messages, name)
    _take(tx, taken, summaries, "persona_summaries")
    if asked:
        _take(tx, taken, begun, "persona_turns")
    else:
        tx.run(_UNANSWERED, {"which": message.turn_id})
    _bury_each(tx, taken, messages)
    mending.mend_conversation(tx, conversation_key, messages, before, {str(call) for call, _ in calls}, message)
    taken.ids.update(messages, summaries)
    _mend(tx, taken, now_us)
    return taken


def erase_fact(tx: Transaction, owner: Owner, id: str, now_us: int) -> Taken | None:
    """Takes one entry of the profile, whether it holds or not. None when there is no such one."""
    key = _locked(tx, owner)
    if key is None:
        return None
    taken = _begun(tx, key)
    _take_facts(tx, taken, [id])
    if not taken.rows["persona_facts"]:
        return None
    _mend(tx, taken, now_us)
    return taken


def _mend(tx: Transaction, taken: Taken, now_us: int) -> None:
    taken.recalled = mending.take_ids_out(tx, taken.owner_key, taken.ids)
    mending.stop_what_runs(tx, taken.owner_key, now_us)


def lock_what_runs(tx: Transaction, owner_key: int) -> None:
    """Waits for what a turn or a worker is just writing for an owner, and lets none begin; before the owner's lock."""
    for statement in _LOCKS:
        tx.all(statement, {"owner": owner_key})


def _locked(tx: Transaction, owner: Owner) -> int | None:
    """The key of an owner of whom nobody can change anything from now on; None when there is no such one."""
    state = owners.find(tx, owner)
    if state is None:
        return None
    lock_what_runs(tx, state.key)
    return state.key if owners.lock(tx, state.key) else None


def _begun(tx: Transaction, key: int) -> Taken:
    held_by = tuple(datasets.of_owner(tx, key))
    return Taken(key, datasets=held_by, made=made_of(tx, held_by))


def _number(tx: Transaction, statement: Statement, named: dict[str, int]) -> int:
    row = tx.one(statement, named)
    return int(row[0]) if row else 0


def _take(tx: Transaction, taken: Taken, ids: Iterable[str], name: str) -> None:
    for id in ids:
        taken.rows[name] += tx.run(_BY_ID[name], {"owner": taken.owner_key, "which": id})


def _take_calls(tx: Transaction, taken: Taken, calls: Sequence[tuple[object, ...]]) -> None:
    taken.consented += sum(bool(consent) for _, consent in calls)
    for name in ("persona_attempts", "persona_exchanges"):
        _take(tx, taken, [str(call) for call, _ in calls], name)


def _learnt_from(tx: Transaction, owner_key: int, messages: Iterable[str]) -> list[str]:
    named = [{"owner": owner_key, "which": id} for id in messages]
    return [fact for which in named for (fact,) in tx.all(_LEARNT_FROM, which)]


def _take_facts(tx: Transaction, taken: Taken, facts: Sequence[str]) -> None:
    for name in ("persona_facts", "persona_tasks"):
        _take(tx, taken, facts, name)
    _bury_each(tx, taken, facts)
    taken.ids.update(facts)


def _bury_each(tx: Transaction, taken: Taken, ids: Sequence[str]) -> None:
    if not ids:
        return
    revision = owners.touch(tx, taken.owner_key)
    for id in ids:
        buried = tx.run(_BURY, {"owner": taken.owner_key, "which": id, "at_revision": revision})
        taken.rows["persona_memories"] += buried
        taken.indexed += buried


def _asked_in(tx: Transaction, owner: Owner, turn_id: str) -> str:
    """The user message that a turn answers."""
    asked = turns.message_of(tx, owner, turn_id)
    return asked.id if asked else ""
