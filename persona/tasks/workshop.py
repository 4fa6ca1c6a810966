"""What background work is done with."""

from collections.abc import Callable
from dataclasses import dataclass

from persona.adapter import Embedder
from persona.calling.providers import Providers
from persona.memory.cache import IndexCache
from persona.memory.slots import Slots
from persona.routing.routes import Routes
from persona.settings.schema import Settings
from persona.store.engine import Database


@dataclass(frozen=True, slots=True)
class Workshop:
    """The rooms that tasks use."""

    settings: Settings
    database: Database
    providers: Providers
    routes: Routes
    embedder: Embedder
    indexes: IndexCache
    now_us: Callable[[], int]
    slots: Slots
