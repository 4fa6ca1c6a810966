"""What a turn works with: one set for each open assistant, made in `wiring`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter

from persona.adapter import Embedder
from persona.calling.providers import Providers
from persona.conversation.tails import Tails
from persona.conversation.waiting import Waiting
from persona.memory.cache import IndexCache
from persona.memory.slots import Slots
from persona.render.prompts import Prompts
from persona.routing.routes import Routes
from persona.settings.schema import Settings
from persona.store.engine import Database


def utc_now_us() -> int:
    """Now, in UTC microseconds."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class Services:
    """The rooms below, opened. `on_task` is called when background work was put in the outbox.

    `settings`, `providers`, `routes` and `prompts` are exchanged together when the settings change.
    """

    settings: Settings
    database: Database
    providers: Providers
    routes: Routes
    embedder: Embedder
    indexes: IndexCache
    prompts: Prompts
    slots: Slots
    tails: Tails
    waiting: Waiting = field(default_factory=Waiting)
    kept_prompts: set[str] = field(default_factory=set)
    now_us: Callable[[], int] = utc_now_us
    on_task: Callable[[], None] = lambda: None

    def as_they_are(self) -> "Services":
        """The same for the whole of a turn, whatever the settings become meanwhile; caches are shared."""
        return Services(*_ALL(self))


_ALL = attrgetter(*(field.name for field in fields(Services)))  # `copy` takes four times as long
