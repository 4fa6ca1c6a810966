"""Learns facts from one message of a user, through the route that the settings name for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from persona.calling.providers import Providers
from persona.memory import learning
from persona.memory.learning import Learnt
from persona.routing.routes import Arm, Routes
from persona.settings.schema import Settings
from persona.store import conversations, facts, messages, owners
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.asking import answer, arm_of
from persona.tasks.workshop import Workshop
from persona.values.message import Message, Text
from persona.window.counting import Counter

log = logging.getLogger("persona.learn")

_EARLIER = 8  # messages before the one that is learnt from, of which the user's own help to understand it
_LONGEST_EARLIER = 500  # characters of each
_LONGEST = 8_000  # characters of the message itself
_SHORTEST = 200
_MAX_OUTPUT_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class _Read:
    """A message of the user's, and what they said before it."""

    message: Message
    earlier: tuple[Message, ...]


def learns(settings: Settings, routes: Routes, providers: Providers) -> bool:
    """Whether anything is learnt: a route is named for it, and its model does what it is asked to."""
    route = settings.memory.learn
    if not route:
        return False
    targets = [arm.targets[0] for arm in routes.all() if arm.route == route]
    return all(providers.adapter(target.provider).follows_instructions for target in targets)


async def learn(workshop: Workshop, task: Task) -> Callable[[Transaction], None] | None:
    """Asks a model what the message says of its user; keeping what it quotes ends the task."""
    if not learns(workshop.settings, workshop.routes, workshop.providers):
        return None
    found = await workshop.database.run(lambda tx: _read(tx, task), write=False)
    if found is None:
        return None  # erased meanwhile, or nothing is learnt of this user any more
    arm = await arm_of(workshop, workshop.settings.memory.learn)
    asked = _question(workshop, arm, found)
    most = min(arm.max_output_tokens or _MAX_OUTPUT_TOKENS, _MAX_OUTPUT_TOKENS)
    text = await answer(workshop, task, "learn", found.message.turn_id, arm, asked, most)
    learnt = learning.believed(text, found.message, workshop.slots, workshop.now_us())
    return lambda tx: _keep(tx, workshop, task, learnt)


def _read(tx: Transaction, task: Task) -> _Read | None:
    found = messages.to_remember(tx, task.owner_key, task.subject)
    if found is None or not owners.learns(tx, task.owner_key):
        return None
    first = max(0, found.depth - _EARLIER)
    path = [one.message for one in conversations.path(tx, task.conversation_key, task.subject, first)]
    said = [one for one in path if one.role == "user"]
    if not said or said[-1].id != task.subject:
        return None
    return _Read(said[-1], tuple(said[:-1]))


def _question(workshop: Workshop, arm: Arm, found: _Read) -> Message:
    """The question, cut to what the model takes: first goes what was said before."""
    counter: Counter = workshop.providers.counter(arm.targets[0])
    room = arm.window.budget - arm.window.reserve - counter.messages(arm.instructions)
    earlier, most = tuple(_cut(one, _LONGEST_EARLIER) for one in found.earlier), _LONGEST
    while True:
        asked = learning.question(workshop.slots, earlier, _cut(found.message, most))
        if counter.message(asked) <= room or most <= _SHORTEST:
            return asked
        earlier, most = (), most // 2


def _cut(message: Message, characters: int) -> Message:
    return replace(message, parts=(Text(message.text[:characters]),))


def _keep(tx: Transaction, workshop: Workshop, task: Task, learnt: Learnt) -> None:
    """Keeps what is news, unless the message or its user is gone or nothing is to be learnt any more."""
    if messages.to_remember(tx, task.owner_key, task.subject) is None or not owners.learns(tx, task.owner_key):
        return
    facts.lock(tx, task.owner_key)
    refused = learnt.refused.copy()
    for fact in learnt.facts:
        many = not fact.slot or workshop.slots.named(fact.slot).many
        kept = facts.add(tx, task.owner_key, fact, many=many)
        refused["known already"] += kept is not None and kept.id != fact.id
        refused["not news"] += kept is None
    ended = sum(facts.end_of_slot(tx, task.owner_key, one.slot, one.at_us, one.text) for one in learnt.ended)
    number = len(learnt.facts) + learnt.refused.total() - refused.total()
    why = ", ".join(f"{count} {reason}" for reason, count in refused.items() if count)
    more = (f", {ended} ended" if ended else "") + (f"; not kept: {why}" if why else "")
    log.info("learnt %d facts from message %s%s", number, task.subject, more)
