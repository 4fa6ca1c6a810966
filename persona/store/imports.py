"""Keeps conversations that were held elsewhere, some hundred in a transaction, with how far the file is read.

Their rows end where those of a live turn would: a turn for each message of the user's, an exchange for each message of
the assistant's, feedback, consent. The arm, the provider and the plan say `imported`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select, update

from persona.errors import BusyError, InvalidInput
from persona.store import consents, owners
from persona.store.codec import encode_parts, encode_plan, encode_tags
from persona.store.ids import new_id
from persona.store.statements import insert_into, insert_unless_there, param, table
from persona.store.tables import (
    ConversationRow,
    ExchangeRow,
    FeedbackRow,
    ImportRow,
    MessageRow,
    OriginRow,
    OwnerRow,
    TaskRow,
    TurnRow,
)
from persona.store.tables import Table as Base
from persona.store.transaction import Statement, Transaction
from persona.store.turns import title_of
from persona.values.imported import ImportedConversation, ImportedMessage
from persona.values.plan import SECTIONS, HistoryRange, Plan, SectionPlan

IMPORTED = "imported"
"""The arm and the provider of what was answered elsewhere."""

_PLAN = encode_plan(
    Plan(
        *(f"{IMPORTED}:", "", "estimate", 0, 0, 0, 0, 0),
        tuple(SectionPlan(name, 0, 0) for name in SECTIONS),
        HistoryRange(0, 0, "", 0, 0, 0),
        notes=("imported: what the model was shown is not known",),
    )
)
_i, _c, _o = table(ImportRow).c, table(ConversationRow).c, table(OwnerRow).c
_g, _e = table(OriginRow).c, table(ExchangeRow).c
_FIND = Statement(select(_i.line, _i.conversations, _i.messages, _i.rejected, _i.done).where(_i.id == param("which")))
_LOCK = Statement(select(_i.line).where(_i.id == param("which")).with_for_update())
_BEGIN = insert_unless_there(ImportRow)
_MOVE = Statement(
    update(table(ImportRow))
    .where(_i.id == param("which"))
    .values(
        **{name: param(name) for name in ("line", "conversations", "messages", "rejected", "done", "updated_us")},
    )
)
_CONSENT = Statement(select(_o.consent, _o.consent_us).where(_o.key == param("owner")))
_THERE = Statement(
    select(_c.key, _c.arm, _c.head_id, _c.depth, _c.messages, _c.last_exchange_id, _c.lease_turn_id)
    .where(_c.owner_key == param("owner"), _c.id == param("id"))
    .with_for_update()
)
_TAKEN = Statement(select(func.sum(_g.messages)).where(_g.conversation_key == param("which")))
_ANSWERED_BY = Statement(select(_e.arm).where(_e.id == param("which")))
_NEW = insert_unless_there(ConversationRow, _c.key)
_ADVANCE = Statement(
    update(table(ConversationRow))
    .where(_c.key == param("which"))
    .values(
        revision=_c.revision + 1,
        **{name: param(name) for name in ("head_id", "depth", "messages", "updated_us", "last_exchange_id")},
    )
)
_TABLES: tuple[type[Base], ...] = (TurnRow, MessageRow, ExchangeRow, FeedbackRow, OriginRow, TaskRow)
_INSERTS = {one: insert_into(one) for one in _TABLES}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: the last line that is kept or set aside, and what there was up to it."""

    line: int = 0
    conversations: int = 0
    messages: int = 0
    rejected: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a file up to a line, `rejected` of which were set aside before; `last` when the file ends there."""

    import_id: str
    rows: Sequence[ImportedConversation]
    seen: Progress
    line: int
    rejected: int
    last: bool
    route: str
    remembers: bool
    now_us: int


@dataclass(slots=True)
class _Conversation:
    key: int
    head_id: str
    depth: int
    messages: int
    updated_us: int
    last_exchange_id: str = ""


@dataclass(slots=True)
class _Rows:
    """What is to be inserted, by table."""

    by_table: dict[type[Base], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: type[Base], **values: object) -> None:
        self.by_table[row].append(values)


def begin(tx: Transaction, import_id: str, form: str, now_us: int) -> Progress:
    """How far the import of this file is; it is written down when it is new."""
    tx.run(_BEGIN, _whole(ImportRow, {"id": import_id, "form": form, "started_us": now_us, "updated_us": now_us}))
    row = tx.one(_FIND, {"which": import_id})
    return Progress(int(row[0]), int(row[1]), int(row[2]), int(row[3]), bool(row[4])) if row else Progress()


def keep(tx: Transaction, batch: Batch) -> tuple[Progress, dict[int, str]]:
    """Keeps the rows of a batch; how far the import is then, and the lines that are set aside with the reason.

    Raises BusyError when another process imports the same file.
    """
    row = tx.one(_LOCK, {"which": batch.import_id})
    if row is None or int(row[0]) != batch.seen.line:
        raise BusyError("another import of this file is running", hint="wait for it: it imports the rest")
    whose = _owners(tx, batch)
    there: dict[tuple[int, str], _Conversation] = {}
    rows, refused = _Rows(), {}
    messages = 0
    for one in batch.rows:
        owner_key, consent = whose[one.owner.tenant, one.owner.name]
        try:
            conversation = _conversation(tx, one, owner_key, batch, there)
        except InvalidInput as error:
            refused[one.line] = str(error)
            continue
        messages += _add(rows, one, conversation, owner_key, _of_exchange(consent, one), batch)
    for kind in _TABLES:
        defaults = _DEFAULTS[kind]
        tx.many(_INSERTS[kind], [{**defaults, **values} for values in rows.by_table[kind]])
    for held in there.values():
        moved = ("head_id", "depth", "messages", "updated_us", "last_exchange_id")
        tx.run(_ADVANCE, {"which": held.key, **{name: getattr(held, name) for name in moved}})
    seen = batch.seen
    now = replace(
        seen,
        line=batch.line,
        conversations=seen.conversations + len(batch.rows) - len(refused),
        messages=seen.messages + messages,
        rejected=seen.rejected + batch.rejected + len(refused),
        done=batch.last,
    )
    counts = {"line": now.line, "conversations": now.conversations, "messages": now.messages, "done": now.done}
    tx.run(_MOVE, {"which": batch.import_id, **counts, "rejected": now.rejected, "updated_us": batch.now_us})
    return now, refused


def _owners(tx: Transaction, batch: Batch) -> dict[tuple[str, str], tuple[int, bool | None]]:
    """The keys of the owners and what they said of training, by tenant and name: locked in one order, for rivals."""
    named = {(one.owner.tenant, one.owner.name): one for one in batch.rows}
    found = {}
    for name, first in sorted(named.items()):
        state = owners.find_or_make(tx, first.owner, batch.now_us)
        if not owners.lock(tx, state.key):  # erased at the same moment: this is somebody new
            state = owners.find_or_make(tx, first.owner, batch.now_us)
        found[name] = (state.key, state.consent)
    for one in batch.rows:
        if one.consent is not None:
            key, _ = found[one.owner.tenant, one.owner.name]
            found[one.owner.tenant, one.owner.name] = (key, _told(tx, key, one, batch.now_us))
    return found


def _told(tx: Transaction, owner_key: int, one: ImportedConversation, now_us: int) -> bool | None:
    """What the owner says of training after this answer: an older one does not undo a newer."""
    row = tx.one(_CONSENT, {"owner": owner_key})
    known, known_us = (row[0], int(row[1])) if row else (None, 0)
    at_us = min(one.turns[-1][-1].message.created_us, now_us)
    if one.consent is None or (known is not None and known_us > at_us):
        return None if known is None else bool(known)
    consents.record(tx, owner_key, one.consent, at_us)
    return one.consent


def _of_exchange(known: bool | None, one: ImportedConversation) -> bool | None:
    """Whether an exchange may be used for training: a refusal that stands counts, whatever was said at its time."""
    return known if known is False or one.consent is None else one.consent


def _conversation(
    tx: Transaction,
    one: ImportedConversation,
    owner_key: int,
    batch: Batch,
    there: dict[tuple[int, str], _Conversation],
) -> _Conversation:
    """The conversation that a row is, or goes on with. Raises InvalidInput for one that was held here.

    So it does for one that was gone on with here: what is older would come after what is newer.
    """
    id = one.id or f"imp-{batch.import_id[:16]}-{one.line}"
    if held := there.get((owner_key, id)):
        return held
    row = tx.one(_NEW, _fresh(one, id, owner_key, batch))
    if row is not None:
        held = _Conversation(int(row[0]), "", 0, 0, 0)
    else:
        found = tx.one(_THERE, {"owner": owner_key, "id": id})
        if found is None or found[1] != IMPORTED or found[6]:
            raise InvalidInput("a conversation of this id was held here", hint="give it another id")
        if not one.id:
            raise InvalidInput("this conversation was imported before", hint="nothing is to be done")
        held = _Conversation(int(found[0]), found[2], int(found[3]), int(found[4]), 0)
        if _changed(tx, held, found[5]):
            raise InvalidInput("this conversation has changed here since it was imported", hint="give it another id")
    there[owner_key, id] = held
    return held


def _changed(tx: Transaction, held: _Conversation, last_exchange_id: str) -> bool:
    """Whether it has other messages than those that were imported."""
    taken = tx.one(_TAKEN, {"which": held.key})
    answered = tx.one(_ANSWERED_BY, {"which": last_exchange_id})  # some may be erased, and as many be new
    return taken is None or taken[0] != held.messages or (answered is not None and answered[0] != IMPORTED)


def _fresh(one: ImportedConversation, id: str, owner_key: int, batch: Batch) -> dict[str, Any]:
    first = next(said.message for said in one.turns[0] if said.message.role == "user")
    named = {"owner_key": owner_key, "id": id, "route": batch.route, "arm": IMPORTED, "title": title_of(first.parts)}
    times = {"created_us": first.created_us, "updated_us": one.turns[-1][-1].message.created_us}
    return _whole(ConversationRow, {**named, **times, "tags": encode_tags(one.tags)})


def _add(
    rows: _Rows, one: ImportedConversation, held: _Conversation, owner_key: int, consent: bool | None, batch: Batch
) -> int:
    """Adds the rows of a conversation; returns how many messages it has."""
    whose = {"owner_key": owner_key, "conversation_key": held.key}
    before = held.messages
    for turn in one.turns:
        turn_id = new_id("trn")
        ids = [new_id("msg") for _ in turn]
        asked = next(id for id, said in zip(ids, turn, strict=True) if said.message.role == "user")
        for id, said in zip(ids, turn, strict=True):
            _add_message(rows, whose, turn_id, id, held, said)
        _add_exchanges(rows, whose, turn_id, list(zip(ids, turn, strict=True)), held, (one.model, consent, batch.route))
        last = turn[-1].message
        answered = last.role == "assistant" and not last.tool_calls
        rows.add(
            TurnRow,
            **whose,
            id=turn_id,
            message_id=asked,
            state="answered" if answered else "abandoned",
            reply_id=ids[-1] if answered else "",
            started_us=turn[0].message.created_us,
            ended_us=last.created_us,
        )
        if batch.remembers:
            task = {"kind": "index", "subject": asked, "state": "waiting", "created_us": batch.now_us}
            rows.add(TaskRow, id=new_id("tsk"), owner_key=owner_key, **task)
    origin = {"import_id": batch.import_id, "line": one.line, "messages": held.messages - before}
    rows.add(OriginRow, **whose, **origin, id=new_id("org"), instructions=one.instructions, details=one.details)
    return held.messages - before


def _add_message(
    rows: _Rows, whose: Mapping[str, int], turn_id: str, id: str, held: _Conversation, said: ImportedMessage
) -> None:
    message = said.message
    rows.add(
        MessageRow,
        **whose,
        id=id,
        turn_id=turn_id,
        parent_id=held.head_id,
        depth=held.depth,
        role=message.role,
        parts=encode_parts(message.parts),
        created_us=message.created_us,
    )
    held.head_id, held.depth, held.messages = id, held.depth + 1, held.messages + 1
    held.updated_us = max(held.updated_us, message.created_us)
    for opinion in said.opinions:
        given = {"kind": opinion.kind, "rating": opinion.rating, "text": opinion.text}
        rows.add(FeedbackRow, **whose, **given, id=new_id("fbk"), message_id=id, created_us=message.created_us)


def _add_exchanges(
    rows: _Rows,
    whose: Mapping[str, int],
    turn_id: str,
    turn: Iterable[tuple[str, ImportedMessage]],
    held: _Conversation,
    answered_by: tuple[str, bool | None, str],
) -> None:
    """An exchange for each message of the assistant's: a tool round has one of its own."""
    model, consent, route = answered_by
    number = 0
    for id, said in turn:
        if said.message.role != "assistant":
            continue
        held.last_exchange_id = new_id("exc")
        rows.add(
            ExchangeRow,
            **whose,
            id=held.last_exchange_id,
            turn_id=turn_id,
            number=number,
            reply_id=id,
            route=route,
            arm=IMPORTED,
            provider=IMPORTED,
            model=model,
            plan=_PLAN,
            outcome="answered",
            stop="tool_calls" if said.message.tool_calls else "end",
            consent=consent,
            started_us=said.message.created_us,
        )
        number += 1


def _whole(row: type[Base], values: Mapping[str, Any]) -> dict[str, Any]:
    return {**_DEFAULTS[row], **values}


def _defaults(row: type[Base]) -> dict[str, Any]:
    """What a column holds where nothing is said: as the table declares it."""
    declared = row.model_fields
    return {name: one.get_default() for name, one in declared.items() if not one.is_required()}


_WITH_DEFAULTS: tuple[type[Base], ...] = (*_TABLES, ConversationRow, ImportRow)
_DEFAULTS = {one: _defaults(one) for one in _WITH_DEFAULTS}
