"""The first transaction of a turn: it claims the conversation, and makes the user's message durable.

Nothing was asked of a model by then. A turn that comes to nothing before its first call is ended here too.
"""

from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import update

from persona.errors import ConversationBusy, IdempotencyMismatch, NotFound
from persona.store import conversations, messages, owners, tasks
from persona.store.codec import encode_parts
from persona.store.conversations import ConversationState
from persona.store.earlier import Earlier, begun_by
from persona.store.ids import new_id
from persona.store.owners import OwnerState
from persona.store.statements import insert_into, param, table
from persona.store.tables import ConversationRow, TurnRow
from persona.store.transaction import Statement, Transaction
from persona.store.turns import Advance, close_turn, message_of, title_of
from persona.values.message import Message, Part
from persona.values.owner import Owner

_CLAIMS = 5  # tries, where other turns are quicker

_turns, _conversations = table(TurnRow), table(ConversationRow)
_t, _c = _turns.c, _conversations.c

_INSERT_TURN = insert_into(TurnRow)
_ABANDON = Statement(
    update(_turns)
    .where(_t.id == param("which"), _t.state == "running")
    .values(state="abandoned", ended_us=param("ended_us"))
)
_CLAIM = Statement(
    update(_conversations)
    .where(_c.key == param("which"), _c.revision == param("seen"))  # two workers may have read it as free
    .values(
        head_id=param("head_id"),
        depth=param("depth"),
        messages=_c.messages + param("added"),
        revision=_c.revision + 1,
        updated_us=param("updated_us"),
        lease_turn_id=param("lease_turn_id"),
        lease_until_us=param("lease_until_us"),
    )
)
_RESUME = Statement(
    update(_turns).where(_t.id == param("which")).values(state="running", started_us=param("started_us"))
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a turn starts from. `turn_id` is new: by it, an opening whose COMMIT got no answer is known again.

    `new_route` and `new_arm` let the conversation be made when it is not there. `replaces` is the id of a user
    message that this one edits; `again` that of one which gets another reply. `tokens` counts the message for the
    conversation as it turns out to be; `remembers` puts the task that makes a new one a memory,
    `learns` the one that learns facts from it.
    """

    turn_id: str
    owner: Owner
    conversation_id: str
    parts: tuple[Part, ...]
    now_us: int
    lease_us: int
    tokens: Callable[[ConversationState, Message], dict[str, int]]
    new_route: str = ""
    new_arm: str = ""
    idempotency_key: str = ""
    replaces: str = ""
    again: str = ""
    remembers: bool = False
    learns: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A turn that may call the model. `before` is the conversation as it was, whose head is the message's parent
    unless this turn branches off: it edits that message or answers it again, and the head moves to its branch only
    with the reply. `keeps_head` says that the conversation went on meanwhile and stays where it is.
    """

    turn_id: str
    owner: OwnerState
    before: ConversationState
    message: Message
    revision: int
    held_until_us: int
    keeps_head: bool = False
    branches: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The turn with this idempotency key has its reply already."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody holds the conversation; `same_key` says that it is this very turn."""

    until_us: int
    same_key: bool = False


def open_turn(tx: Transaction, opening: Opening) -> Opened | Answered | Held:
    """Claims the conversation and journals the user's message. Raises NotFound, IdempotencyMismatch, and
    ConversationBusy when others are quicker again and again.

    On PostgreSQL another turn may have claimed it after it was read: the claim waits for that one's commit, finds
    another revision, and what is there now is read and judged afresh. Nothing was written before it.
    """
    for _ in range(_CLAIMS):
        owner, conversation = conversations.find(tx, opening.owner, opening.conversation_id)
        found = _judge(tx, opening, owner, conversation)
        if found is not None:
            return found
    raise ConversationBusy("other turns took the conversation at the same moment", hint="try again")


def fail_turn(tx: Transaction, opened: Opened, now_us: int, error: BaseException) -> None:
    """Ends a turn that failed, or was cancelled, before any call: its message stays, unanswered."""
    before = opened.before
    advance = Advance(
        turn_id=opened.turn_id,
        held_until_us=opened.held_until_us,
        conversation_key=before.key,
        owner_key=opened.owner.key,
        head=opened.message,
        added=(),
        anchor=before.anchor,
        last_exchange_id=before.last_exchange_id,
        now_us=now_us,
        keeps=before if opened.keeps_head or opened.branches else None,
    )
    cancelled = isinstance(error, CancelledError)
    close_turn(tx, advance, "cancelled" if cancelled else "failed", error=type(error).__name__)


def _judge(
    tx: Transaction, opening: Opening, owner: OwnerState | None, conversation: ConversationState | None
) -> Opened | Answered | Held | None:
    """The turn begun, or why it is not; None when somebody else made or claimed the conversation meanwhile."""
    if owner and conversation and conversation.lease_turn_id == opening.turn_id:
        return _begun(tx, opening, owner, conversation)
    earlier = begun_by(tx, owner.key, opening.idempotency_key) if opening.idempotency_key and owner else None
    if owner and earlier:
        if conversation is None:  # made, perhaps, between the two looks
            _, conversation = conversations.find(tx, opening.owner, opening.conversation_id)
        return _again(tx, opening, owner, conversation, earlier)
    if owner is None or conversation is None:
        made = _make(tx, opening)
        return _begin(tx, opening, *made) if made else None
    if conversation.lease_turn_id and conversation.lease_until_us > opening.now_us:
        return Held(conversation.lease_until_us)
    return _begin(tx, opening, owner, conversation)


def _again(
    tx: Transaction, opening: Opening, owner: OwnerState, conversation: ConversationState | None, earlier: Earlier
) -> Opened | Answered | Held | None:
    """What the idempotency key says: answered, being answered, or to be tried again on the same message."""
    same = earlier.again == opening.again and (earlier.again or earlier.parts == encode_parts(opening.parts))
    if conversation is None or conversation.key != earlier.conversation_key or not same:
        raise IdempotencyMismatch(
            f"idempotency key {opening.idempotency_key!r} was used for another text or conversation",
            hint="use a new key for each message",
        )
    if earlier.state == "answered":
        return Answered(earlier.reply_id)
    turn_id = earlier.turn_id
    if conversation.lease_turn_id and conversation.lease_until_us > opening.now_us:
        return Held(conversation.lease_until_us, same_key=conversation.lease_turn_id == turn_id)
    found = conversations.message(tx, opening.owner, earlier.message_id)
    assert found is not None, "a turn's message is stored with it"  # noqa: S101 - narrows the type
    last = _last_of_turn(tx, conversation, turn_id) or found[0]
    branches = opening.again or opening.replaces
    keeps = not branches and conversation.head_id not in (last.id, earlier.message_id)
    opened = _claim(tx, opening, owner, conversation, turn_id, found[0], added=0, keeps_head=keeps)
    if opened:
        if conversation.lease_turn_id != turn_id:
            _abandon(tx, conversation, opening.now_us)
        tx.put(_RESUME, {"which": turn_id, "started_us": opening.now_us})
    return opened


def _last_of_turn(tx: Transaction, conversation: ConversationState, turn_id: str) -> Message | None:
    """The head, when it belongs to this turn (a tool round that was cut)."""
    newest = conversations.path(tx, conversation.key, conversation.head_id, conversation.depth - 1)
    return newest[-1].message if newest and newest[-1].message.turn_id == turn_id else None


def _make(tx: Transaction, opening: Opening) -> tuple[OwnerState, ConversationState] | None:
    """A new conversation, of an owner who may be new too; None when somebody else made it at the same moment."""
    if not opening.new_route or opening.replaces or opening.again:
        raise NotFound(
            f"no conversation {opening.conversation_id!r} for this user",
            hint="`persona conversations` lists theirs; in code, create=True starts one under an id of your own",
        )
    owner = owners.find_or_make(tx, opening.owner, opening.now_us)
    if not owners.hold(tx, owner.key):
        return None  # erased at the same moment
    made = (opening.conversation_id, opening.new_route, opening.new_arm, title_of(opening.parts), opening.now_us)
    if not conversations.make(tx, owner.key, *made):
        return None
    _, conversation = conversations.find(tx, opening.owner, opening.conversation_id)
    assert conversation is not None, "a conversation that was just inserted is there"  # noqa: S101 - narrows the type
    return owner, conversation


def _begin(tx: Transaction, opening: Opening, owner: OwnerState, conversation: ConversationState) -> Opened | None:
    turn_id = opening.turn_id
    message = _message(tx, opening, conversation)
    added = 0 if opening.again else 1
    opened = _claim(tx, opening, owner, conversation, turn_id, message, added)
    if opened is None:
        return None
    _abandon(tx, conversation, opening.now_us)
    if added:
        counts = opening.tokens(conversation, message)
        messages.insert(tx, owner.key, conversation.key, message, counts)
        if opening.remembers:  # here, not at the end: a turn that dies leaves its message, which is to be recalled
            tasks.put(tx, "index", owner.key, message.id, opening.now_us)
        if opening.learns and owner.learning:
            tasks.put(tx, "learn", owner.key, message.id, opening.now_us, conversation.key)
    tx.put(
        _INSERT_TURN,
        {
            "id": turn_id,
            "owner_key": owner.key,
            "conversation_key": conversation.key,
            "message_id": message.id,
            "idempotency_key": opening.idempotency_key or None,
            "state": "running",
            "reply_id": "",
            "error": "",
            "started_us": opening.now_us,
            "ended_us": 0,
        },
    )
    return opened


def _begun(tx: Transaction, opening: Opening, owner: OwnerState, now: ConversationState) -> Opened:
    """The turn as it was opened by the same transaction run before, whose COMMIT got no answer."""
    message = message_of(tx, opening.owner, opening.turn_id)
    assert message is not None, "a turn's message is stored with it"  # noqa: S101 - narrows the type
    before = replace(now, revision=now.revision - 1)
    branches = bool(opening.again or opening.replaces)
    if not opening.again:
        before = replace(before, messages=now.messages - 1)
    if not branches:
        before = replace(before, head_id=message.parent_id, depth=message.depth)
    return Opened(opening.turn_id, owner, before, message, now.revision, now.lease_until_us, branches=branches)


def _message(tx: Transaction, opening: Opening, conversation: ConversationState) -> Message:
    """The turn's user message: a new one at the head, a new sibling of the one it replaces, or one that is there."""
    parent_id, depth = conversation.head_id, conversation.depth
    if named := opening.replaces or opening.again:
        found = conversations.message(tx, opening.owner, named)
        if found is None or found[1] != conversation.key or found[0].role != "user":
            raise NotFound(f"no user message {named!r} in this conversation")
        if opening.again:
            return found[0]
        parent_id, depth = found[0].parent_id, found[0].depth
    return Message("user", opening.parts, new_id("msg"), parent_id, opening.turn_id, depth, opening.now_us)


def _claim(
    tx: Transaction,
    opening: Opening,
    owner: OwnerState,
    conversation: ConversationState,
    turn_id: str,
    message: Message,
    added: int,
    keeps_head: bool = False,
) -> Opened | None:
    """The turn, which holds the conversation from now on; None when it is no longer as it was read."""
    branches = bool(opening.again or opening.replaces)
    stays = keeps_head or branches
    claimed = tx.run(
        _CLAIM,
        {
            "which": conversation.key,
            "seen": conversation.revision,
            "head_id": conversation.head_id if stays else message.id,
            "depth": conversation.depth if stays else message.depth + 1,
            "added": added,
            "updated_us": opening.now_us,
            "lease_turn_id": turn_id,
            "lease_until_us": opening.now_us + opening.lease_us,
        },
    )
    if not claimed:
        return None
    revision, until_us = conversation.revision + 1, opening.now_us + opening.lease_us
    return Opened(turn_id, owner, conversation, message, revision, until_us, keeps_head, branches)


def _abandon(tx: Transaction, conversation: ConversationState, now_us: int) -> None:
    """Ends the turn whose lease ran out: whoever ran it is gone, or will find that it lost the conversation."""
    if conversation.lease_turn_id:
        tx.put(_ABANDON, {"which": conversation.lease_turn_id, "ended_us": now_us})
