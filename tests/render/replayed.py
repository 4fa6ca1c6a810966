"""The log of a desk, read as harvest reads it and rendered through an arm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from talking import Desk

from persona.adapter import Adapter
from persona.calling.providers import Providers
from persona.render.known import recalled_ids
from persona.render.past import Past
from persona.render.prepare import rules_for
from persona.render.rendered import Rendered
from persona.routing.routes import Routes
from persona.settings import Settings
from persona.store import log
from persona.store.codec import decode_plan
from persona.store.engine import Database
from persona.store.log import LogReader, Wanted
from persona.values.log import LoggedConversation, LoggedExchange, LoggedMemory
from persona.values.request import Request
from persona.window.counting import declared_in


@dataclass(frozen=True, slots=True)
class Replay:
    """A database and the settings that its routes are read from."""

    url: str
    settings: Settings
    adapters: Sequence[Adapter]

    def conversations(self, wanted: Wanted | None = None) -> list[LoggedConversation]:
        """Everything that is logged."""
        reader, database = LogReader(wanted or Wanted()), Database(self.url)
        try:
            first, last = database.run_now(reader.span, write=False)
            return list(chain.from_iterable(reader.pages(database, first, last, 2)))
        finally:
            database.close()

    def past(self, route: str = "default", arm: str = "base") -> Past:
        """What renders through an arm."""
        providers = Providers(self.settings, {}, self.adapters)
        chosen = Routes(self.settings).arm(route, arm)
        target = chosen.targets[0]
        return Past(chosen, target, providers.counter(target), rules_for(providers, chosen, target))

    def rendered(
        self, past: Past, *, whole: bool = False, counted: bool = True
    ) -> Iterator[tuple[LoggedExchange, Rendered]]:
        """Every exchange that brought a reply, in the order of the log, through an arm."""
        pairs = [
            (conversation, exchange)
            for conversation in self.conversations()
            for exchange in conversation.exchanges
            if exchange.reply_id
        ]
        pairs.sort(key=lambda pair: (pair[1].started_us, pair[1].id))
        for conversation, exchange in pairs:
            memories, schemas = self._words(exchange)
            known = (conversation, exchange, memories, *declared_in(schemas))
            yield exchange, past.render(*known, whole=whole, counted=counted)

    def _words(self, exchange: LoggedExchange) -> tuple[dict[str, LoggedMemory], str]:
        plan, database = decode_plan(exchange.plan), Database(self.url)
        try:
            memories = database.run_now(lambda tx: log.memories(tx, recalled_ids(plan)), write=False)
            kept = database.run_now(lambda tx: log.prompts(tx, [plan.tools_digest]), write=False)
            return memories, kept.get(plan.tools_digest, "")
        finally:
            database.close()


def replay(desk: Desk, settings: Settings, *adapters: Adapter) -> Replay:
    """The desk's log."""
    return Replay(f"sqlite:///{desk.log.path}", settings, [desk.model.adapter, *adapters])


def on_the_wire(request: Request | Rendered) -> list[tuple[str, object]]:
    """The messages of a request as far as a model sees them."""
    return [(message.role, message.parts) for message in request.messages]
