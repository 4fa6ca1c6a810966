"""One turn, start to end: open, gather, fit, call (and tools, and fallback), close."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from persona.calling.attempt import Heard, ask
from persona.conversation.answers import Awaited, Unfit
from persona.conversation.ask import Ask
from persona.conversation.journal import Journal, exchange_of, without_reply
from persona.conversation.replies import reply_of, shown_in
from persona.conversation.services import Services
from persona.conversation.tools import Offered, run_all
from persona.errors import (
    BadRequest,
    ContextTooLong,
    InvalidAnswer,
    ProviderError,
    Refused,
    StreamCut,
    ToolLoopExceeded,
    TurnCancelled,
)
from persona.render.prepare import Gathered, longest_reply, materials_for, rules_for
from persona.routing.routes import Shot
from persona.store.codec import PlanText, storable, written
from persona.store.exchanges import Outcome
from persona.store.ids import new_id
from persona.telemetry.watching import Outgoing
from persona.values.message import Message, Part, Role, Text
from persona.values.request import Request, Target
from persona.values.turn import AnswerRejected, Event, Reply, ToolFinished, ToolStarted
from persona.window.fit import Fitted, fit

_NOT_ELSEWHERE = (BadRequest, Refused, StreamCut)
"""What a fallback must not answer instead: our own mistake, a safety rule, a reply that was half shown."""


@dataclass(slots=True)
class _Underway:
    """A call that has been started and not yet noted. `shown` are the memories in its window.

    Its plan is written down before it waits: of the plan itself some forty values would wait with it, for the garbage
    collector to look at.
    """

    id: str
    target: Target
    plan: PlanText
    shown: tuple[str, ...]
    heard: Heard = field(default_factory=Heard)


@dataclass(frozen=True, slots=True)
class _Mending:
    """How the model was asked to mend its answer: messages of this turn's requests alone, after `at` of the stored."""

    at: int
    messages: tuple[Message, ...]


@dataclass(slots=True)
class Turn:
    """A turn that has been opened: the user's message is durable and the conversation is ours."""

    services: Services
    asked: Ask
    journal: Journal
    gathered: Gathered
    shots: tuple[Shot, ...]
    offered: dict[str, Offered]
    awaited: Awaited | None
    deadline: float
    show: Callable[[Event], None]
    _underway: _Underway | None = field(default=None, init=False)
    _writing: "asyncio.Future[None] | None" = field(default=None, init=False)
    _mending: _Mending | None = field(default=None, init=False)

    async def run(self) -> Reply[Any]:
        """The stored reply. However it ends, the log says so before this returns or raises."""
        try:
            return await self._answer()
        except BaseException as error:
            await asyncio.shield(self._settle(error))
            raise

    async def _answer(self) -> Reply[Any]:
        most, rounds = self.services.settings.turn.max_tool_rounds, 0
        while True:
            call = await self._call()
            if not call.heard.calls:
                answer = self._read(call)
                if not isinstance(answer, Unfit):
                    return await self._close(call, answer)
                self._mend(call, answer)
            elif rounds < most:
                rounds += 1
                await self._run_tools(call)
                await self.journal.check_limits()
            else:
                raise ToolLoopExceeded(
                    f"the model asked for tools more than {most} times",
                    hint="raise turn.max_tool_rounds, or look at what the tools return",
                )

    def _read(self, call: _Underway) -> BaseModel | Unfit | None:
        """The answer that was asked for, or why this is none; None when any words will do."""
        if self.awaited is None:
            return None
        return self.awaited.read("".join(call.heard.text), call.heard.finish.stop if call.heard.finish else "other")

    def _mend(self, call: _Underway, unfit: Unfit) -> None:
        """Has the next call ask for the answer once more. Raises InvalidAnswer when it did before."""
        assert self.awaited is not None, "an answer was read"  # noqa: S101 - narrows the type
        text = "".join(call.heard.text)
        if self._mending:
            cut = "raise max_output_tokens of the route, or ask for a shorter answer"
            hint = cut if "length" in unfit.kinds else "its `problems` say why: describe the fields, or ask for less"
            raise self.awaited.refuse(str(call.target), text, unfit, hint)
        self._note("failed", InvalidAnswer.__name__)
        self._mending = _Mending(len(self.journal.added), self.awaited.once_more(storable(text), unfit))
        self.show(AnswerRejected(unfit.problems))

    def _running(self) -> tuple[Message, ...]:
        """What this turn's requests show after the user's message."""
        added, mending = tuple(self.journal.added), self._mending
        return (*added[: mending.at], *mending.messages, *added[mending.at :]) if mending else added

    async def _call(self) -> _Underway:
        """One exchange with the arm's target, or with the first of its fallbacks that answers.

        A target that says nothing leaves the others their share of the time. One that rests is passed over, but the
        last one is asked all the same: somebody waits for an answer.
        """
        breaker, targets = self.services.providers.breaker, self.journal.arm.targets
        awake = [target for target in targets if breaker(target).state(target) != "open"] or list(targets)
        for left, target in zip(range(len(awake), 1, -1), awake, strict=False):
            if not breaker(target).lets_through(target):
                continue
            now = asyncio.get_running_loop().time()
            try:
                return await self._watched(target, now + (self.deadline - now) / left)
            except ProviderError as error:
                if isinstance(error, _NOT_ELSEWHERE) or self._shown():
                    raise
                self._note("failed", type(error).__name__)
        return await self._watched(awake[-1], self.deadline)

    async def _watched(self, target: Target, first_by: float) -> _Underway:
        """A call whose end the target's breaker hears of."""
        with self.services.providers.breaker(target).watched(target, self._tried):
            return await self._call_target(target, first_by)

    async def _call_target(self, target: Target, first_by: float) -> _Underway:
        try:
            return await self._try(target, first_by)
        except ContextTooLong as error:
            self._note("failed", type(error).__name__)
            self.services.providers.widen(target)
            return await self._try(target, first_by)

    async def _try(self, target: Target, first_by: float) -> _Underway:
        call, request = self._started(target)
        capacity, tokens = self.services.providers.capacity(target), call.plan.total + (request.max_output_tokens or 0)
        async with capacity.place(tokens, first_by):
            await ask(
                self.services.providers.chat(target),
                self._outgoing(call, request),
                call.heard,
                self.services.providers.telemetry,
                retries=self.services.settings.turn.retries,
                first_by=first_by,
                deadline=self.deadline,
                show=self.show,
            )
        capacity.give_back(tokens, call.heard.usage)
        self.services.providers.learn(target, call.plan.total, call.heard.usage.input_tokens)
        if call.heard.finish and call.heard.finish.stop == "refused":
            raise Refused(f"{target} stopped its reply by its safety rules", target=str(target))
        return call

    def _started(self, target: Target) -> tuple[_Underway, Request]:
        """The call that is under way from now on, and what it sends."""
        fitted = self._fit(target)
        self.journal.took(fitted, primary=target == self.journal.arm.targets[0])
        call = self._underway = _Underway(new_id("exc"), target, written(fitted.plan), shown_in(fitted.plan))
        return call, self._request(target, fitted)

    def _outgoing(self, call: _Underway, request: Request) -> Outgoing:
        arm, provider = self.journal.arm, self.services.providers.known_as(call.target.provider)
        conversation_id = self.journal.opened.before.id
        return Outgoing(provider, call.target, request, arm.route, arm.name, call.id, conversation_id=conversation_id)

    def _fit(self, target: Target) -> Fitted:
        journal = self.journal
        materials, anchor = materials_for(
            self.services.providers,
            self.services.prompts,
            journal.arm,
            target,
            self.gathered,
            journal.opened.message,
            journal.opened.owner.traits,
            journal.tools,
            journal.answer,
            self.shots,
            self._running(),
            journal.opened.message.created_us,
        )
        previous = journal.plan or self.gathered.plan
        return fit(
            materials,
            rules_for(self.services.providers, journal.arm, target),
            journal.anchor if journal.plan else anchor,
            previous,
            same_turn=journal.plan is not None,
        )

    def _request(self, target: Target, fitted: Fitted) -> Request:
        arm = self.journal.arm
        return Request(
            model=target.model,
            messages=fitted.messages,
            tools=self.journal.tools,
            max_output_tokens=longest_reply(arm, fitted.plan),
            temperature=arm.temperature,
            stream=self.asked.stream,
            timeout_s=max(0.001, self.deadline - asyncio.get_running_loop().time()),
            cache_key=self.journal.opened.before.id,
            stable=fitted.stable,
            answer=self.journal.answer,
        )

    async def _run_tools(self, call: _Underway) -> None:
        """Commits what the model asked for, runs it, and commits the results."""
        turn = self.services.settings.turn
        said: tuple[Part, ...] = (Text("".join(map(storable, call.heard.text))),) if call.heard.text else ()
        asking = self._message("assistant", (*said, *call.heard.calls))
        self._note("answered", reply_id=asking.id)
        await self._write(self.journal.round(asking))
        for tool_call in call.heard.calls:
            self.show(ToolStarted(tool_call))
        left_s = max(0.0, self.deadline - asyncio.get_running_loop().time())
        timeout_s = min(turn.tool_timeout_s, left_s)
        telemetry, most = self.services.providers.telemetry, turn.max_tool_result_chars
        results = await run_all(call.heard.calls, self.offered, timeout_s, most, telemetry)
        for result in results:
            self.show(ToolFinished(result))
        await self._write(self.journal.round(self._message("tool", tuple(results))))

    async def _close(self, call: _Underway, answer: BaseModel | None) -> Reply[Any]:
        reply = self._message("assistant", (Text(storable("".join(call.heard.text))),))
        self._note("answered", reply_id=reply.id)
        if not self.journal.end_at_once(self.gathered, reply):
            await self._write(self.journal.end("answered", self.gathered, reply))
        before, recalled = self.journal.opened.before, self.gathered.recalled
        return reply_of(reply, before.id, self.journal.calls, recalled, call.shown, answer)

    async def _write(self, write: Coroutine[Any, Any, None]) -> None:
        """Waits for a write that goes on to its end even when the turn is cancelled meanwhile."""
        self._writing = asyncio.ensure_future(write)
        await asyncio.shield(self._writing)

    async def _settle(self, error: BaseException) -> None:
        """Ends a turn that will have no reply, unless its reply was just being written."""
        if self._writing and not self._writing.done():
            await asyncio.wait([self._writing])
        if self.journal.ended:
            return
        state, name = _verdict(error)
        self._note(state, name)
        self.journal.withdraw(name)
        with without_reply():
            await self.journal.end(state, self.gathered, error=name)

    def _note(self, outcome: Outcome, error: str = "", reply_id: str = "") -> None:
        call, self._underway = self._underway, None
        if call:
            told = (call.id, call.target, call.plan, call.heard, outcome, error, reply_id)
            self.journal.note(exchange_of(self.journal, *told))

    def _tried(self) -> bool:
        return self._underway is not None and bool(self._underway.heard.tries)

    def _shown(self) -> bool:
        return self._underway is not None and self._underway.heard.shown

    def _message(self, role: Role, parts: tuple[Part, ...]) -> Message:
        parent = self.journal.last()
        return Message(
            role, parts, new_id("msg"), parent.id, self.journal.opened.turn_id, parent.depth + 1, self.services.now_us()
        )


def _verdict(error: BaseException) -> tuple[Literal["failed", "cut", "cancelled"], str]:
    """What the log says of a turn that ended with this error."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled", TurnCancelled.__name__
    return ("cut" if isinstance(error, StreamCut) else "failed"), type(error).__name__
