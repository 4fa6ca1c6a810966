"""One call of a model for background work: through a route, with the turn's retries, and logged as an exchange."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from persona.calling.attempt import Heard, ask
from persona.calling.brought import brought_by
from persona.calling.limits import Allowance, allowances, check, refuse
from persona.errors import PersonaError
from persona.routing.routes import Arm
from persona.store import conversations, exchanges, holds, meters, owners
from persona.store.codec import storable, written
from persona.store.exchanges import Exchange, Purpose
from persona.store.ids import new_id
from persona.store.meters import Used
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.workshop import Workshop
from persona.telemetry.watching import Outgoing
from persona.values.message import Message
from persona.values.owner import Owner
from persona.values.plan import HistoryRange, Plan, SectionPlan
from persona.values.request import Request, Target
from persona.window.counting import label

_BUSY_S = 20.0  # a call ends within about as long, and thousands that wait must not ask all the time


async def arm_of(workshop: Workshop, route: str) -> Arm:
    """The arm that does a route's background work, by the settings or by a hold."""
    held = await workshop.database.run(lambda tx: holds.arm(tx, route), write=False)
    return workshop.routes.arm(route, workshop.routes.assign(route, Owner("", "")), held)


class NotNow(Exception):
    """The model's caps are taken or it rests after failures, so it was not asked: turns go first."""

    def __init__(self, why: str, retry_after_s: float) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Called:
    """A call that was answered, and not yet logged: what was said, the exchange, and the limits that count it."""

    heard: Heard
    exchange: Exchange
    allowed: tuple[Allowance, ...]


async def answer(
    workshop: Workshop, task: Task, purpose: Purpose, turn_id: str, arm: Arm, asked: Message, max_output_tokens: int
) -> str:
    """What the arm's target answers, whole; empty when it was refused or cut short. Raises as `call` does."""
    request = Request(
        arm.targets[0].model,
        (*arm.instructions, asked),
        max_output_tokens=max_output_tokens,
        temperature=arm.temperature,
        timeout_s=workshop.settings.turn.timeout_s,
    )
    called = await call(workshop, task, purpose, turn_id, arm, request, _plan(workshop, arm, arm.targets[0], asked))
    await workshop.database.run(lambda tx: _log(tx, called.exchange, called.allowed))
    heard = called.heard
    whole = heard.finish is not None and heard.finish.stop == "end"  # neither refused nor cut short
    return storable("".join(heard.text)) if whole else ""


async def call(
    workshop: Workshop, task: Task, purpose: Purpose, turn_id: str, arm: Arm, request: Request, plan: Plan
) -> Called:
    """One call of the arm's target, within its caps. One that fails is logged here.

    Raises ProviderError; and before anything is asked LimitReached, when the user's calls may use no more, and NotNow.
    """
    allowed = await _allowed(workshop, task, arm)
    target, heard, exchange_id = arm.targets[0], Heard(), new_id("exc")

    def exchange(error: str = "") -> Exchange:
        return _exchange(exchange_id, workshop, task, purpose, turn_id, arm, target, plan, heard, error)

    try:
        known_as = workshop.providers.known_as(target.provider)
        outgoing = Outgoing(known_as, target, request, arm.route, arm.name, exchange_id, purpose)
        await _ask(workshop, outgoing, heard, plan.total + (request.max_output_tokens or 0))
    except PersonaError as error:
        failed = exchange(type(error).__name__)
        await workshop.database.run(lambda tx: _log(tx, failed, allowed))
        raise
    return Called(heard, exchange(), allowed)


async def _ask(workshop: Workshop, outgoing: Outgoing, heard: Heard, tokens: int) -> None:
    """The call, if it can begin at once; the target's breaker hears how it ended."""
    target, providers = outgoing.target, workshop.providers
    capacity, breaker = providers.capacity(target), providers.breaker(target)
    if not capacity.free(tokens):
        raise NotNow("its model is busy", _BUSY_S)
    if not breaker.lets_through(target):
        raise NotNow("its model rests after failures", workshop.settings.turn.rest_s)
    deadline = asyncio.get_running_loop().time() + outgoing.request.timeout_s
    with breaker.watched(target, lambda: heard.tries):
        async with capacity.place(tokens, deadline):
            await ask(
                providers.chat(target),
                outgoing,
                heard,
                providers.telemetry,
                retries=workshop.settings.turn.retries,
                first_by=deadline,
                deadline=deadline,
                show=lambda delta: None,
            )
    capacity.give_back(tokens, heard.usage)


def log_call(tx: Transaction, called: Exchange, allowed: Sequence[Allowance]) -> None:
    """Writes the exchange, and counts it once."""
    if exchanges.log(tx, called):
        meters.add(tx, (one.meter for one in allowed), called)


def _exchange(
    id: str,
    workshop: Workshop,
    task: Task,
    purpose: Purpose,
    turn_id: str,
    arm: Arm,
    target: Target,
    plan: Plan,
    heard: Heard,
    error: str,
) -> Exchange:
    """The call as it is logged: what it used and cost, and not a word of it."""
    return Exchange(
        id=id,
        turn_id=turn_id,
        conversation_key=task.conversation_key,
        owner_key=task.owner_key,
        number=0,
        route=arm.route,
        arm=arm.name,
        target=target,
        plan=written(plan),
        outcome="failed" if error else "answered",
        consent=None,
        error=error,
        purpose=purpose,
        **brought_by(heard, target, workshop.providers.card(target), workshop.now_us()),
    )


def _plan(workshop: Workshop, arm: Arm, target: Target, asked: Message) -> Plan:
    counter = workshop.providers.counter(target)
    pinned, said, framing = counter.messages(arm.instructions), counter.message(asked), counter.framing.per_request
    limit = arm.window.budget - arm.window.reserve
    return Plan(
        target=str(target),
        counter=counter.name,
        label=label(counter, workshop.providers.calibration(target).samples),
        total=pinned + said + framing,
        limit=limit,
        reserve=arm.window.reserve,
        framing=framing,
        tools=0,
        sections=(SectionPlan("instructions", pinned, pinned), SectionPlan("input", said, said)),
        history=HistoryRange(0, 0, "", 0, 0, 0),
    )


async def _allowed(workshop: Workshop, task: Task, arm: Arm) -> tuple[Allowance, ...]:
    rules, now_us = workshop.settings.limits, workshop.now_us()
    if not rules:
        return ()

    def look(tx: Transaction) -> tuple[tuple[Allowance, ...], Sequence[tuple[Allowance, Used]]]:
        owner = owners.named(tx, task.owner_key)
        allowed = allowances(rules, owner, task.owner_key, arm.route, now_us) if owner else ()
        return allowed, check(tx, allowed)

    allowed, reached = await workshop.database.run(look)
    refuse(reached, now_us)
    return allowed


def _log(tx: Transaction, called: Exchange, allowed: Sequence[Allowance]) -> None:
    """Nothing is written of a conversation or a user who is gone meanwhile."""
    if conversations.hold(tx, called.conversation_key) and owners.lock(tx, called.owner_key):
        log_call(tx, called, allowed)
