"""What the demo stands on: its settings, the model that talks, a fresh database, a clock, and a tap on the wire."""

import os
import tomllib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona import Assistant, MisuseError, Settings
from persona.adapter import Adapter, ChatModel, Provider, load
from persona.settings import load as load_settings
from persona.values.request import Delta, Request, Target

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "persona.toml"
TARGET = "PERSONA_ROUTES__SUPPORT__TARGET"
URL = "PERSONA_STORE__URL"
HOSTED = "openai:gpt-5.4-mini"  # what an OPENAI_API_KEY in the environment is used for


@dataclass(frozen=True, slots=True)
class Ada:
    """What Ada says; `fact` is what the app knows about her."""

    fact: str
    told: tuple[str, ...]
    asks_hours: str
    asks_preference: str
    letter: tuple[str, ...]
    correction: str


@dataclass(frozen=True, slots=True)
class Ben:
    """What Ben says."""

    told: tuple[str, ...]
    asks_hours: str
    asks_place: str
    asks_about_ada: str


def story() -> tuple[Ada, Ben]:
    """The two users' lines, from story.toml."""
    lines = tomllib.loads((HERE / "story.toml").read_text(encoding="utf-8"))
    return Ada(**lines["ada"]), Ben(**lines["ben"])


@dataclass(slots=True)
class Clock:
    """The time, so many days ago."""

    days_ago: int = 0

    def __call__(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=self.days_ago)


@dataclass(slots=True)
class Stage:
    """Opens assistants on one database, one after the other, as processes of a backend would."""

    settings: Settings
    environment: dict[str, str]
    changed: dict[str, str]  # what the demo set in it: the same commands need it again
    folder: Path
    clock: Clock = field(default_factory=Clock)
    heard: list[Request] = field(default_factory=list)

    @property
    def target(self) -> Target:
        """The model that talks."""
        return Target(*self.settings.routes["support"].arms["base"].target.split(":", 1))

    def open(self, days_ago: int) -> Assistant:
        """An assistant at a moment of the past; it goes on with what the database holds."""
        self.clock.days_ago = days_ago
        adapter = load(self.settings.provider(self.target.provider).kind)
        return Assistant.open(
            self.settings, adapters=[tapped(adapter, self.heard)], environment=self.environment, clock=self.clock
        )


def prepare() -> Stage:
    """A stage on a fresh `demo-data/` in the current folder. Raises SettingsError."""
    folder = Path.cwd().resolve() / "demo-data"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("persona.db*"):
        old.unlink()
    database = folder / "persona.db"
    written = Path(load_settings(CONFIG, {}).database_url.removeprefix("sqlite:///")).resolve()
    changed = {}
    if URL in os.environ or written != database:
        changed[URL] = f"sqlite:///{database}"
    if os.environ.get("OPENAI_API_KEY") and not os.environ.get(TARGET):
        changed[TARGET] = HOSTED
    environment = {**os.environ, **changed}
    return Stage(load_settings(CONFIG, environment), environment, changed, folder)


def tapped(adapter: Adapter, heard: list[Request]) -> Adapter:
    """The same adapter, whose chat models note every request: what is checked is what went to the model."""
    inner = adapter.chat
    if inner is None:
        raise MisuseError(f"the adapter {adapter.name!r} offers no chat", hint=f"name another target in {TARGET}")

    def chat(provider: Provider) -> ChatModel:
        return Tap(inner(provider), heard)

    return replace(adapter, chat=chat)


@dataclass(frozen=True, slots=True)
class Tap:
    """A chat model that notes what it is asked, and asks another."""

    inner: ChatModel
    heard: list[Request]

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """What the other model answers."""
        self.heard.append(request)
        async with aclosing(self.inner.call(request)) as deltas:  # type: ignore[type-var]  # an async generator
            async for delta in deltas:
                yield delta

    async def close(self) -> None:
        """Closes the other model."""
        await self.inner.close()
