"""One user of one tenant."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from persona.assistant.conversation import AsyncConversation, Opened
from persona.conversation.input import decided, instant, keys_of, printable, told_by
from persona.errors import InvalidInput
from persona.memory import profile
from persona.memory.cache import follow_erasures
from persona.memory.embedding import embed
from persona.memory.recall import merge as ranked
from persona.memory.recall import query_of
from persona.privacy import audit, erase, export, look, merge
from persona.store import conversations, memories, owners
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.memory import Fact, Recalled, Told
from persona.values.owner import Owner
from persona.values.privacy import Consent, Exported, Finding, Merged, Receipt
from persona.values.turn import Page

_MOST_IN_A_PAGE = 500
_LONGEST_NAME = 200


def checked_name(name: str, least: int = 1) -> str:
    """The name of a user or, with `least` 0, of a tenant. Raises InvalidInput."""
    return printable(f"the name of a {'user' if least else 'tenant'}", name, _LONGEST_NAME, least=least)


class AsyncUser:
    """One user: their facts and their conversations. Making it does no I/O."""

    def __init__(self, assistant: Opened, owner: Owner) -> None:
        self._assistant = assistant
        self._owner = owner

    @property
    def name(self) -> str:
        """The name the backend gave."""
        return self._owner.name

    @property
    def tenant(self) -> str:
        """The customer of the backend this user belongs to; `""` when there is only one."""
        return self._owner.tenant

    def conversation(
        self,
        id: str | None = None,
        *,
        route: str | None = None,
        arm: str | None = None,
        create: bool = False,
        keys: Mapping[str, str] | None = None,
    ) -> AsyncConversation:
        """A conversation: a new one, or the one of this `id`.

        With `create`, an id of your own starts a conversation when there is none of it yet. Ids belong to their
        user: somebody else's conversation cannot be told from one that does not exist. `route` is used when a
        conversation starts; later it stays on the one it has. So is `arm`, instead of the one that the user's share
        would choose: for tests, and for people who try a model before others do.

        `keys` maps providers of the settings to keys of the caller's own, which the turns of this object use instead
        of the configured ones. They are never stored or shown; background work and embedders use the configured ones.
        """
        if id is not None:
            printable("a conversation id", id, _LONGEST_NAME, hint="leave it out for a new one")
        named, own = (id or new_id("cnv"), route, arm, id is None or create), keys_of(keys or {})
        return AsyncConversation(self._assistant, self._owner, *named, own)

    async def conversations(self, limit: int = 20, cursor: str = "", archived: bool = False) -> Page:
        """The user's conversations, the newest first; `cursor` of one page asks for the next.

        A page has 500 at most. Raises InvalidInput for a limit below 1, and for a cursor that no page gave.
        """
        services = await self._assistant.services()
        most = min(limit, _MOST_IN_A_PAGE)
        return await services.database.run(
            lambda tx: conversations.listing(tx, self._owner, most, cursor, archived), write=False
        )

    async def remember(self, text: str, kind: str = "fact", *, origin: Told = "app") -> Fact:
        """Keeps a fact about the user, known from the next turn on. The same fact twice is one fact.

        `origin` says who tells it: your app, or the user themselves. Raises InvalidInput.
        """
        services = await self._assistant.services()
        fact = await profile.remember(services.database, self._owner, text, kind, services.now_us(), told_by(origin))
        services.on_task()
        return fact

    async def set(
        self, values: Mapping[str, object], *, since: datetime | None = None, origin: Told = "app"
    ) -> tuple[Fact, ...]:
        """Fills slots of the profile, all or none; what a slot held before ends, and stays in its history.

        None empties a slot, and a list is all that a slot of several holds. `since` is when it began to be true, now
        when left out; what is older than what is known takes its place in the past. Raises InvalidInput.
        """
        services = await self._assistant.services()
        told = (self._owner, values, services.now_us(), instant("since", since), told_by(origin))
        facts = await profile.fill(services.database, services.slots, *told)
        services.on_task()
        return facts

    async def profile(self, at: datetime | None = None) -> dict[str, object]:
        """What fills the slots now, or did at a time, in their types; an empty slot is left out."""
        services = await self._assistant.services()
        return await profile.typed(services.database, services.slots, self._owner, instant("at", at))

    async def forget(self, fact_id: str) -> None:
        """Ends a fact: from the next turn on no window shows it. Raises NotFound."""
        services = await self._assistant.services()
        await profile.forget(services.database, self._owner, fact_id, services.now_us())

    async def facts(self, at: datetime | None = None, *, history: bool = False) -> tuple[Fact, ...]:
        """The facts that hold now, or held at a time, the oldest first; with `history` all that ever did."""
        services = await self._assistant.services()
        return await profile.known(services.database, self._owner, instant("at", at), history=history)

    async def recall(self, question: str, limit: int = 5) -> tuple[Recalled, ...]:
        """What this user said, and facts, that a question would bring back, the best first, and why each came.

        A turn asks the same, of its route's knowledge too, and leaves out what its window shows anyway. Raises
        InvalidInput.
        """
        if not isinstance(question, str) or not question.strip() or limit < 1:
            raise InvalidInput("a search needs a question and a limit of at least 1")
        services = await self._assistant.services()
        query, most = query_of(question), max(limit, services.settings.memory.candidates)
        (vector,) = await embed(services.embedder, [question])

        def find(tx: Transaction) -> tuple[Recalled, ...]:
            indexes = services.indexes
            erasures, state = follow_erasures(tx, indexes), owners.find(tx, self._owner)
            if state is None:
                return ()
            index = indexes.get(state.key, state.revision, lambda since: memories.since(tx, state.key, since))
            indexes.settle(state.key, erasures)
            return ranked({self._owner: index.search(vector, query.terms, most, question)}, limit, question)

        return await services.database.run(find, write=False)

    async def consent(self, *, training: bool) -> None:
        """Records whether the user's exchanges may be used for training; each later exchange is stamped with it."""
        services = await self._assistant.services()
        await profile.consent(services.database, self._owner, decided("training", training), services.now_us())

    async def consents(self) -> tuple[Consent, ...]:
        """Every answer to the question of training, with its time, the first one first."""
        services = await self._assistant.services()
        return await look.consents(services.database, self._owner)

    async def learning(self, on: bool) -> None:
        """Says whether facts are learnt from what the user writes, as they are unless you say otherwise.

        With False no model is asked about their messages, not even those that wait for it; facts learnt so far stay,
        and what you or they tell outright is still kept. Messages of that time are not learnt from later either.
        """
        services = await self._assistant.services()
        await profile.learning(services.database, self._owner, decided("on", on), services.now_us())

    async def audit(self, days: int = 365) -> tuple[Finding, ...]:
        """What looks wrong in the profile: said twice, at odds, of no known source, or older than so many days.

        Raises NotFound, and InvalidInput for fewer days than one.
        """
        if days < 1:
            raise InvalidInput(f"a fact of {days} days cannot be stale", hint="pass at least 1")
        services = await self._assistant.services()
        known, stored = await services.database.run(lambda tx: audit.read(tx, self._owner), write=False)
        asked = (known, stored, services.slots.many(), services.now_us(), days)
        return tuple(await asyncio.to_thread(audit.audit, *asked))

    async def export(self, path: str | Path) -> Exported:
        """Writes everything that belongs to the user into one JSON file, which only you may read.

        It is there when it is whole. Raises NotFound, and InvalidInput for a file that cannot be written.
        """
        services = await self._assistant.services()
        return await asyncio.to_thread(export.write_file, services.database, self._owner, path, services.now_us())

    async def erase(self) -> Receipt:
        """Erases everything that belongs to the user, for good; the receipt says what went. Raises NotFound.

        A turn that runs meanwhile ends with Erased. SQLite's file is written anew: about 5 ms a megabyte.
        """
        services = await self._assistant.services()
        return await erase.erase_user(services.database, services.indexes, self._owner, services.now_us())

    async def erase_message(self, message_id: str) -> Receipt:
        """Erases a message with its answers, or an answer, and what was made of them. Raises NotFound.

        The memory, the facts learnt from it, summaries and feedback go as well; later messages stay.
        """
        services = await self._assistant.services()
        named = (self._owner, message_id, services.now_us())
        return await erase.erase_message(services.database, services.indexes, *named)

    async def erase_fact(self, fact_id: str) -> Receipt:
        """Erases a fact for good, where `forget` only ends it. Raises NotFound."""
        services = await self._assistant.services()
        return await erase.erase_fact(services.database, services.indexes, self._owner, fact_id, services.now_us())

    async def merge_into(self, name: str) -> Merged:
        """Gives everything to another user of this tenant: a visitor turns out to be `name`, and is gone.

        Of facts the newer wins, and a refusal of training counts. Raises NotFound, ConversationBusy and InvalidInput.
        """
        services = await self._assistant.services()
        account = Owner(self._owner.tenant, checked_name(name))
        named = (self._owner, account, services.slots.many(), services.now_us())
        return await merge.merge(services.database, services.indexes, *named)

    async def address(
        self, name: str | None = None, *, locale: str | None = None, time_zone: str | None = None
    ) -> None:
        """Says how to address the user: their name, a locale such as `fr-FR`, a zone such as `Europe/Paris`.

        What is left out stays as it is. Raises InvalidInput for a zone that does not exist.
        """
        services = await self._assistant.services()
        await profile.address(services.database, self._owner, name, locale, time_zone, services.now_us())
