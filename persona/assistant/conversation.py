"""One conversation of one user."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Protocol

from persona.adapter import Secret
from persona.assistant.running import Running
from persona.assistant.stream import AsyncTurnStream
from persona.conversation import afterwards
from persona.conversation.ask import Ask
from persona.conversation.input import parts_of, printable
from persona.conversation.opening import run_turn
from persona.conversation.services import Services
from persona.conversation.tools import ToolFunction
from persona.errors import InvalidInput
from persona.privacy import erase
from persona.store import conversations
from persona.values.message import Image, Message
from persona.values.owner import Owner
from persona.values.plan import Plan
from persona.values.privacy import Receipt
from persona.values.turn import A, Event, Reply

_LONGEST_TITLE = 200
_LONGEST_TAG = 60


class Opened(Protocol):
    """An assistant, as its conversations and users see it."""

    async def services(self) -> Services:
        """The rooms, opened on first use."""
        ...

    @property
    def running(self) -> Running:
        """The turns that run now."""
        ...


class AsyncConversation:
    """One conversation of one user. Making it does no I/O; a new one is stored with its first message."""

    def __init__(
        self,
        assistant: Opened,
        owner: Owner,
        id: str,
        route: str | None,
        arm: str | None,
        new: bool,
        keys: Mapping[str, Secret],
    ) -> None:
        self._assistant = assistant
        self._owner = owner
        self._route = route
        self._arm = arm
        self._new = new
        self._keys = keys
        self.id = id

    async def send(
        self,
        text: str,
        *,
        images: Sequence[Image] = (),
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        idempotency_key: str = "",
        timeout_s: float | None = None,
    ) -> Reply[A]:
        """The reply to a message, stored. The message is durable before the model is called.

        `tools` are functions that the model may call. `answer` is a pydantic model: the reply is then JSON that fits
        it, and its `answer` an object of it. The same `idempotency_key` again brings the same reply.
        Raises InvalidInput, NotFound, ConversationBusy, LimitReached, WindowTooSmall, InvalidAnswer, ProviderError and
        StoreError.
        """
        asked = await self._ask(text, images, tools, answer, idempotency_key, timeout_s)
        return await self._finish(asked)

    def stream(
        self,
        text: str,
        *,
        images: Sequence[Image] = (),
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        idempotency_key: str = "",
        timeout_s: float | None = None,
    ) -> AsyncTurnStream[A]:
        """The same turn as `send`, as an async context manager that yields events as they come."""

        async def work(show: "ShowEvent") -> Reply[A]:
            asked = await self._ask(text, images, tools, answer, idempotency_key, timeout_s, stream=True)
            return await run_turn(await self._assistant.services(), asked, show)

        return AsyncTurnStream(self._assistant.running, work)

    async def edit(
        self,
        message_id: str,
        text: str,
        *,
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        timeout_s: float | None = None,
    ) -> Reply[A]:
        """The reply to another version of one of the user's messages; both versions stay stored, as siblings."""
        asked = await self._ask(text, (), tools, answer, "", timeout_s, replaces=message_id)
        return await self._finish(asked)

    async def regenerate(
        self,
        reply_id: str,
        *,
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        timeout_s: float | None = None,
    ) -> Reply[A]:
        """Another reply to the same message; the first stays stored, as its sibling, and the log says so."""
        services = await self._assistant.services()
        message = await afterwards.asked_for(services, self._owner, self.id, reply_id)
        asked = Ask(
            self._owner,
            self.id,
            message.parts,
            tools=tools,
            answer=answer,
            timeout_s=_seconds(timeout_s, services.settings.turn.timeout_s),
            again=message.id,
            follows=reply_id,
            keys=self._keys,
        )
        return await self._finish(asked)

    async def why(self, reply_id: str) -> Plan:
        """The plan behind a reply: what the model was shown, what it was not, and why. Print it, or `.to_dict()`."""
        return await afterwards.plan_of(await self._assistant.services(), self._owner, self.id, reply_id)

    async def messages(self) -> tuple[Message, ...]:
        """The conversation from its first message to its head."""
        return await afterwards.messages_of(await self._assistant.services(), self._owner, self.id)

    async def rate(self, reply_id: str, rating: float) -> None:
        """Rates a reply; the scale is yours, and higher is better."""
        services = await self._assistant.services()
        await afterwards.give(services, self._owner, self.id, reply_id, "rating", rating=rating)

    async def correct(self, reply_id: str, text: str) -> None:
        """Says what a reply should have been."""
        services = await self._assistant.services()
        await afterwards.give(services, self._owner, self.id, reply_id, "correction", text)

    async def comment(self, reply_id: str, text: str) -> None:
        """Says something about a reply."""
        services = await self._assistant.services()
        await afterwards.give(services, self._owner, self.id, reply_id, "comment", text)

    async def rename(self, title: str) -> None:
        """Gives the conversation a title."""
        printable("a title", title, _LONGEST_TITLE)
        services = await self._assistant.services()
        await afterwards.change(services, self._owner, self.id, lambda tx, key: conversations.rename(tx, key, title))

    async def tag(self, *tags: str) -> tuple[str, ...]:
        """Tags the conversation, beside the tags that it has; returns all of them. Raises InvalidInput and NotFound."""
        for tag in tags:
            printable("a tag", tag, _LONGEST_TAG)
        services = await self._assistant.services()
        return await afterwards.change(services, self._owner, self.id, lambda tx, key: conversations.tag(tx, key, tags))

    async def untag(self, *tags: str) -> tuple[str, ...]:
        """Takes tags away; returns those that are left. Raises NotFound for a conversation that is not there."""
        services = await self._assistant.services()
        return await afterwards.change(
            services, self._owner, self.id, lambda tx, key: conversations.tag(tx, key, (), tags)
        )

    async def archive(self) -> None:
        """Takes the conversation out of the listing; it stays readable."""
        services = await self._assistant.services()
        now_us = services.now_us()
        await afterwards.change(services, self._owner, self.id, lambda tx, key: conversations.archive(tx, key, now_us))

    async def erase(self) -> Receipt:
        """Erases the conversation for good, the memories made of it and the facts learnt from it. Raises NotFound.

        A turn that runs meanwhile ends with Erased. SQLite's file is written anew: about 5 ms a megabyte.
        """
        services = await self._assistant.services()
        named = (self._owner, self.id, services.now_us())
        return await erase.erase_conversation(services.database, services.indexes, *named)

    async def _ask(
        self,
        text: str,
        images: Sequence[Image],
        tools: Sequence[ToolFunction],
        answer: type[object] | None,
        idempotency_key: str,
        timeout_s: float | None,
        *,
        stream: bool = False,
        replaces: str = "",
    ) -> Ask:
        services = await self._assistant.services()
        turn = services.settings.turn
        return Ask(
            owner=self._owner,
            conversation_id=self.id,
            parts=parts_of(text, images, turn.max_input_chars),
            create=(self._route or services.routes.default()) if self._new else "",
            arm=self._arm or "",
            idempotency_key=idempotency_key,
            tools=tools,
            answer=answer,
            timeout_s=_seconds(timeout_s, turn.timeout_s),
            stream=stream,
            replaces=replaces,
            keys=self._keys,
        )

    async def _finish(self, asked: Ask) -> Reply[Any]:
        services = await self._assistant.services()
        return await self._assistant.running.finish(run_turn(services, asked, _unseen))


class ShowEvent(Protocol):
    """Takes an event of a turn as it happens."""

    def __call__(self, event: Event, /) -> None:
        """Shows it."""
        ...


def _seconds(given: float | None, usual: float) -> float:
    if given is None:
        return usual
    if not 0 < given < inf:
        raise InvalidInput(f"timeout_s is {given!r}", hint="pass a number of seconds above 0, or leave it out")
    return given


def _unseen(event: Event) -> None:
    """Nobody watches a turn that is sent rather than streamed."""
