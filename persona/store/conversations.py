"""Conversations: their state, their path from the root to the head, and their listing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select, update

from persona.errors import InvalidInput
from persona.store.codec import decode_parts, decode_tags, decode_tokens, encode_tags
from persona.store.owners import COLUMNS as OWNER_COLUMNS
from persona.store.owners import IS_OWNER, OwnerState, identity, state_of
from persona.store.statements import insert_unless_there, param, table
from persona.store.tables import ConversationRow, HoldRow, MessageRow, OwnerRow
from persona.store.transaction import Row, Statement, Transaction
from persona.values.message import Message
from persona.values.owner import Owner
from persona.values.record import record
from persona.values.turn import ConversationEntry, Page

READ_BACK = 400
"""Messages read where it is not known how far a window goes back: more than one of 8k tokens shows."""

_LAST = 2**62  # after every time and every key
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")

_owners, _conversations, _messages = table(OwnerRow), table(ConversationRow), table(MessageRow)
_holds = table(HoldRow)
_c, _m = _conversations.c, _messages.c
_STATE = (
    *(
        _c.key,
        _c.owner_key,
        _c.id,
        _c.route,
        _c.arm,
        _c.title,
        _c.head_id,
        _c.depth,
        _c.messages,
        _c.revision,
    ),
    *(_c.anchor, _c.last_exchange_id, _c.lease_turn_id, _c.lease_until_us),
    func.coalesce(_holds.c.arm, ""),
)
_MESSAGE = (_m.id, _m.parent_id, _m.turn_id, _m.depth, _m.role, _m.parts, _m.tokens, _m.created_us)

_FIND = Statement(
    select(*OWNER_COLUMNS, *_STATE)
    .select_from(
        _owners.outerjoin(
            _conversations,
            and_(_c.owner_key == _owners.c.key, _c.id == param("id")),
        ).outerjoin(_holds, _holds.c.route == _c.route)
    )
    .where(*IS_OWNER)
)
_INSERT = insert_unless_there(ConversationRow)
_HOLD = Statement(select(_c.key).where(_c.key == param("which")).with_for_update(read=True, key_share=True))
_BY_KEY = Statement(
    select(*_STATE)
    .select_from(_conversations.outerjoin(_holds, _holds.c.route == _c.route))
    .where(_c.key == param("which"))
)
_BY_OWNER = select(
    *(_c.id, _c.title, _c.route, _c.created_us, _c.updated_us, _c.messages, _c.archived_us, _c.tags, _c.key)
).join(_owners, _owners.c.key == _c.owner_key)
_LIST = Statement(
    _BY_OWNER.where(*IS_OWNER, or_(_c.archived_us == 0, param("archived") == 1))
    .where(
        or_(
            _c.updated_us < param("before_us"),
            and_(_c.updated_us == param("before_us"), _c.key < param("before_key")),
        )
    )
    .order_by(_c.updated_us.desc(), _c.key.desc())
    .limit(param("most"))
)
_ARCHIVE = Statement(update(_conversations).where(_c.key == param("which")).values(archived_us=param("archived_us")))
_TAGS = Statement(select(_c.tags).where(_c.key == param("which")).with_for_update())
_TAG = Statement(update(_conversations).where(_c.key == param("which")).values(tags=param("tags")))
_TITLE = Statement(update(_conversations).where(_c.key == param("which")).values(title=param("title")))

_start = (
    select(*_MESSAGE)
    .where(_m.id == param("head"), _m.conversation_key == param("conversation"))
    .cte("path", recursive=True)
)
_up = _messages.alias("up")
_PATH = Statement(
    select(
        _start.union_all(
            select(*(_up.c[column.name] for column in _MESSAGE)).where(
                _up.c.id == _start.c.parent_id, _up.c.depth >= param("first_depth")
            )
        )
    )
)
_MESSAGE_OF_OWNER = Statement(
    select(*_MESSAGE, _m.conversation_key)
    .join(_owners, _owners.c.key == _m.owner_key)
    .where(*IS_OWNER, _m.id == param("id"))
)


@dataclass(frozen=True, slots=True)
class ConversationState:
    """A conversation as stored. `head_id` is its newest message, `depth` that one's depth plus one.

    `arm` is the one it began on; `held` the one that its route is held on now, or empty.
    """

    key: int
    owner_key: int
    id: str
    route: str
    arm: str
    title: str
    head_id: str
    depth: int
    messages: int
    revision: int
    anchor: str
    last_exchange_id: str
    lease_turn_id: str
    lease_until_us: int
    held: str


@record(frozen=True, slots=True)
class Stored:
    """A message with the counts that were made of it, by counter."""

    message: Message
    tokens: dict[str, int]


def find(tx: Transaction, owner: Owner, id: str) -> tuple[OwnerState | None, ConversationState | None]:
    """The owner and their conversation of this id; None for what is not there, or is somebody else's."""
    row = tx.one(_FIND, {**identity(owner), "id": id})
    if row is None:
        return None, None
    state = row[len(OWNER_COLUMNS) :]
    return state_of(row[: len(OWNER_COLUMNS)]), ConversationState(*state) if state[0] is not None else None


def by_key(tx: Transaction, key: int) -> ConversationState | None:
    """One conversation by its key, for background work."""
    row = tx.one(_BY_KEY, {"which": key})
    return ConversationState(*row) if row else None


def hold(tx: Transaction, key: int) -> bool:
    """Keeps a conversation from being deleted until this transaction ends. False when it is gone."""
    return tx.one(_HOLD, {"which": key}) is not None


def make(tx: Transaction, owner_key: int, id: str, route: str, arm: str, title: str, now_us: int) -> bool:
    """A new, empty conversation. False when somebody else made it at the same moment."""
    blank = {"tags": "", "head_id": "", "depth": 0, "messages": 0, "revision": 0, "anchor": "", "last_exchange_id": ""}
    free = {"archived_us": 0, "lease_turn_id": "", "lease_until_us": 0}
    named = {"owner_key": owner_key, "id": id, "route": route, "arm": arm, "title": title}
    return bool(tx.run(_INSERT, {**named, **blank, **free, "created_us": now_us, "updated_us": now_us}))


def path(tx: Transaction, conversation_key: int, head_id: str, first_depth: int = 0) -> list[Stored]:
    """The messages from `first_depth` to the head, oldest first."""
    if not head_id:
        return []
    rows = tx.all(_PATH, {"conversation": conversation_key, "head": head_id, "first_depth": first_depth})
    found = [stored_of(row) for row in rows]
    return sorted((one for one in found if one.message.depth >= first_depth), key=lambda one: one.message.depth)


def message(tx: Transaction, owner: Owner, id: str) -> tuple[Message, int] | None:
    """One message of this owner with the key of its conversation, or None."""
    row = tx.one(_MESSAGE_OF_OWNER, {**identity(owner), "id": id})
    return (stored_of(row[:-1]).message, int(row[-1])) if row else None


def listing(tx: Transaction, owner: Owner, limit: int, cursor: str, archived: bool) -> Page:
    """The owner's conversations, newest first. `cursor` is where the last page ended.

    Raises InvalidInput for a cursor that no page gave, and for a limit below 1.
    """
    if limit < 1:
        raise InvalidInput(f"a page of {limit} conversations was asked for", hint="ask for at least 1")
    before_us, before_key = _place(cursor) if cursor else (_LAST, _LAST)
    where = {"before_us": before_us, "before_key": before_key, "archived": int(archived), "most": limit + 1}
    rows = tx.all(_LIST, {**identity(owner), **where})
    shown = rows[:limit]
    more = f"{shown[-1][4]}-{shown[-1][-1]}" if len(rows) > limit else ""
    return Page(tuple(_entry(row) for row in shown), more)


def _place(cursor: str) -> tuple[int, int]:
    """What `listing` wrote into a cursor, which may have been in a browser meanwhile."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput("the cursor is not one that a page gave", hint="pass page.cursor as it was")
    return int(found[1]), int(found[2])


def archive(tx: Transaction, key: int, now_us: int) -> None:
    """Puts a conversation out of the listing; 0 brings it back."""
    tx.run(_ARCHIVE, {"which": key, "archived_us": now_us})


def rename(tx: Transaction, key: int, title: str) -> None:
    """Gives a conversation a title."""
    tx.run(_TITLE, {"which": key, "title": title})


def tag(tx: Transaction, key: int, added: Sequence[str], taken: Sequence[str] = ()) -> tuple[str, ...]:
    """Adds tags to a conversation and takes others away; returns those it has now, in the order they were given."""
    row = tx.one(_TAGS, {"which": key})
    tags = [one for one in dict.fromkeys((*decode_tags(row[0] if row else ""), *added)) if one not in taken]
    tx.run(_TAG, {"which": key, "tags": encode_tags(tags)})
    return tuple(tags)


def stored_of(row: Row) -> Stored:
    """The message in a row."""
    id, parent_id, turn_id, depth, role, parts, tokens, created_us = row
    message = Message(role, decode_parts(parts), id, parent_id, turn_id, depth, created_us)
    return Stored(message, decode_tokens(tokens))


def _entry(row: Row) -> ConversationEntry:
    id, title, route, created_us, updated_us, messages, archived_us, tags, _ = row
    return ConversationEntry(id, title, route, created_us, updated_us, messages, bool(archived_us), decode_tags(tags))
