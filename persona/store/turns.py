"""How a turn that is open goes on: a tool round, its end, and the conversation's new head.

`close_turn` writes the reply, the exchange, the summary task and the new head at once. A turn that lost its lease
writes nothing. How it is opened is in `opening`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, update

from persona.errors import ConversationBusy, Erased, PersonaError
from persona.store import conversations, messages
from persona.store.conversations import ConversationState
from persona.store.statements import param, table
from persona.store.tables import ConversationRow, TurnRow
from persona.store.transaction import Statement, Transaction
from persona.values.message import Message, Part, text_of
from persona.values.owner import Owner

TurnState = Literal["running", "answered", "failed", "cut", "cancelled", "abandoned"]
_TITLE_CHARS = 60

_turns, _conversations = table(TurnRow), table(ConversationRow)
_t, _c = _turns.c, _conversations.c

_MESSAGE_OF = Statement(select(_t.message_id).where(_t.id == param("which")))
_END_TURN = Statement(
    update(_turns)
    .where(_t.id == param("which"))
    .values(state=param("state"), reply_id=param("reply_id"), error=param("error"), ended_us=param("ended_us"))
)
_HELD = Statement(
    select(_c.key).where(
        _c.key == param("which"), _c.lease_turn_id == param("turn"), _c.lease_until_us == param("until_us")
    )
)
_ERROR = Statement(select(_t.error).where(_t.id == param("which")))
_KEPT = Statement(select(_t.id).where(_t.id == param("which"), _t.reply_id == param("reply")))
_ADVANCE = Statement(
    update(_conversations)
    # the time tells one claim of a turn from the next: a turn may be taken up again when its lease ran out
    .where(_c.key == param("which"), _c.lease_turn_id == param("turn"), _c.lease_until_us == param("held_until_us"))
    .values(
        head_id=param("head_id"),
        depth=param("depth"),
        messages=_c.messages + param("added"),
        revision=_c.revision + 1,
        anchor=param("anchor"),
        last_exchange_id=param("last_exchange_id"),
        updated_us=param("updated_us"),
        lease_turn_id=param("lease_turn_id"),
        lease_until_us=param("lease_until_us"),
    )
)


@dataclass(frozen=True, slots=True)
class Advance:
    """How a conversation moves on: the messages added on top of `head`, and what else is to be remembered."""

    turn_id: str
    held_until_us: int
    conversation_key: int
    owner_key: int
    head: Message
    added: Sequence[tuple[Message, dict[str, int]]]
    anchor: str
    last_exchange_id: str
    now_us: int
    keeps: ConversationState | None = None


def lease(tx: Transaction, advance: Advance, until_us: int) -> bool:
    """Adds the messages of a tool round and keeps the lease. Raises ConversationBusy when it was lost, and Erased.

    False when this was done before: a transaction whose COMMIT got no answer may be run again.
    """
    if _advance(tx, advance, advance.turn_id, until_us):
        return True
    if tx.one(_HELD, {"which": advance.conversation_key, "turn": advance.turn_id, "until_us": until_us}):
        return False
    raise _lost(tx, advance)


def close_turn(tx: Transaction, advance: Advance, state: TurnState, reply_id: str = "", error: str = "") -> bool:
    """Ends the turn, moves the head, and lets the conversation go. Raises ConversationBusy when the lease was lost, and
    Erased when that was because something of the user was erased.

    False when this reply was kept before: a transaction whose COMMIT got no answer may be run again.
    """
    if not _advance(tx, advance, "", 0):
        if reply_id and tx.one(_KEPT, {"which": advance.turn_id, "reply": reply_id}):
            return False
        raise _lost(tx, advance)
    ended = {"which": advance.turn_id, "state": state, "reply_id": reply_id, "error": error}
    tx.put(_END_TURN, {**ended, "ended_us": advance.now_us})
    return True


def message_of(tx: Transaction, owner: Owner, turn_id: str) -> Message | None:
    """The user message of one of this owner's turns."""
    row = tx.one(_MESSAGE_OF, {"which": turn_id})
    found = conversations.message(tx, owner, row[0]) if row else None
    return found[0] if found else None


def title_of(parts: Sequence[Part]) -> str:
    """What a conversation that begins with this message is called."""
    return " ".join(text_of(parts).split())[:_TITLE_CHARS]


def _lost(tx: Transaction, advance: Advance) -> PersonaError:
    """Why the turn does not hold its conversation any more: erasing takes the turn away, or ends it as `Erased`."""
    row = tx.one(_ERROR, {"which": advance.turn_id})
    if row is None or row[0] == Erased.__name__:
        return Erased(
            "something of this user was erased while the turn ran, so its reply is not kept",
            hint="send the message again if it is still wanted",
        )
    return ConversationBusy("this turn took longer than its lease and another one took the conversation over")


def _advance(tx: Transaction, advance: Advance, lease_turn_id: str, until_us: int) -> bool:
    """Moves the conversation on; False, with nothing written, when this turn does not hold it any more."""
    last = advance.added[-1][0] if advance.added else advance.head
    head_id, depth = last.id, last.depth + 1
    if advance.keeps:
        head_id, depth = advance.keeps.head_id, advance.keeps.depth
    moved = tx.run(
        _ADVANCE,
        {
            "which": advance.conversation_key,
            "turn": advance.turn_id,
            "held_until_us": advance.held_until_us,
            "head_id": head_id,
            "depth": depth,
            "added": len(advance.added),
            "anchor": advance.anchor,
            "last_exchange_id": advance.last_exchange_id,
            "updated_us": advance.now_us,
            "lease_turn_id": lease_turn_id,
            "lease_until_us": until_us,
        },
    )
    if moved:
        for message, tokens in advance.added:
            messages.insert(tx, advance.owner_key, advance.conversation_key, message, tokens)
    return bool(moved)
