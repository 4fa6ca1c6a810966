"""Writes a turn down as it goes: a tool round, the end, the tail for the next turn, and the tasks it causes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from persona.calling.attempt import Heard
from persona.calling.brought import brought_by
from persona.calling.limits import Allowance, check, refuse
from persona.conversation.ask import Ask
from persona.conversation.gather import encode_anchor
from persona.conversation.services import Services
from persona.conversation.tails import Tail
from persona.errors import Erased, PersonaError, StoreError
from persona.render.prepare import Gathered
from persona.routing.routes import Arm
from persona.store import exchanges, facts, feedback, memories, meters, summaries, tasks, turns
from persona.store.codec import PlanText, storable
from persona.store.exchanges import Exchange
from persona.store.opening import Opened
from persona.store.transaction import Transaction
from persona.store.turns import Advance, TurnState
from persona.values.message import Message
from persona.values.plan import Outline
from persona.values.request import AnswerSchema, Target, Tool
from persona.window.anchor import due_for_summary, room_of_history
from persona.window.counting import Counter, declared
from persona.window.fit import Fitted
from persona.window.materials import Anchor, Block, PastTurn

log = logging.getLogger("persona.turns")

_SHORT_PATIENCE_S = 5.0
_PATIENCE_S = 15.0  # a database server restarts in less, within the lease; the reply is there, and paid for


@dataclass(slots=True)
class Journal:
    """One running turn on paper. `added` are the messages since the user's, `calls` the exchanges so far.

    Exchanges that were noted are written with the next message or with the end, in its transaction. `allowed` are the
    limits that count for its calls.
    """

    services: Services
    ask: Ask
    opened: Opened
    arm: Arm
    counter: Counter
    lease_us: int
    anchor: Anchor
    allowed: tuple[Allowance, ...] = ()
    tools: tuple[Tool, ...] = ()
    answer: AnswerSchema | None = None
    plan: Outline | None = None
    added: list[Message] = field(default_factory=list)
    calls: list[Exchange] = field(default_factory=list)
    revision: int = 0
    held_until_us: int = 0
    ended: bool = False
    _written: int = 0

    def last(self) -> Message:
        """The newest message of the turn."""
        return self.added[-1] if self.added else self.opened.message

    def took(self, fitted: Fitted, primary: bool) -> None:
        """Notes the window of a call. Only a window for the arm's own target moves the conversation's anchor."""
        if primary:
            self.anchor, self.plan = fitted.anchor, fitted.plan.outline()

    def note(self, exchange: Exchange) -> None:
        """Notes a call that has ended, well or badly."""
        self.calls.append(exchange)

    def withdraw(self, error: str) -> None:
        """Says of the calls that could not be written with their message that they failed: it is not there."""
        for at in range(self._written, len(self.calls)):
            if self.calls[at].outcome == "answered":
                self.calls[at] = replace(self.calls[at], outcome="failed", error=error, reply_id="")

    async def round(self, message: Message) -> None:
        """Makes one message of a tool round durable: what the model asks of its tools, or their results."""
        until_us = self.services.now_us() + self.lease_us

        def write(tx: Transaction) -> None:
            if turns.lease(tx, self._advance([message]), until_us):
                self._write_calls(tx)

        await self.services.database.run(write, patience_s=_PATIENCE_S, brief=True)
        self.held_until_us = until_us
        self._moved([message])

    async def end(self, state: TurnState, gathered: Gathered, reply: Message | None = None, error: str = "") -> None:
        """Ends the turn with its reply, its exchanges and its tasks in one transaction."""
        anchor, write = self._ending(state, gathered, reply, error)
        patience_s = _PATIENCE_S if reply else _SHORT_PATIENCE_S
        await self.services.database.run(write, patience_s=patience_s, brief=True)
        self._end_with(gathered, anchor, reply)

    def end_at_once(self, gathered: Gathered, reply: Message) -> bool:
        """The same for an answered turn, before this returns. False, with nothing done, when it would have to wait."""
        anchor, write = self._ending("answered", gathered, reply, "")
        database = self.services.database
        try:
            if database.at_once(lambda: (database.run_now(write),)) is None:
                return False
        except StoreError as error:
            if error.retryable:
                return False
            raise
        self._end_with(gathered, anchor, reply)
        return True

    def _ending(
        self, state: TurnState, gathered: Gathered, reply: Message | None, error: str
    ) -> tuple[str, Callable[[Transaction], None]]:
        """The anchor that stays, and what writes the end."""
        advance = self._advance([reply] if reply else [], bool(reply))

        def write(tx: Transaction) -> None:
            if turns.close_turn(tx, advance, state, reply.id if reply else "", error):
                self._write_calls(tx)
                self._put_tasks(tx, gathered, reply)
                self._leave_the_other_branch(tx, reply)

        return advance.anchor, write

    def _end_with(self, gathered: Gathered, anchor: str, reply: Message | None) -> None:
        self.ended = True
        self.services.kept_prompts.update(digest for digest, _ in self._prompts())
        self._moved([reply] if reply else [])
        self._remember_tail(gathered, anchor)
        self.services.on_task()

    def _advance(self, added: list[Message], answers: bool = False) -> Advance:
        before = self.opened.before
        stays = self.opened.keeps_head or (self.opened.branches and not answers)
        moves = self.plan is not None and not stays
        return Advance(
            turn_id=self.opened.turn_id,
            held_until_us=self.held_until_us or self.opened.held_until_us,
            conversation_key=before.key,
            owner_key=self.opened.owner.key,
            head=self.last(),
            added=[(one, {self.counter.name: self.counter.message(one)}) for one in added],
            anchor=encode_anchor(self.anchor) if moves else before.anchor,
            last_exchange_id=self.calls[-1].id if self.calls and not stays else before.last_exchange_id,
            now_us=self.services.now_us(),
            keeps=before if stays else None,
        )

    def _leave_the_other_branch(self, tx: Transaction, reply: Message | None) -> None:
        """After an answered edit or regeneration: what told of the path that is left is forgotten."""
        if reply is None or not self.opened.branches:
            return
        summaries.drop(tx, self.opened.before.key, self.opened.message.depth)
        if self.ask.replaces:
            tasks.drop(tx, "index", self.opened.owner.key, self.ask.replaces)
            tasks.drop(tx, "learn", self.opened.owner.key, self.ask.replaces)
            facts.end_learnt(tx, self.opened.owner.key, self.ask.replaces, self.opened.message.created_us)
            memories.bury(tx, self.opened.owner.key, [self.ask.replaces])

    def _moved(self, added: list[Message]) -> None:
        self.revision += 1
        self.added += added
        self._written = len(self.calls)

    def _write_calls(self, tx: Transaction) -> None:
        for exchange in self.calls[self._written :]:
            exchanges.log_new(tx, exchange)  # whoever moved the conversation on knows that this was not done before
            meters.add(tx, (one.meter for one in self.allowed), exchange)
        for digest, words in self._prompts():
            if digest not in self.services.kept_prompts:
                exchanges.keep_prompt(tx, digest, words())

    async def check_limits(self) -> None:
        """Raises LimitReached when the calls of this turn, or of others meanwhile, have used up what they may."""
        if self.allowed:
            reached = await self.services.database.run(lambda tx: check(tx, self.allowed), brief=True)
            refuse(reached, self.services.now_us())

    def _prompts(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What the plans name by digests: instructions, shots and what goes out beside them, and their words."""
        prompts = self.services.prompts
        for block in (prompts.instructions(self.arm, self.counter), *prompts.shots(self.arm.shots, self.counter)):
            yield block.digest, partial(_words, block)
        if self.plan and self.plan.tools_digest:
            yield self.plan.tools_digest, partial(declared, self.tools, self.answer)

    def _put_tasks(self, tx: Transaction, gathered: Gathered, reply: Message | None) -> None:
        now_us, owner_key, key = self.services.now_us(), self.opened.owner.key, self.opened.before.key
        if self.ask.follows:
            feedback.give(tx, owner_key, key, self.ask.follows, "regeneration", now_us)
        shadow = self.services.routes.shadow(self.arm.route)
        if reply and shadow and shadow.name != self.arm.name:
            tasks.put(tx, "shadow", owner_key, reply.id, now_us, key)
        due = reply and self.arm.summarise and self._summary_due(gathered, reply)
        if reply and due and not tasks.pending(tx, "summarise", key):
            tasks.put(tx, "summarise", owner_key, reply.id, now_us, key)

    def _summary_due(self, gathered: Gathered, reply: Message) -> bool:
        if self.plan is None:
            return False
        turns_ = self._turns(gathered, reply)
        window = self.arm.window
        room = room_of_history(self.plan, window.sections.history.max)
        depth = due_for_summary(turns_, room, window.low_water, window.summarise_at)
        return depth is not None and all(summary.upto_depth < depth for summary in gathered.summaries)

    def _turns(self, gathered: Gathered, *more: Message) -> tuple[PastTurn, ...]:
        """The turns from the anchor on, this one included."""
        messages = (self.opened.message, *self.added, *more)
        tokens = sum(self.counter.message(message) for message in messages)
        kept = tuple(turn for turn in gathered.turns if turn.first_depth >= self.anchor.first_depth)
        return (*kept, PastTurn(messages, tokens))

    def _remember_tail(self, gathered: Gathered, anchor: str) -> None:
        whole = self.last().role in ("assistant", "user") and not self.last().tool_calls
        left = self.opened.branches and self.last().role == "user"
        if self.opened.keeps_head or left or self.plan is None or not whole:
            return  # the next turn reads it from the store
        tail = Tail(self.revision, self.counter.name, self.last().id, anchor, self._turns(gathered), self.plan)
        self.services.tails.put(self.opened.before.key, tail)


@contextmanager
def without_reply() -> Iterator[None]:
    """Writes the end of a turn that has no reply, if that can be written: the error that ended it matters more.

    Else its lease ends by itself. Of what was erased meanwhile nothing is to be kept.
    """
    try:
        yield
    except Erased:
        pass
    except PersonaError as unwritten:
        log.error("a turn's end could not be logged: %s", type(unwritten).__name__)


def _words(block: Block) -> str:
    return "\n\n".join(one.text for one in block.messages)


def exchange_of(
    journal: Journal,
    id: str,
    target: Target,
    plan: PlanText,
    heard: Heard,
    outcome: exchanges.Outcome,
    error: str = "",
    reply_id: str = "",
) -> Exchange:
    """One call as it is logged."""
    return Exchange(
        id=id,
        turn_id=journal.opened.turn_id,
        conversation_key=journal.opened.before.key,
        owner_key=journal.opened.owner.key,
        number=len(journal.calls),
        route=journal.arm.route,
        arm=journal.arm.name,
        target=target,
        plan=plan,
        outcome=outcome,
        consent=journal.opened.owner.consent,
        reply_id=reply_id,
        error=error,
        partial="" if outcome == "answered" else storable("".join(heard.text)),
        **brought_by(heard, target, journal.services.providers.card(target), journal.services.now_us()),
    )
