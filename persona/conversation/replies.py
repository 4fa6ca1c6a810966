"""Replies as callers see them: fresh from a turn, or read back from the log."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from persona.calling.price import total_cost, total_usage
from persona.store import conversations, exchanges, memories
from persona.store.exchanges import Exchange
from persona.store.transaction import Transaction
from persona.values.memory import Recalled
from persona.values.message import Message
from persona.values.owner import Owner
from persona.values.plan import Plan
from persona.values.turn import Reply


def reply_of(
    message: Message,
    conversation_id: str,
    calls: Sequence[Exchange],
    recalled: Sequence[Recalled],
    shown: Sequence[str],
    answer: BaseModel | None = None,
) -> Reply[Any]:
    """The reply of a turn that has just ended. Usage and cost are those of the turn's calls that brought something.

    `shown` are the memories in the last window, as `shown_in` finds them.
    """
    last, sources = calls[-1], {hit.id: hit.source for hit in recalled}
    heard = [call for call in calls if call.stop]
    return Reply(
        id=message.id,
        text=message.text,
        conversation_id=conversation_id,
        target=str(last.target),
        stop=last.stop or "other",
        sources=tuple(sources[id] for id in shown if id in sources),
        usage=total_usage(call.usage for call in heard),
        cost=total_cost(call.cost for call in heard),
        answer=answer,
    )


def stored_reply(tx: Transaction, owner: Owner, conversation_id: str, reply_id: str) -> Reply | None:
    """A reply read back: the same, but for the sources that have been forgotten since."""
    found = conversations.message(tx, owner, reply_id)
    calls = exchanges.calls_of_reply(tx, reply_id)
    if found is None or not calls:
        return None
    last, heard = calls[-1], [call for call in calls if call.stop]
    sources = (memories.source(tx, id) for id in shown_in(last.plan))
    return Reply(
        id=reply_id,
        text=found[0].text,
        conversation_id=conversation_id,
        target=str(last.target),
        stop=last.stop,  # type: ignore[arg-type]  # written from a StopReason
        sources=tuple(source for source in sources if source),
        usage=total_usage(call.usage for call in heard),
        cost=total_cost(call.cost for call in heard),
        repeated=True,
    )


def shown_in(plan: Plan) -> tuple[str, ...]:
    """The ids of the memories in the window, best first. A fact that waits for the profile has no score."""
    candidates = plan.section("recall").candidates
    return tuple([one.id for one in candidates if one.included and one.score is not None])
