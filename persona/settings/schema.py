"""The settings: every table of persona.toml, with defaults under which everything works offline."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from persona.settings.fields import DatabaseUrl, Link, Name, Table, TargetText, VariableName
from persona.settings.harvest import HarvestSettings
from persona.settings.limits import LimitRule
from persona.settings.names import unknown_names
from persona.settings.problems import Source, found_in
from persona.settings.profile import SlotSettings
from persona.settings.retention import RetentionRule
from persona.settings.routes import Route

_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!:memory:|file:)([^?]+)(.*)")


class StoreSettings(Table):
    """Where everything is kept."""

    url: DatabaseUrl = Field(
        default="sqlite:///persona.db",
        repr=False,  # it may hold a password
        description="SQLAlchemy URL of the database; a relative SQLite path starts at this file's folder.",
    )
    durability: Literal["normal", "full"] = Field(
        default="normal",
        description="normal survives the death of the process, full also a power loss (slower).",
    )
    busy_timeout_s: float = Field(
        default=5.0, ge=0, description="Seconds to wait for a locked database, a locked row or a free connection."
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds that PostgreSQL may work on one statement, migrations excepted."
    )
    connections: int = Field(
        default=8,
        ge=1,
        description="Most connections of this process to PostgreSQL, of its event loop and its threads together.",
    )


class TurnSettings(Table):
    """The limits of one turn."""

    timeout_s: float = Field(default=60.0, gt=0, description="Seconds for a whole turn, tools included.")
    wait_s: float = Field(default=10.0, ge=0, description="Seconds a second turn waits for a busy conversation.")
    on_disconnect: Literal["finish", "cancel"] = Field(
        default="finish",
        description="What happens to a turn whose client has gone: finish and log it, or cancel it.",
    )
    max_input_chars: int = Field(default=200_000, ge=1, description="Most characters of a user message.")
    max_tool_rounds: int = Field(default=8, ge=0, description="Most rounds of tool calls in a turn.")
    tool_timeout_s: float = Field(default=30.0, gt=0, description="Seconds for one tool call.")
    max_tool_result_chars: int = Field(
        default=20_000, ge=1, description="Most characters of a tool's result; the rest is cut."
    )
    retries: int = Field(default=2, ge=0, description="Further attempts at a target before the next fallback.")
    rest_after: int = Field(
        default=5, ge=1, description="Failed calls in a row after which a target is passed over for its fallbacks."
    )
    rest_s: float = Field(default=30.0, ge=0, description="Seconds that it is passed over; then one call tries it.")


class MemorySettings(Table):
    """What is remembered of users, and how it is found again."""

    embedder: TargetText = Field(
        default="embedded:words-1", description="What turns texts into vectors, provider:model."
    )
    turns: bool = Field(default=True, description="Whether what users say becomes memories.")
    learn: str = Field(
        default="",
        description="The route that learns facts from what users say, one call a message; empty for none.",
    )
    candidates: int = Field(default=24, ge=1, description="Most search hits considered for one window.")
    index_cache_mb: int = Field(default=256, ge=1, description="Megabytes of vector indexes kept in memory.")
    history_cache_mb: int = Field(
        default=12,
        ge=0,
        description="Megabytes of open conversations' newest turns kept in memory; with 0 each turn reads them anew.",
    )


class TaskSettings(Table):
    """Background work."""

    run: bool = Field(
        default=True,
        description="Whether background work runs inside this process; false leaves it to `persona work`.",
    )
    drain_s: float = Field(default=5.0, ge=0, description="Seconds that closing waits for background work.")


class TelemetrySettings(Table):
    """What an operator's OpenTelemetry is told. Read when an assistant is opened."""

    on: bool = Field(
        default=False,
        description="Whether turns, model calls, tools and embeddings become OpenTelemetry spans and metrics, by the "
        "providers that the process has configured.",
    )
    content: bool = Field(
        default=False, description="Whether these spans hold what is said: prompts, replies, tools' arguments, results."
    )


class ProviderSettings(Table):
    """Where a provider is and how it is spoken to."""

    kind: str = Field(
        default="", examples=["acme"], description="Name of the adapter; the provider's own name when empty."
    )
    base_url: Link = Field(default="", repr=False, description="Address of the API; the adapter's own when empty.")
    key_env: VariableName = Field(
        default="",
        examples=["ACME_API_KEY"],
        description="NAME of the environment variable with the key; NAME_API_KEY of the provider when empty, "
        "or no key when base_url is set.",
    )
    connect_timeout_s: float = Field(default=5.0, gt=0, description="Seconds to reach the provider.")
    max_concurrency: int = Field(
        default=0, ge=0, description="Most calls of one of its models at once, in one process; 0 for no cap."
    )
    tokens_per_minute: int = Field(
        default=0, ge=0, description="Most tokens a minute sent to one of its models by one process; 0 for no cap."
    )
    options: Mapping[str, str] = Field(
        default_factory=dict, description="What the adapter itself asks for, such as a region or a project."
    )


class KnowledgeSettings(Table):
    """Documents that routes may show."""

    files: tuple[str, ...] = Field(
        default=(),
        examples=[["docs/*.md"]],
        description="Globs of .txt, .md, .html, .pdf and .docx files, from this file's folder; "
        "`persona knowledge add` brings others.",
    )
    max_file_mb: int = Field(default=32, ge=1, description="Most megabytes of a file, and of what it unpacks to.")
    max_file_s: float = Field(
        default=120.0, gt=0, description="Most seconds that reading one .html, .pdf or .docx file may take."
    )


class Settings(Table):
    """Everything persona is told, from persona.toml, the environment or code.

    Raises SettingsError, with all the problems at once.
    """

    store: StoreSettings = Field(default_factory=StoreSettings, description="Where everything is kept.")
    turn: TurnSettings = Field(default_factory=TurnSettings, description="The limits of one turn.")
    memory: MemorySettings = Field(
        default_factory=MemorySettings, description="What is remembered, and how it is found."
    )
    profile: Mapping[Name, SlotSettings] = Field(
        default_factory=dict,
        examples=["city"],
        description="What is worth knowing of every user, by name: the slots of their profile.",
    )
    tasks: TaskSettings = Field(default_factory=TaskSettings, description="Background work.")
    telemetry: TelemetrySettings = Field(
        default_factory=TelemetrySettings, description="What an operator's OpenTelemetry is told."
    )
    providers: Mapping[Name, ProviderSettings] = Field(
        default_factory=dict,
        examples=["acme"],
        description="Where providers are; one that a target names needs no table when its defaults will do.",
    )
    knowledge: Mapping[Name, KnowledgeSettings] = Field(
        default_factory=dict, examples=["docs"], description="Documents, by a name that routes list."
    )
    harvest: HarvestSettings = Field(
        default_factory=HarvestSettings, description="What of the log becomes training data: docs/harvest.md."
    )
    retention: tuple[RetentionRule, ...] = Field(
        default=(),
        description="When conversations are deleted, with all that hangs on them but facts. The first rule that fits a "
        "conversation counts; without one it is kept for ever.",
    )
    limits: tuple[LimitRule, ...] = Field(
        default=(),
        description="How much model calls may use; what goes beyond is refused before a model is called. Of limits "
        "with the same by, per and route the first that fits a call counts, so exceptions come first.",
    )
    routes: Mapping[Name, Route] = Field(
        default_factory=lambda: {"default": Route()},
        examples=["default"],
        description="What a backend asks for by name; without any, the route default on the embedded model.",
    )

    _folder: Path = PrivateAttr(default_factory=Path.cwd)

    @property
    def folder(self) -> Path:
        """The folder that relative paths start at: the file's, or the working directory."""
        return self._folder

    @property
    def database_url(self) -> str:
        """`store.url` with the path of a SQLite file made absolute."""
        match = _SQLITE_FILE.fullmatch(self.store.url)
        if match is None:
            return self.store.url
        folder = str(self.folder).replace("%", "%25").replace("?", "%3F")  # a URL's path is unquoted when it is read
        return f"{match[1]}{Path(folder) / match[2]}{match[3]}"

    def provider(self, name: str) -> ProviderSettings:
        """One provider with its kind and key_env filled in, also when no table declares it."""
        written = self.providers.get(name, ProviderSettings())
        usual_key = "" if written.base_url else f"{name.upper().replace('-', '_')}_API_KEY"
        return written.model_copy(update={"kind": written.kind or name, "key_env": written.key_env or usual_key})

    def model_post_init(self, context: Any) -> None:
        if isinstance(context, Source):
            self._folder = context.folder

    @field_validator("routes")
    @classmethod
    def _have_one(cls, routes: Mapping[str, Route]) -> Mapping[str, Route]:
        return routes or {"default": Route()}

    @model_validator(mode="wrap")
    @classmethod
    def _say_all_problems(cls, raw: Any, handler: ModelWrapValidatorHandler[Self], seen: ValidationInfo) -> Self:
        source = seen.context if isinstance(seen.context, Source) else Source()
        problems = unknown_names(raw)
        try:
            settings = handler(raw)
        except ValidationError as error:
            problems = [*found_in(error, cls), *problems]
        # raised outside the except, unchained: pydantic's error holds the values, which may be secrets
        if problems or source.unknown:
            raise source.refuse(problems)
        return settings
