"""Mends what stays when something was erased: the path of its conversation, plans that name it, work that read it."""

import re
from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from persona.errors import Erased
from persona.store import conversations, turns
from persona.store.codec import decode_parts
from persona.store.statements import param, table
from persona.store.tables import ConversationRow, ExchangeRow, MessageRow, TaskRow, TurnRow
from persona.store.transaction import Statement, Transaction
from persona.values.message import Message

GONE = "erased"
"""What stands for the id of something that was erased in the plans and anchors of what stays."""

_c, _k, _m, _t, _e = (table(row).c for row in (ConversationRow, TaskRow, MessageRow, TurnRow, ExchangeRow))
_ID = re.compile("[a-z]{3}_[0-9A-Z]{26}")
_PAGE = 500  # exchanges whose plans are read at once

_PLACE_OF = Statement(select(_m.depth).where(_m.conversation_key == param("conversation"), _m.id == param("which")))
_MOVE_CHILDREN = Statement(
    update(table(MessageRow))
    .where(_m.conversation_key == param("conversation"), _m.parent_id == param("which"))
    .values(parent_id=param("to"))
)
_MEND = Statement(
    update(table(ConversationRow))
    .where(_c.key == param("conversation"))
    .values(
        title=param("title"),
        head_id=param("head_id"),
        depth=param("depth"),
        messages=_c.messages - param("taken"),
        last_exchange_id=param("last_exchange_id"),
        revision=_c.revision + 1,  # what others keep of it in memory is read anew
    )
)
_RUNNING = Statement(select(_c.key, _c.lease_turn_id).where(_c.owner_key == param("owner"), _c.lease_turn_id != ""))
_LET_GO = Statement(
    update(table(ConversationRow))
    .where(_c.key == param("conversation"))
    .values(lease_turn_id="", lease_until_us=0, revision=_c.revision + 1)
)
_STOP = Statement(
    update(table(TurnRow))
    .where(_t.id == param("which"))
    .values(state="abandoned", error=Erased.__name__, ended_us=param("now_us"))
)
_BEGIN_AGAIN = Statement(  # a worker that has it loses it, and what it read with it
    update(table(TaskRow))
    .where(_k.owner_key == param("owner"), _k.state == "running")
    .values(state="waiting", lease_until_us=0)
)
_PLANS = Statement(
    select(_e.id, _e.plan).where(_e.owner_key == param("owner"), _e.id > param("after")).order_by(_e.id).limit(_PAGE)
)
_REPLAN = Statement(update(table(ExchangeRow)).where(_e.id == param("which")).values(plan=param("plan")))
_ANCHORS = Statement(select(_c.key, _c.anchor).where(_c.owner_key == param("owner"), _c.anchor != ""))
_REANCHOR = Statement(
    update(table(ConversationRow)).where(_c.key == param("conversation")).values(anchor=param("anchor"))
)
_FIRST = Statement(
    select(_m.parts)
    .where(_m.conversation_key == param("conversation"), _m.role == "user")
    .order_by(_m.depth, _m.id)
    .limit(1)
)


def mend_conversation(
    tx: Transaction, key: int, gone: Sequence[str], before: str, calls: Collection[str], erased: Message
) -> None:
    """Lets a conversation go on without the messages that are gone: what came after them follows `before`.

    `calls` are the exchanges that went with them; a title that was made of the erased message is made anew.
    """
    for id in gone:
        tx.run(_MOVE_CHILDREN, {"conversation": key, "which": id, "to": before})
    state = conversations.by_key(tx, key)
    assert state is not None, "its lock is held"  # noqa: S101 - narrows the type
    head_id, depth, title = state.head_id, state.depth, state.title
    if head_id in gone:
        row = tx.one(_PLACE_OF, {"conversation": key, "which": before})
        head_id, depth = (before, int(row[0]) + 1) if row else ("", 0)
    if title and title in " ".join(erased.text.split()):
        first = tx.one(_FIRST, {"conversation": key})
        title = turns.title_of(decode_parts(first[0])) if first else ""
    last = "" if state.last_exchange_id in calls else state.last_exchange_id
    mended = {"title": title, "head_id": head_id, "depth": depth, "last_exchange_id": last}
    tx.run(_MEND, {"conversation": key, "taken": len(gone), **mended})


def take_ids_out(tx: Transaction, owner_key: int, ids: Collection[str]) -> int:
    """Takes the ids of what is gone out of the plans and anchors of what stays; returns how many plans named one."""
    owner, named, after = {"owner": owner_key}, 0, ""
    while page := tx.all(_PLANS, {**owner, "after": after}):
        for id, plan in page:
            if (without := _without(plan, ids)) != plan:
                named += tx.run(_REPLAN, {"which": id, "plan": without})
        after = page[-1][0]
    for key, anchor in tx.all(_ANCHORS, owner):
        if (without := _without(anchor, ids)) != anchor:
            tx.run(_REANCHOR, {"conversation": key, "anchor": without})
    return named


def stop_what_runs(tx: Transaction, owner_key: int, now_us: int) -> None:
    """Takes from turns and workers what they hold of an owner: they have read what is gone."""
    owner = {"owner": owner_key}
    for key, turn_id in tx.all(_RUNNING, owner):
        tx.run(_LET_GO, {"conversation": key})
        tx.run(_STOP, {"which": turn_id, "now_us": now_us})
    tx.run(_BEGIN_AGAIN, owner)


def _without(text: str, ids: Collection[str]) -> str:
    return _ID.sub(lambda found: GONE if found[0] in ids else found[0], text)
