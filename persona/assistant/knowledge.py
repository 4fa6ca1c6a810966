"""One knowledge base: its documents, and what a search in it finds."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from persona.assistant.portal import Portal
from persona.conversation.services import Services
from persona.errors import InvalidInput, NotFound
from persona.memory.embedding import embed
from persona.memory.recall import query_of
from persona.store import documents, memories, owners
from persona.store.transaction import Transaction
from persona.tasks.documents import add_files, base, follow_files, remove_files
from persona.values.document import DocumentChange, DocumentEntry, KnowledgeHit, KnowledgeReport

Paths = str | Path | Sequence[str | Path]
OnFile = Callable[[DocumentChange], None]


class AsyncKnowledge:
    """One knowledge base, by its name in the settings. Making it does no I/O."""

    def __init__(self, services: Callable[[], Awaitable[Services]], name: str) -> None:
        self._services = services
        self._name = name

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self._name

    async def add(self, paths: Paths, *, on_file: OnFile | None = None) -> KnowledgeReport:
        """Takes in files and folders by hand: new and changed ones are indexed, gone ones forgotten.

        What cannot be read is in the report with its reason, and stops nothing. Again after an interruption it goes on
        where it was. `on_file` is told of each file when it is done. Raises InvalidInput for a path of which nothing
        is known, and SettingsError when the settings do not name this knowledge.
        """
        return await add_files(await self._services(), self._name, _listed(paths), on_file)

    async def follow(self, *, on_file: OnFile | None = None) -> KnowledgeReport:
        """Takes in what changed among the files that the settings name, as opening an assistant does.

        Raises SettingsError for a pattern that matches no file.
        """
        return await follow_files(await self._services(), self._name, on_file)

    async def documents(self) -> tuple[DocumentEntry, ...]:
        """Its files by their paths, those that were refused too. Raises NotFound when there is no such knowledge."""
        services = await self._services()
        return tuple(
            await services.database.run(lambda tx: documents.listing(tx, self._key(tx, services)), write=False)
        )

    async def remove(self, paths: Paths | None = None) -> tuple[str, ...]:
        """Forgets files, or all of them; returns their paths. The settings' own come back at the next opening.

        Raises NotFound, with nothing forgotten, for a path of which nothing is known.
        """
        return await remove_files(await self._services(), self._name, None if paths is None else _listed(paths))

    async def search(self, question: str, limit: int = 5) -> tuple[KnowledgeHit, ...]:
        """The pieces that answer a question best, with why they came and the documents that hold them."""
        if not isinstance(question, str) or not question.strip() or limit < 1:
            raise InvalidInput("a search needs a question and a limit of at least 1")
        services = await self._services()
        query = query_of(question)
        (vector,) = await embed(services.embedder, [question])

        def find(tx: Transaction) -> tuple[KnowledgeHit, ...]:
            key = self._key(tx, services)
            state = owners.find(tx, base(self._name))
            revision = state.revision if state else 0
            index = services.indexes.get(key, revision, lambda since: memories.since(tx, key, since))
            hits = index.search(vector, query.terms, limit)
            return tuple(KnowledgeHit(hit, documents.holders(tx, hit.id)) for hit in hits)

        return await services.database.run(find, write=False)

    def _key(self, tx: Transaction, services: Services) -> int:
        """The key of its owner, -1 when nothing was kept yet."""
        state = owners.find(tx, base(self._name))
        if state is None and self._name not in services.settings.knowledge:
            raise NotFound(f"there is no knowledge {self._name!r}", hint="see `persona knowledge list`")
        return state.key if state else -1


class Knowledge:
    """One knowledge base, by its name in the settings. Making it does no I/O."""

    def __init__(self, portal: Portal, knowledge: AsyncKnowledge) -> None:
        self._portal = portal
        self._knowledge = knowledge

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self._knowledge.name

    def add(self, paths: Paths, *, on_file: OnFile | None = None) -> KnowledgeReport:
        """Takes in files and folders by hand: new and changed ones are indexed, gone ones forgotten.

        What cannot be read is in the report with its reason, and stops nothing. Again after an interruption it goes on
        where it was. `on_file` is told of each file when it is done. Raises InvalidInput for a path of which nothing
        is known, and SettingsError when the settings do not name this knowledge.
        """
        return self._portal.call(self._knowledge.add(paths, on_file=on_file))

    def follow(self, *, on_file: OnFile | None = None) -> KnowledgeReport:
        """Takes in what changed among the files that the settings name, as opening an assistant does.

        Raises SettingsError for a pattern that matches no file.
        """
        return self._portal.call(self._knowledge.follow(on_file=on_file))

    def documents(self) -> tuple[DocumentEntry, ...]:
        """Its files by their paths, those that were refused too. Raises NotFound when there is no such knowledge."""
        return self._portal.call(self._knowledge.documents())

    def remove(self, paths: Paths | None = None) -> tuple[str, ...]:
        """Forgets files, or all of them; returns their paths. The settings' own come back at the next opening.

        Raises NotFound, with nothing forgotten, for a path of which nothing is known.
        """
        return self._portal.call(self._knowledge.remove(paths))

    def search(self, question: str, limit: int = 5) -> tuple[KnowledgeHit, ...]:
        """The pieces that answer a question best, with why they came and the documents that hold them."""
        return self._portal.call(self._knowledge.search(question, limit))


def _listed(paths: Paths) -> list[Path]:
    """The paths. Raises InvalidInput for what is none: an empty text would name the whole working folder."""
    named = [paths] if isinstance(paths, str | Path) else paths
    if not isinstance(named, Sequence) or not all(one and isinstance(one, str | Path) for one in named):
        raise InvalidInput("a path is empty, or no path", hint="name a file or a folder; '.' is the working folder")
    return [Path(one) for one in named]
