"""Summarises what is about to leave a conversation's window, through the route that the settings name for it."""

from collections.abc import Callable
from dataclasses import dataclass

from persona.routing.routes import Arm
from persona.store import conversations, exchanges, summaries
from persona.store.conversations import ConversationState, Stored
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.asking import answer, arm_of
from persona.tasks.workshop import Workshop
from persona.values.message import Message, say
from persona.values.plan import Plan
from persona.window.anchor import due_for_summary, room_of_history
from persona.window.materials import turns_of

_LONGEST_PART = 2_000  # characters of one message that the summariser is shown
_SHARE_OF_WINDOW = 0.1  # of the summarising route's budget, for the summary itself


@dataclass(frozen=True, slots=True)
class _Read:
    """A conversation before its summary: the last window's plan, the path, and what is summarised already."""

    conversation: ConversationState
    plan: Plan
    stored: list[Stored]
    earlier: str
    start: int


async def summarise(workshop: Workshop, task: Task) -> Callable[[Transaction], None] | None:
    """Writes one summary, on top of the last one; keeping it ends the task. Nothing happens when it is not due."""
    found = await workshop.database.run(lambda tx: _read(tx, task), write=False)
    if found is None:
        return None
    arm = workshop.routes.arm(found.conversation.route, found.conversation.arm, found.conversation.held)
    leaving = _leaving(workshop, arm, found)
    if not leaving or not arm.summarise:
        return None
    text = await _write(workshop, task, arm.summarise, found.earlier, leaving)
    upto = (leaving[-1].id, leaving[-1].depth)
    return lambda tx: _keep(tx, workshop, task, upto, text)


def _read(tx: Transaction, task: Task) -> _Read | None:
    conversation = conversations.by_key(tx, task.conversation_key)
    plan = exchanges.plan(tx, conversation.last_exchange_id) if conversation else None
    if conversation is None or plan is None:
        return None
    rows = summaries.of_conversation(tx, conversation.key)
    earlier, start = (rows[0][1], rows[0][2] + 1) if rows else ("", 0)
    first = min(start, plan.history.first_depth)
    stored = conversations.path(tx, conversation.key, conversation.head_id, first)
    return _Read(conversation, plan, stored, earlier, start)


def _leaving(workshop: Workshop, arm: Arm, found: _Read) -> list[Message]:
    """The messages that a jump at a full window would leave out, and that no summary holds yet."""
    counter = workshop.providers.counter(arm.targets[0])
    shown = [one for one in found.stored if one.message.depth >= found.plan.history.first_depth]
    tokens = [one.tokens.get(counter.name) or counter.message(one.message) for one in shown]
    turns = turns_of([one.message for one in shown], tokens)
    room = room_of_history(found.plan.outline(), arm.window.sections.history.max)
    depth = due_for_summary(turns, room, arm.window.low_water, 0.0)
    said = [one.message for one in found.stored if one.message.depth >= found.start]
    return [message for message in said if depth is not None and message.depth <= depth]


async def _write(workshop: Workshop, task: Task, route: str, earlier: str, leaving: list[Message]) -> str:
    arm = await arm_of(workshop, route)
    said = "\n".join(f"{one.role}: {one.text[:_LONGEST_PART]}" for one in leaving if one.text)
    before = f"The summary so far:\n{earlier}\n\n" if earlier else ""
    asked = say("user", f"{before}Summarise this conversation for the assistant that continues it:\n{said}")
    most = int(arm.window.budget * _SHARE_OF_WINDOW)
    return await answer(workshop, task, "summarise", leaving[-1].turn_id, arm, asked, most)


def _keep(tx: Transaction, workshop: Workshop, task: Task, upto: tuple[str, int], text: str) -> None:
    """Keeps the summary if the conversation still goes through the message that it ends with."""
    conversation = conversations.by_key(tx, task.conversation_key)
    if conversation is None or not text.strip():
        return
    path = conversations.path(tx, conversation.key, conversation.head_id, upto[1])
    if path and path[0].message.id == upto[0]:
        summaries.add(tx, task.owner_key, task.conversation_key, upto, text, workshop.now_us())
