"""The assistant for code without an event loop: each method is one call through the portal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Generic, Self

from pydantic import BaseModel

from persona.adapter import Adapter
from persona.assistant.asynchronous import AsyncAssistant
from persona.assistant.conversation import AsyncConversation
from persona.assistant.knowledge import Knowledge
from persona.assistant.portal import Portal
from persona.assistant.stream import AsyncTurnStream
from persona.assistant.user import AsyncUser
from persona.conversation.tools import ToolFunction
from persona.settings import Settings
from persona.values.memory import Fact, Recalled, Told
from persona.values.message import Image, Message
from persona.values.plan import Plan
from persona.values.privacy import Consent, Exported, Finding, Merged, Receipt, UserEntry
from persona.values.turn import A, Event, Page, Reply


class TurnStream(Generic[A]):
    """A context manager that yields a turn's events; `reply` is there once it has yielded them all."""

    def __init__(self, portal: Portal, stream: AsyncTurnStream[A]) -> None:
        self._portal = portal
        self._stream = stream

    @property
    def reply(self) -> Reply[A]:
        """The stored reply. Raises MisuseError before the turn has ended well."""
        return self._stream.reply

    def __enter__(self) -> Self:
        self._portal.call(self._stream.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._portal.call(self._stream.__aexit__(kind, error, trace))

    def __iter__(self) -> Iterator[Event]:
        return self._portal.iterate(aiter(self._stream))


class Conversation:
    """One conversation of one user. Making it does no I/O; a new one is stored with its first message."""

    def __init__(self, portal: Portal, conversation: AsyncConversation) -> None:
        self._portal = portal
        self._conversation = conversation

    @property
    def id(self) -> str:
        """The conversation's id, among its user's."""
        return self._conversation.id

    def send(
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
        return self._portal.call(
            self._conversation.send(
                text,
                images=images,
                tools=tools,
                answer=answer,
                idempotency_key=idempotency_key,
                timeout_s=timeout_s,
            )
        )

    def stream(
        self,
        text: str,
        *,
        images: Sequence[Image] = (),
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        idempotency_key: str = "",
        timeout_s: float | None = None,
    ) -> TurnStream[A]:
        """The same turn as `send`, as a context manager that yields events as they come."""
        stream = self._conversation.stream(
            text, images=images, tools=tools, answer=answer, idempotency_key=idempotency_key, timeout_s=timeout_s
        )
        return TurnStream(self._portal, stream)

    def edit(
        self,
        message_id: str,
        text: str,
        *,
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        timeout_s: float | None = None,
    ) -> Reply[A]:
        """The reply to another version of one of the user's messages; both versions stay stored, as siblings."""
        return self._portal.call(
            self._conversation.edit(message_id, text, tools=tools, answer=answer, timeout_s=timeout_s)
        )

    def regenerate(
        self,
        reply_id: str,
        *,
        tools: Sequence[ToolFunction] = (),
        answer: type[A] | None = None,
        timeout_s: float | None = None,
    ) -> Reply[A]:
        """Another reply to the same message; the first stays stored, as its sibling, and the log says so."""
        return self._portal.call(
            self._conversation.regenerate(reply_id, tools=tools, answer=answer, timeout_s=timeout_s)
        )

    def why(self, reply_id: str) -> Plan:
        """The plan behind a reply: what the model was shown, what it was not, and why. Print it, or `.to_dict()`."""
        return self._portal.call(self._conversation.why(reply_id))

    def messages(self) -> tuple[Message, ...]:
        """The conversation from its first message to its head."""
        return self._portal.call(self._conversation.messages())

    def rate(self, reply_id: str, rating: float) -> None:
        """Rates a reply; the scale is yours, and higher is better."""
        self._portal.call(self._conversation.rate(reply_id, rating))

    def correct(self, reply_id: str, text: str) -> None:
        """Says what a reply should have been."""
        self._portal.call(self._conversation.correct(reply_id, text))

    def comment(self, reply_id: str, text: str) -> None:
        """Says something about a reply."""
        self._portal.call(self._conversation.comment(reply_id, text))

    def rename(self, title: str) -> None:
        """Gives the conversation a title."""
        self._portal.call(self._conversation.rename(title))

    def tag(self, *tags: str) -> tuple[str, ...]:
        """Tags the conversation, beside the tags that it has; returns all of them. Raises InvalidInput and NotFound."""
        return self._portal.call(self._conversation.tag(*tags))

    def untag(self, *tags: str) -> tuple[str, ...]:
        """Takes tags away; returns those that are left. Raises NotFound for a conversation that is not there."""
        return self._portal.call(self._conversation.untag(*tags))

    def archive(self) -> None:
        """Takes the conversation out of the listing; it stays readable."""
        self._portal.call(self._conversation.archive())

    def erase(self) -> Receipt:
        """Erases the conversation for good, the memories made of it and the facts learnt from it. Raises NotFound.

        A turn that runs meanwhile ends with Erased. SQLite's file is written anew: about 5 ms a megabyte.
        """
        return self._portal.call(self._conversation.erase())


class User:
    """One user: their facts and their conversations. Making it does no I/O."""

    def __init__(self, portal: Portal, user: AsyncUser) -> None:
        self._portal = portal
        self._user = user

    @property
    def name(self) -> str:
        """The name the backend gave."""
        return self._user.name

    @property
    def tenant(self) -> str:
        """The customer of the backend this user belongs to; `""` when there is only one."""
        return self._user.tenant

    def conversation(
        self,
        id: str | None = None,
        *,
        route: str | None = None,
        arm: str | None = None,
        create: bool = False,
        keys: Mapping[str, str] | None = None,
    ) -> Conversation:
        """A conversation: a new one, or the one of this `id`.

        With `create`, an id of your own starts a conversation when there is none of it yet. Ids belong to their
        user: somebody else's conversation cannot be told from one that does not exist. `route` is used when a
        conversation starts; later it stays on the one it has. So is `arm`, instead of the one that the user's share
        would choose: for tests, and for people who try a model before others do.

        `keys` maps providers of the settings to keys of the caller's own, which the turns of this object use instead
        of the configured ones. They are never stored or shown; background work and embedders use the configured ones.
        """
        chat = self._user.conversation(id, route=route, arm=arm, create=create, keys=keys)
        return Conversation(self._portal, chat)

    def conversations(self, limit: int = 20, cursor: str = "", archived: bool = False) -> Page:
        """The user's conversations, the newest first; `cursor` of one page asks for the next.

        A page has 500 at most. Raises InvalidInput for a limit below 1, and for a cursor that no page gave.
        """
        return self._portal.call(self._user.conversations(limit, cursor, archived))

    def remember(self, text: str, kind: str = "fact", *, origin: Told = "app") -> Fact:
        """Keeps a fact about the user, known from the next turn on. The same fact twice is one fact.

        `origin` says who tells it: your app, or the user themselves.
        """
        return self._portal.call(self._user.remember(text, kind, origin=origin))

    def set(
        self, values: Mapping[str, object], *, since: datetime | None = None, origin: Told = "app"
    ) -> tuple[Fact, ...]:
        """Fills slots of the profile, all or none; what a slot held before ends, and stays in its history.

        None empties a slot, and a list is all that a slot of several holds. `since` is when it began to be true, now
        when left out; what is older than what is known takes its place in the past. Raises InvalidInput.
        """
        return self._portal.call(self._user.set(values, since=since, origin=origin))

    def profile(self, at: datetime | None = None) -> dict[str, object]:
        """What fills the slots now, or did at a time, in their types; an empty slot is left out."""
        return self._portal.call(self._user.profile(at))

    def forget(self, fact_id: str) -> None:
        """Ends a fact: from the next turn on no window shows it. Raises NotFound."""
        self._portal.call(self._user.forget(fact_id))

    def facts(self, at: datetime | None = None, *, history: bool = False) -> tuple[Fact, ...]:
        """The facts that hold now, or held at a time, the oldest first; with `history` all that ever did."""
        return self._portal.call(self._user.facts(at, history=history))

    def recall(self, question: str, limit: int = 5) -> tuple[Recalled, ...]:
        """What this user said, and facts, that a question would bring back, the best first, and why each came.

        A turn asks the same, of its route's knowledge too, and leaves out what its window shows anyway. Raises
        InvalidInput.
        """
        return self._portal.call(self._user.recall(question, limit))

    def consent(self, *, training: bool) -> None:
        """Records whether the user's exchanges may be used for training; each later exchange is stamped with it."""
        self._portal.call(self._user.consent(training=training))

    def consents(self) -> tuple[Consent, ...]:
        """Every answer to the question of training, with its time, the first one first."""
        return self._portal.call(self._user.consents())

    def learning(self, on: bool) -> None:
        """Says whether facts are learnt from what the user writes, as they are unless you say otherwise.

        With False no model is asked about their messages, not even those that wait for it; facts learnt so far stay,
        and what you or they tell outright is still kept. Messages of that time are not learnt from later either.
        """
        self._portal.call(self._user.learning(on))

    def audit(self, days: int = 365) -> tuple[Finding, ...]:
        """What looks wrong in the profile: said twice, at odds, of no known source, or older than so many days.

        Raises NotFound, and InvalidInput for fewer days than one.
        """
        return self._portal.call(self._user.audit(days))

    def export(self, path: str | Path) -> Exported:
        """Writes everything that belongs to the user into one JSON file, which only you may read.

        It is there when it is whole. Raises NotFound, and InvalidInput for a file that cannot be written.
        """
        return self._portal.call(self._user.export(path))

    def erase(self) -> Receipt:
        """Erases everything that belongs to the user, for good; the receipt says what went. Raises NotFound.

        A turn that runs meanwhile ends with Erased. SQLite's file is written anew: about 5 ms a megabyte.
        """
        return self._portal.call(self._user.erase())

    def erase_message(self, message_id: str) -> Receipt:
        """Erases a message with its answers, or an answer, and what was made of them. Raises NotFound.

        The memory, the facts learnt from it, summaries and feedback go as well; later messages stay.
        """
        return self._portal.call(self._user.erase_message(message_id))

    def erase_fact(self, fact_id: str) -> Receipt:
        """Erases a fact for good, where `forget` only ends it. Raises NotFound."""
        return self._portal.call(self._user.erase_fact(fact_id))

    def merge_into(self, name: str) -> Merged:
        """Gives everything to another user of this tenant: a visitor turns out to be `name`, and is gone.

        Of facts the newer wins, and a refusal of training counts. Raises NotFound, ConversationBusy and InvalidInput.
        """
        return self._portal.call(self._user.merge_into(name))

    def address(self, name: str | None = None, *, locale: str | None = None, time_zone: str | None = None) -> None:
        """Says how to address the user: their name, a locale such as `fr-FR`, a zone such as `Europe/Paris`.

        What is left out stays as it is. Raises InvalidInput for a zone that does not exist.
        """
        self._portal.call(self._user.address(name, locale=locale, time_zone=time_zone))


class Assistant:
    """A chat assistant that remembers each user, for code without an event loop. Safe to use from many threads.

    Use `open`, then `with`, or call `close` at the end.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
        profile: type[BaseModel] | None = None,
        file: str | Path | None = None,
    ) -> None:
        self._assistant = AsyncAssistant(
            settings, adapters=adapters, environment=environment, clock=clock, profile=profile, file=file
        )
        self._portal = Portal()

    @classmethod
    def open(
        cls,
        source: str | Path | Settings | None = None,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
        profile: type[BaseModel] | None = None,
    ) -> Self:
        """An assistant on a settings file, on settings made in code, or on the embedded defaults.

        Everything that can be checked without I/O is: raises SettingsError and AdapterMissing. `adapters` are used
        beside the installed ones, `environment` instead of the process's own. `clock` says what time it is, for tests
        and demos; a naive datetime is UTC. `profile` is a pydantic model whose fields are the slots of every user's
        profile, instead of [profile] in the settings. The database is opened on first use.

        A settings file is watched: what changes in it serves from the next turn on, except for what is only read at
        the opening (the database, the embedder, knowledge, slots). A change that is refused is logged, and the
        settings before it stay.
        """
        settings = AsyncAssistant.settings_of(source, environment)
        file = None if isinstance(source, Settings) else source
        return cls(settings, adapters=adapters, environment=environment, clock=clock, profile=profile, file=file)

    @property
    def settings(self) -> Settings:
        """What the assistant was opened with."""
        return self._assistant.settings

    def user(self, name: str, tenant: str = "") -> User:
        """One user. Does no I/O; nothing is stored before something is said or told."""
        return User(self._portal, self._assistant.user(name, tenant))

    def knowledge(self, name: str) -> Knowledge:
        """One knowledge base, by its name in the settings. Does no I/O."""
        return Knowledge(self._portal, self._assistant.knowledge(name))

    def users(self, tenant: str = "", limit: int = 100, after: str = "") -> tuple[UserEntry, ...]:
        """The users of a tenant by name; those `after` a name are the next page. Raises InvalidInput."""
        return self._portal.call(self._assistant.users(tenant, limit, after))

    def receipts(self, limit: int = 100) -> tuple[Receipt, ...]:
        """The receipts of what was erased and merged, the newest first. Raises InvalidInput."""
        return self._portal.call(self._assistant.receipts(limit))

    def drain(self) -> int:
        """Does the background work that is due (indexing, summaries) now, and returns how many tasks there were."""
        return self._portal.call(self._assistant.drain())

    def close(self) -> None:
        """Waits for running turns, drains background work within its time, and closes everything. Safe to repeat."""
        if self._portal.open:
            self._portal.call(self._assistant.close())
            self._portal.close()

    def __enter__(self) -> Self:
        try:
            self._portal.call(self._assistant.__aenter__())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
