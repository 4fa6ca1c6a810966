"""Asks a route's shadow arm what another arm has just answered: logged beside that reply, and shown to nobody.

The shadow is asked what it would have been asked in the reply's place, with the tools and the answer's schema that were
declared. What it says is an exchange of its own: no message holds it, so no history, memory or dataset does. Of tools
that it calls none is run.
"""

from collections.abc import Callable
from dataclasses import replace

from persona.render.logged import Logged, read
from persona.render.past import Past
from persona.render.prepare import longest_reply, rules_for
from persona.render.prompts import Prompts
from persona.render.rendered import Rendered
from persona.routing.routes import Arm
from persona.store import exchanges
from persona.store.codec import storable
from persona.store.log import LogReader
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.asking import Called, call, log_call
from persona.tasks.workshop import Workshop
from persona.values.log import LoggedConversation, LoggedExchange
from persona.values.message import Part, Text
from persona.values.request import Request

_READER = LogReader()


async def shadow(workshop: Workshop, task: Task) -> Callable[[Transaction], None] | None:
    """Asks the shadow arm; logging what it said ends the task, so that it is logged once."""
    found = await workshop.database.run(lambda tx: _read(tx, task), write=False)
    arm = workshop.routes.shadow(found.exchange.route) if found else None
    if found is None or arm is None or arm.name == found.exchange.arm:
        return None  # erased meanwhile, or no longer wanted
    past, rendered = await _render(workshop, arm, found)
    request = _request(workshop, arm, found, rendered)
    called = await call(workshop, task, "shadow", found.exchange.turn_id, arm, request, rendered.plan)
    workshop.providers.learn(arm.targets[0], rendered.plan.total, called.exchange.usage.input_tokens)
    return lambda tx: _keep(tx, called, past.prompts)


def _read(tx: Transaction, task: Task) -> Logged | None:
    """The first exchange of the turn; None where it was erased."""
    conversation = _READER.turn(tx, task.conversation_key, task.subject)
    exchange = _first_of_turn(conversation) if conversation else None
    if conversation is None or exchange is None:
        return None
    return read(tx, conversation, exchange)


def _first_of_turn(conversation: LoggedConversation) -> LoggedExchange | None:
    """The exchange that answered the user's message itself, before any tool had run."""
    parents = {message.id: message.parent_id for message in conversation.messages}
    asked = {message.id for message in conversation.messages if message.role == "user"}
    return next((one for one in conversation.exchanges if parents.get(one.reply_id) in asked), None)


async def _render(workshop: Workshop, arm: Arm, found: Logged) -> tuple[Past, Rendered]:
    target = arm.targets[0]
    past = Past(arm, target, workshop.providers.counter(target), rules_for(workshop.providers, arm, target))
    first, shots = found.conversation.messages[0], None
    if arm.similar_shots and not first.depth:  # of a longer conversation only the end was read
        shots = await Prompts(workshop.embedder).choose_shots(arm, first.text)
    known = (found.conversation, found.exchange, found.memories, *found.declared)
    return past, past.render(*known, plan=found.plan, shots=shots)


def _request(workshop: Workshop, arm: Arm, found: Logged, rendered: Rendered) -> Request:
    return Request(
        arm.targets[0].model,
        rendered.messages,
        tools=rendered.tools,
        max_output_tokens=longest_reply(arm, rendered.plan),
        temperature=arm.temperature,
        timeout_s=workshop.settings.turn.timeout_s,
        cache_key=found.conversation.id,
        stable=rendered.stable,
        answer=rendered.answer,
    )


def _keep(tx: Transaction, called: Called, prompts: dict[str, str]) -> None:
    """In the transaction that takes the task off the list: whoever erases takes the task first, and then finds this."""
    heard = called.heard
    text: tuple[Part, ...] = (Text(storable("".join(heard.text))),) if heard.text else ()
    log_call(tx, replace(called.exchange, said=(*text, *heard.calls)), called.allowed)
    for digest, words in prompts.items():
        exchanges.keep_prompt(tx, digest, words)
