"""From the rows of a holdout to what each arm is asked: a logged exchange through its window, or a file's messages."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from persona.adapter import Embedder
from persona.calling.providers import Providers
from persona.errors import NotFound, PersonaError
from persona.evaluation.answer import Answer
from persona.evaluation.form import Form, follows
from persona.evaluation.holdout import Origin, Row
from persona.render.logged import Logged, read
from persona.render.past import Past
from persona.render.prepare import longest_reply, rules_for
from persona.render.prompts import Prompts
from persona.routing.routes import Arm, Shot
from persona.store.engine import Database
from persona.store.log import LogReader
from persona.values.log import LoggedConversation, LoggedExchange
from persona.values.message import Message, say
from persona.values.request import Request, Tool

LOGGED = "logged"
"""What takes the place of an arm's name for the answers that the log holds: of a model that is gone, for one."""

_READER = LogReader()


@dataclass(frozen=True, slots=True)
class Asking:
    """A request to one arm and its expected input, in the provider's tokens; or the answer that is there already, which
    may be the error that keeps it from being asked.
    """

    request: Request | None
    tokens: int = 0
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One example, ready to be asked. `user` is the same for two examples of one user.

    `problem` says why it cannot be asked. `form` is what the reply was held to when it was logged.
    """

    id: str
    user: str
    topic: str
    asked: str
    reference: str
    arms: Mapping[str, Asking]
    problem: str = ""
    form: Form | None = None


class Stage:
    """Makes scenes for some arms of a route."""

    def __init__(
        self, arms: Sequence[Arm], providers: Providers, embedder: Embedder, database: Database | None, timeout_s: float
    ) -> None:
        self._arms = arms
        self._providers = providers
        self._database = database
        self._timeout_s = timeout_s
        self._prompts = Prompts(embedder)
        self._last: LoggedConversation | None = None
        self._pasts = {
            arm.name: Past(arm, target, providers.counter(target), rules_for(providers, arm, target))
            for arm in arms
            for target in arm.targets[:1]
            if arm.name != LOGGED
        }

    async def scenes(self, rows: Iterable[Row]) -> AsyncIterator[Scene]:
        """The scenes of the rows, in their order, each made when it is wanted."""
        for row in rows:
            if row.example is None:
                yield Scene(row.id, row.id, row.topic, "", "", {}, row.problem)
            elif row.origin is None:
                yield await self._of_a_file(row)
            else:
                yield await self._of_the_log(row, row.origin)

    async def _of_a_file(self, row: Row) -> Scene:
        assert row.example is not None, "rows with a problem have no example"  # noqa: S101 - narrows the type
        *before, wanted = row.example.messages
        said = [message for message in before if message.role != "system"]
        asked = next((one.text for one in reversed(said) if one.role == "user"), "")
        arms = {}
        for arm in self._arms:
            shots = await self._shots(arm, asked)
            shown = chain.from_iterable((say("user", one.user), say("assistant", one.assistant)) for one in shots)
            messages = (*arm.instructions, *shown, *said)
            arms[arm.name] = self._plain(arm, messages, row.example.tools)
        return Scene(row.id, row.id, row.topic, asked, wanted.text, arms)

    def _plain(self, arm: Arm, messages: tuple[Message, ...], tools: tuple[Tool, ...]) -> Asking:
        target = arm.targets[0]
        rules = rules_for(self._providers, arm, target)
        tokens = self._providers.counter(target).request(messages, tools)
        if tokens > rules.limit:
            return Asking(None, answer=Answer(error="WindowTooSmall"))
        most = min(arm.max_output_tokens or rules.reserve, rules.reserve)
        return Asking(self._request(arm, messages, tools, most), round(tokens * rules.scale))

    async def _of_the_log(self, row: Row, origin: Origin) -> Scene:
        user = f"owner {origin.owner_key}"
        try:
            logged = await asyncio.to_thread(self._read, origin)
            parents = {message.id: message for message in logged.conversation.messages}
            reply = parents[logged.exchange.reply_id]
            said = next(_up(parents, reply.parent_id, "user"))
        except (NotFound, KeyError, StopIteration):
            return Scene(row.id, user, row.topic, "", "", {}, "erased from the log")
        if logged.conversation.consent is False:
            return Scene(row.id, user, row.topic, "", "", {}, "of a user who has withdrawn their consent")
        first = min(logged.conversation.messages, key=lambda one: one.depth)
        arms = {
            arm.name: _recorded(logged.exchange, reply)
            if arm.name == LOGGED
            else await self._rendered(arm, logged, first.text)
            for arm in self._arms
        }
        topic = row.topic or next(iter(logged.conversation.tags), "")
        held_to = logged.declared[1]
        form = follows(held_to.schema) if held_to else None
        wanted = _wanted(logged, reply, or_itself=LOGGED not in arms)
        return Scene(row.id, user, topic, said.text, wanted, arms, form=form)

    async def _rendered(self, arm: Arm, logged: Logged, first: str) -> Asking:
        shots = await self._shots(arm, first)
        known = (logged.conversation, logged.exchange, logged.memories, *logged.declared)
        try:
            found = self._pasts[arm.name].render(*known, plan=logged.plan, shots=shots)
        except PersonaError as error:  # erased, or too much for this arm's window
            return Asking(None, answer=Answer(error=type(error).__name__))
        request = self._request(arm, found.messages, found.tools, longest_reply(arm, found.plan))
        return Asking(
            replace(request, stable=found.stable, answer=found.answer), round(found.plan.total * found.plan.scale)
        )

    async def _shots(self, arm: Arm, first: str) -> tuple[Shot, ...]:
        return await self._prompts.choose_shots(arm, first)

    def _request(self, arm: Arm, messages: tuple[Message, ...], tools: tuple[Tool, ...], most: int) -> Request:
        return Request(
            arm.targets[0].model,
            messages,
            tools=tools,
            max_output_tokens=most,
            temperature=arm.temperature,
            timeout_s=self._timeout_s,
        )

    def _read(self, origin: Origin) -> Logged:
        database = self._database
        if database is None:
            raise NotFound("the holdout is of a log, and there is no database", hint="pass the settings it was made of")
        if self._last is None or self._last.key != origin.conversation_key:
            key = origin.conversation_key
            page = database.run_now(lambda tx: _READER.page(tx, key, key, 1), write=False)
            if not page:
                raise NotFound("the conversation is no longer stored")
            self._last = page[0]
        conversation = self._last
        exchange = next((one for one in conversation.exchanges if one.id == origin.exchange_id), None)
        if exchange is None or conversation.owner_key != origin.owner_key:
            raise NotFound("the exchange is no longer stored")
        return database.run_now(lambda tx: read(tx, conversation, exchange), write=False)


def _up(messages: Mapping[str, Message], id: str, role: str) -> Iterator[Message]:
    """The messages of one role from a message upwards."""
    while id in messages:
        if messages[id].role == role:
            yield messages[id]
        id = messages[id].parent_id


def _recorded(exchange: LoggedExchange, reply: Message) -> Asking:
    """What was answered when it was asked."""
    return Asking(
        None,
        answer=Answer(
            reply.text,
            exchange.stop,
            latency_ms=exchange.latency_ms,
            input_tokens=exchange.input_tokens,
            output_tokens=exchange.output_tokens,
            cost=exchange.cost.amount,
            tools=tuple(call.name for call in reply.tool_calls),
        ),
    )


def _wanted(logged: Logged, reply: Message, *, or_itself: bool) -> str:
    """What somebody said that the reply should have been, or the reply itself."""
    feedback = logged.conversation.feedback
    corrected = [one.text for one in feedback if one.message_id == reply.id and one.kind == "correction"]
    return corrected[-1] if corrected else reply.text if or_itself else ""
