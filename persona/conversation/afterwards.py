"""What can be done with a conversation after a turn: feedback, the plan, reading it back."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from persona.conversation.services import Services
from persona.errors import InvalidInput, NotFound
from persona.store import conversations, exchanges, feedback, turns
from persona.store.conversations import ConversationState
from persona.store.feedback import FeedbackKind
from persona.store.transaction import Transaction
from persona.values.message import Message
from persona.values.owner import Owner
from persona.values.plan import Plan

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Explained:
    """The plan behind a reply, and whose reply it is."""

    owner: Owner
    conversation_id: str
    plan: Plan


async def give(
    services: Services,
    owner: Owner,
    conversation_id: str,
    reply_id: str,
    kind: FeedbackKind,
    text: str = "",
    rating: float | None = None,
) -> None:
    """Keeps one piece of feedback on a reply. Raises NotFound and InvalidInput."""
    if kind in ("correction", "comment") and not (isinstance(text, str) and text.strip()):
        raise InvalidInput(f"the {kind} is empty", hint="pass what should have been said")
    if kind == "rating" and not (isinstance(rating, int | float) and isfinite(rating)):
        raise InvalidInput(f"the rating {rating!r} is no number", hint="pass a number; the scale is yours")

    def write(tx: Transaction) -> None:
        conversation = _conversation(tx, owner, conversation_id)
        _reply(tx, owner, conversation, reply_id)
        key = (conversation.owner_key, conversation.key)
        feedback.give(tx, *key, reply_id, kind, services.now_us(), text, rating)

    await services.database.run(write)


async def plan_of(services: Services, owner: Owner, conversation_id: str, reply_id: str) -> Plan:
    """The plan of the call that gave this reply. Raises NotFound."""

    def read(tx: Transaction) -> Plan:
        conversation = _conversation(tx, owner, conversation_id)
        _reply(tx, owner, conversation, reply_id)
        return exchanges.plans_of_reply(tx, owner, reply_id)[0]

    return await services.database.run(read, write=False)


async def explain(services: Services, reply_id: str, owner: Owner | None = None) -> Explained:
    """The plan behind a reply found by its id alone; with an owner, only among theirs. Raises NotFound.

    For operators: a backend asks with `plan_of`, which cannot reach another user's reply.
    """

    def read(tx: Transaction) -> Explained:
        found = exchanges.owner_of_reply(tx, reply_id)
        if found is None or owner not in (None, found[0]):
            whose = "" if owner is None else " of this user"
            raise NotFound(f"no reply {reply_id!r}{whose}", hint="`persona ask --json` gives the id of each reply")
        return Explained(*found, exchanges.plans_of_reply(tx, found[0], reply_id)[0])

    return await services.database.run(read, write=False)


async def asked_for(services: Services, owner: Owner, conversation_id: str, reply_id: str) -> Message:
    """The user message that this reply answers. Raises NotFound."""

    def read(tx: Transaction) -> Message:
        conversation = _conversation(tx, owner, conversation_id)
        reply = _reply(tx, owner, conversation, reply_id)
        found = turns.message_of(tx, owner, reply.turn_id)
        if found is None:
            raise NotFound(f"the message that reply {reply_id!r} answers is no longer stored")
        return found

    return await services.database.run(read, write=False)


async def messages_of(services: Services, owner: Owner, conversation_id: str) -> tuple[Message, ...]:
    """The conversation from its first message to its head. Raises NotFound."""

    def read(tx: Transaction) -> tuple[Message, ...]:
        conversation = _conversation(tx, owner, conversation_id)
        return tuple(one.message for one in conversations.path(tx, conversation.key, conversation.head_id))

    return await services.database.run(read, write=False)


async def change(services: Services, owner: Owner, conversation_id: str, write: Callable[[Transaction, int], T]) -> T:
    """Changes a conversation's row, found by its owner and id. Raises NotFound."""
    return await services.database.run(lambda tx: write(tx, _conversation(tx, owner, conversation_id).key))


def _conversation(tx: Transaction, owner: Owner, id: str) -> ConversationState:
    _, conversation = conversations.find(tx, owner, id)
    if conversation is None:
        raise NotFound(f"no conversation {id!r} for this user")
    return conversation


def _reply(tx: Transaction, owner: Owner, conversation: ConversationState, reply_id: str) -> Message:
    found = conversations.message(tx, owner, reply_id)
    if found is None or found[1] != conversation.key or found[0].role != "assistant":
        raise NotFound(f"no reply {reply_id!r} in this conversation")
    return found[0]
