"""One user of one tenant."""

from persona.assistant.conversation import AsyncConversation, Opened
from persona.errors import InvalidInput
from persona.memory import profile
from persona.store import conversations
from persona.store.ids import new_id
from persona.values.memory import Fact
from persona.values.owner import Owner
from persona.values.turn import Page

_MOST_IN_A_PAGE = 500


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
        self, id: str | None = None, *, route: str | None = None, create: bool = False
    ) -> AsyncConversation:
        """A conversation: a new one, or the one of this `id`.

        With `create`, an id of your own starts a conversation when there is none of it yet. Ids belong to their
        user: somebody else's conversation cannot be told from one that does not exist. `route` is used when a
        conversation starts; later it stays on the one it has.
        """
        if id is not None and (not id or len(id) > 200 or not id.isprintable()):
            raise InvalidInput("a conversation id is 1 to 200 printable characters", hint="leave it out for a new one")
        return AsyncConversation(self._assistant, self._owner, id or new_id("cnv"), route, id is None or create)

    async def conversations(self, limit: int = 20, cursor: str = "", archived: bool = False) -> Page:
        """The user's conversations, the newest first; `cursor` of one page asks for the next."""
        services = await self._assistant.services()
        most = max(1, min(limit, _MOST_IN_A_PAGE))
        return await services.database.run(
            lambda tx: conversations.listing(tx, self._owner, most, cursor, archived), write=False
        )

    async def remember(self, text: str, kind: str = "fact") -> Fact:
        """Keeps a fact about the user, known from the next turn on. The same fact twice is one fact."""
        services = await self._assistant.services()
        fact = await profile.remember(services.database, self._owner, text, kind, services.now_us())
        services.on_task()
        return fact

    async def forget(self, fact_id: str) -> None:
        """Ends a fact: from the next turn on no window shows it. Raises NotFound."""
        services = await self._assistant.services()
        await profile.forget(services.database, self._owner, fact_id, services.now_us())

    async def facts(self) -> tuple[Fact, ...]:
        """The facts that hold now, the oldest first."""
        services = await self._assistant.services()
        return await profile.holding(services.database, self._owner)

    async def consent(self, *, training: bool) -> None:
        """Records whether the user's exchanges may be used for training; each later exchange is stamped with it."""
        services = await self._assistant.services()
        await profile.consent(services.database, self._owner, training, services.now_us())

    async def address(
        self, name: str | None = None, *, locale: str | None = None, time_zone: str | None = None
    ) -> None:
        """Says how to address the user: their name, a locale such as `fr-FR`, a zone such as `Europe/Paris`.

        What is left out stays as it is. Raises InvalidInput for a zone that does not exist.
        """
        services = await self._assistant.services()
        await profile.address(services.database, self._owner, name, locale, time_zone, services.now_us())
