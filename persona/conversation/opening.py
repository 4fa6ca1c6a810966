"""Opens a turn: waits for the conversation, makes the message durable, gathers what the window may show."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from persona.adapter import is_quick
from persona.calling.limits import Allowance, allowances, check, refuse
from persona.conversation.answers import Awaited, expected
from persona.conversation.ask import Ask
from persona.conversation.gather import gather
from persona.conversation.journal import Journal, without_reply
from persona.conversation.replies import stored_reply
from persona.conversation.services import Services
from persona.conversation.tools import Offered, offer
from persona.conversation.turn import Turn
from persona.errors import (
    BusyError,
    ConversationBusy,
    NotFound,
    PersonaError,
    ProviderError,
    StoreError,
    TurnInProgress,
)
from persona.memory.embedding import embed
from persona.memory.recall import Query, query_of
from persona.render.prepare import Gathered
from persona.routing.routes import Arm, Shot
from persona.store.conversations import ConversationState
from persona.store.ids import new_id
from persona.store.meters import Used
from persona.store.opening import Answered, Held, Opened, Opening, fail_turn, open_turn
from persona.store.transaction import Transaction
from persona.tasks.learn import learns
from persona.telemetry.watching import TurnSpan
from persona.values.message import Message, text_of
from persona.values.request import TextDelta
from persona.values.turn import Event, Reply

_LEASE_MARGIN_S = 30.0  # for the closing transaction of a turn that used all its time
_FIRST_POLL_S, _LONGEST_POLL_S = 0.01, 0.25


_Within = tuple[Opened | Answered | Held, tuple[Allowance, ...], Sequence[tuple[Allowance, Used]]]
"""What came of opening a turn, the limits that count for its calls, and those that are reached."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A turn that may call the model, with everything its window may show; None while that takes longer.

    `allowed` are the limits that count for its calls.
    """

    opened: Opened
    arm: Arm
    gathered: Gathered | None
    allowed: tuple[Allowance, ...]


async def run_turn(services: Services, asked: Ask, show: Callable[[Event], None]) -> Reply[Any]:
    """Runs a turn and returns its reply; the stored one when its idempotency key was answered before.

    Raises ConversationBusy or TurnInProgress, before any model is called, when the conversation stays held, and
    LimitReached when nothing is left of what its calls may use.
    """
    services = services.as_they_are()
    if not asked.keys:
        return await _watched(services, asked, show)
    async with services.providers.with_keys(asked.keys) as services.providers:
        return await _watched(services, asked, show)


async def _watched(services: Services, asked: Ask, show: Callable[[Event], None]) -> Reply[Any]:
    """A turn, and what is told of it while it goes on."""
    offered, awaited = offer(asked.tools), expected(asked.answer)
    with services.providers.telemetry.turn(asked.conversation_id) as span:
        reply = await _run(services, asked, offered, awaited, show, span)
        span.replied(reply)
        return reply


async def _run(
    services: Services,
    asked: Ask,
    offered: dict[str, Offered],
    awaited: Awaited | None,
    show: Callable[[Event], None],
    span: TurnSpan,
) -> Reply[Any]:
    deadline = asyncio.get_running_loop().time() + asked.timeout_s
    # a quick embedder waits for nobody: its vector is made first, and one hop then opens and gathers
    query = await _query(services, asked, deadline) if is_quick(services.embedder) else None
    found = await _patiently(services, asked, query)
    if isinstance(found, Reply):
        reply = awaited.again(found) if awaited else found
        show(TextDelta(reply.text))
        return reply
    span.opened(found.opened.turn_id, found.arm.route, found.arm.name)
    try:
        return await _answer(services, asked, found, query, offered, awaited, deadline, show)
    finally:
        services.waiting.free((asked.owner, asked.conversation_id))


async def _answer(
    services: Services,
    asked: Ask,
    found: _Found,
    query: Query | None,
    offered: dict[str, Offered],
    awaited: Awaited | None,
    deadline: float,
    show: Callable[[Event], None],
) -> Reply[Any]:
    arm = found.arm
    try:
        gathered = found.gathered or await _gather_later(services, asked, found, query, deadline)
        shots, gathered = await _shots(services, arm, gathered, found.opened.message, deadline)
    except BaseException as error:
        await asyncio.shield(_give_up(services, found.opened, error))
        raise
    journal = Journal(
        services,
        asked,
        found.opened,
        arm,
        services.providers.counter(arm.targets[0]),
        _lease_us(asked),
        gathered.anchor,
        found.allowed,
        tuple(one.tool for one in offered.values()),
        awaited.schema if awaited else None,
        revision=found.opened.revision,
    )
    return await Turn(services, asked, journal, gathered, shots, offered, awaited, deadline, show).run()


async def _give_up(services: Services, opened: Opened, error: BaseException) -> None:
    """Lets go of the conversation of a turn that came to nothing before its first call."""
    with without_reply():
        await services.database.run(lambda tx: fail_turn(tx, opened, services.now_us(), error))


async def _gather_later(
    services: Services, asked: Ask, found: _Found, query: Query | None, deadline: float
) -> Gathered:
    """In a thread, for an index that is to be loaded first. The message is durable by now.

    With an embedder that is not quick the wait for a vector has its limit.
    """
    sought = query or await _query(services, asked, deadline)
    counter = services.providers.counter(found.arm.targets[0])
    gathered = await services.database.thread(
        lambda: gather(services, asked.owner, found.opened, found.arm, counter, sought)
    )
    assert gathered is not None, "in a thread there is time"  # noqa: S101 - narrows the type
    return gathered


async def _query(services: Services, asked: Ask, deadline: float) -> Query:
    """What memories are searched by. An embedder that fails leaves the words, and the plan says so."""
    text = text_of(asked.parts)
    if not text.strip():
        return query_of(text)
    try:
        # a quick embedder is done before a time-out could be looked at
        async with nullcontext() if is_quick(services.embedder) else asyncio.timeout_at(deadline):
            (vector,) = await embed(services.embedder, [text])
    except (ProviderError, TimeoutError) as error:
        note = f"recall went by words alone: the embedder failed with {type(error).__name__}"
        return replace(query_of(text), note=note)
    return replace(query_of(text), vector=vector)


async def _patiently(services: Services, asked: Ask, query: Query | None) -> Reply | _Found:
    """Opens the turn as soon as nobody else holds the conversation, and finds it again if COMMIT got no answer."""
    loop = asyncio.get_running_loop()
    patience, poll = loop.time() + services.settings.turn.wait_s, _FIRST_POLL_S
    turn_id, uncertain = new_id("trn"), False
    while True:
        try:
            found = services.database.at_once(lambda: _open(services, asked, query, turn_id))
            if found is None:
                found = await _uncut(services, lambda: _open(services, asked, query, turn_id))
            if not isinstance(found, Held):
                return found
            why: PersonaError = _busy(services, asked, found)
        except StoreError as error:
            uncertain = uncertain or error.uncertain
            if not (uncertain and error.retryable):
                raise
            why = error
        if loop.time() + poll > patience:
            raise why
        await services.waiting.until_free((asked.owner, asked.conversation_id), poll)
        poll = min(poll * 2, _LONGEST_POLL_S)


async def _uncut(services: Services, opening: Callable[[], Reply | Held | _Found]) -> Reply | Held | _Found:
    """Opens. Cancelled meanwhile, it lets go of the conversation before it passes that on."""
    came: list[Reply | Held | _Found] = []
    try:
        await services.database.soon(lambda: came.append(opening()))
    except asyncio.CancelledError:
        if came and isinstance(came[0], _Found):
            await _give_up(services, came[0].opened, asyncio.CancelledError())
        raise
    return came[0]


def _open(services: Services, asked: Ask, query: Query | None, turn_id: str) -> Reply | Held | _Found:
    """One transaction that opens the turn, one that reads what it may show."""
    opened, allowed, reached = services.database.run_now(lambda tx: _open_within(tx, services, asked, turn_id))
    if isinstance(opened, Held):
        return opened
    if isinstance(opened, Answered):
        return _answered(services, asked, opened)
    try:
        refuse(reached, services.now_us())
        arm = _serving(services, opened.before)
        counter = services.providers.counter(arm.targets[0])
        gathered = gather(services, asked.owner, opened, arm, counter, query) if query else None
        return _Found(opened, arm, gathered, allowed)
    except BaseException as error:
        cause = error  # the name goes when the block ends
        with without_reply():
            services.database.run_now(lambda tx: fail_turn(tx, opened, services.now_us(), cause))
        raise


def _open_within(tx: Transaction, services: Services, asked: Ask, turn_id: str) -> _Within:
    """Opens the turn, and looks in the same transaction whether the limits leave anything to its calls."""
    opened = open_turn(tx, _opening(services, asked, turn_id))
    rules = services.settings.limits
    if not rules or not isinstance(opened, Opened):
        return opened, (), ()
    allowed = allowances(rules, asked.owner, opened.owner.key, opened.before.route, services.now_us())
    return opened, allowed, check(tx, allowed)


def _opening(services: Services, asked: Ask, turn_id: str) -> Opening:
    def tokens(conversation: ConversationState, message: Message) -> dict[str, int]:
        counter = services.providers.counter(_serving(services, conversation).targets[0])
        return {counter.name: counter.message(message)}

    return Opening(
        turn_id=turn_id,
        owner=asked.owner,
        conversation_id=asked.conversation_id,
        parts=asked.parts,
        now_us=services.now_us(),
        lease_us=_lease_us(asked),
        tokens=tokens,
        new_route=asked.create,
        new_arm=services.routes.assign(asked.create, asked.owner, asked.arm) if asked.create else "",
        idempotency_key=asked.idempotency_key,
        replaces=asked.replaces,
        again=asked.again,
        remembers=services.settings.memory.turns and bool(text_of(asked.parts).strip()),
        learns=learns(services.settings, services.routes, services.providers) and bool(text_of(asked.parts).strip()),
    )


def _serving(services: Services, conversation: ConversationState) -> Arm:
    return services.routes.arm(conversation.route, conversation.arm, conversation.held)


def _answered(services: Services, asked: Ask, answered: Answered) -> Reply:
    reply = services.database.run_now(
        lambda tx: stored_reply(tx, asked.owner, asked.conversation_id, answered.reply_id), write=False
    )
    if reply is None:
        raise NotFound("the reply to this idempotency key is no longer stored", hint="send it under a new key")
    return reply


async def _shots(
    services: Services, arm: Arm, gathered: Gathered, message: Message, deadline: float
) -> tuple[tuple[Shot, ...], Gathered]:
    """The shots of this conversation: chosen for its first message, then frozen."""
    if not arm.shots:
        return (), gathered
    if gathered.anchor.frozen_us:
        return services.prompts.frozen_shots(arm, gathered.anchor.shots), gathered
    try:
        async with asyncio.timeout_at(deadline):
            return await services.prompts.choose_shots(arm, message.text), gathered
    except (ProviderError, TimeoutError) as error:
        note = f"the first shots were taken: the embedder failed with {type(error).__name__}"
        return arm.shots[: arm.shot_limit], replace(gathered, notes=(*gathered.notes, note))


def _busy(services: Services, asked: Ask, held: Held) -> BusyError:
    seconds = max(0.0, (held.until_us - services.now_us()) / 1_000_000)
    if held.same_key:
        return TurnInProgress(
            "this idempotency key is being answered by another call", hint="ask again in a moment with the same key"
        )
    return ConversationBusy(
        f"another turn holds conversation {asked.conversation_id!r}; no model was called",
        hint=f"try again; its lease ends in {seconds:.0f} s at the latest",
    )


def _lease_us(asked: Ask) -> int:
    return int((asked.timeout_s + _LEASE_MARGIN_S) * 1_000_000)
