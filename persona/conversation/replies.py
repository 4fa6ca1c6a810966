"""Replies as callers see them: fresh from a turn, or read back from the log."""

from collections.abc import Sequence

from persona.calling.price import total_cost, total_usage
from persona.store import conversations, exchanges
from persona.store.engine import Transaction
from persona.store.exchanges import Exchange
from persona.values.memory import Recalled, Source
from persona.values.message import Message
from persona.values.owner import Owner
from persona.values.turn import Reply


def reply_of(message: Message, conversation_id: str, calls: Sequence[Exchange], recalled: Sequence[Recalled]) -> Reply:
    """The reply of a turn that has just ended. Its usage and cost are those of every call of the turn."""
    last = calls[-1]
    shown = {c.id for c in last.plan.section("recall").candidates if c.included}
    return Reply(
        id=message.id,
        text=message.text,
        conversation_id=conversation_id,
        target=str(last.target),
        stop=last.stop or "other",
        sources=tuple(hit.source for hit in recalled if hit.id in shown),
        usage=total_usage(call.usage for call in calls),
        cost=total_cost(call.cost for call in calls),
    )


def stored_reply(tx: Transaction, owner: Owner, conversation_id: str, reply_id: str) -> Reply | None:
    """A reply read back. Its sources are what the plan names: titles, without dates or headings."""
    found = conversations.message(tx, owner, reply_id)
    calls = exchanges.calls_of_reply(tx, reply_id)
    if found is None or not calls:
        return None
    last = calls[-1]
    hits = [c for c in last.plan.section("recall").candidates if c.included]
    return Reply(
        id=reply_id,
        text=found[0].text,
        conversation_id=conversation_id,
        target=str(last.target),
        stop=last.stop,  # type: ignore[arg-type]  # written from a StopReason
        sources=tuple(Source("chunk" if "." in c.title else "turn", c.id, c.title) for c in hits),
        usage=total_usage(call.usage for call in calls),
        cost=total_cost(call.cost for call in calls),
        repeated=True,
    )
