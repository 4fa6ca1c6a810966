"""A desk to talk at: assistants on one SQLite file, a scripted model, and the log read past persona."""

import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from persona import Assistant, AsyncAssistant, Conversation, Settings
from persona.adapter import Adapter
from persona.store.engine import Database
from persona.store.schema import prepare
from persona.testing import ScriptedModel
from persona.values.message import ToolCall, ToolResult
from persona.values.request import Request

Json = dict[str, Any]
SCRIPTED = {"target": "scripted:any"}


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> Json:
    """The tables of `base` with those of `more` laid over them, key by key."""
    whole = dict(base)
    for key, value in more.items():
        known = whole.get(key)
        whole[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return whole


def settings(folder: Path, **tables: Any) -> Settings:
    """Settings on a database file in `folder`, answered by a scripted model; background work waits for a drain."""
    base = {
        "store": {"url": f"sqlite:///{folder / 'persona.db'}"},
        "tasks": {"run": False},
        "turn": {"wait_s": 0.0},
        "routes": {} if "routes" in tables else {"default": SCRIPTED},
    }
    return Settings.model_validate(merged(base, tables))


def window_of(request: Request) -> list[tuple[str, str]]:
    """What a request shows, as roles and words, without the instructions; the input without its context block."""
    shown = [(message.role, message.text) for message in request.messages[1:]]
    return [(role, text.rpartition("/>\n")[2] if role == "user" else text) for role, text in shown]


def said_in(request: Request) -> str:
    """Every word of a request."""
    return "\n".join(message.text for message in request.messages)


def assert_no_orphans(request: Request) -> None:
    """Every call in the request is followed by its results, and every result follows its call."""
    asked: set[str] = set()
    for message in request.messages:
        answers = {part.call_id for part in message.parts if isinstance(part, ToolResult)}
        assert answers == asked
        asked = {call.id for call in message.tool_calls}
    assert not asked


def ask(name: str, arguments: str = "{}", id: str = "call_1") -> ToolCall:
    """The model asks for a tool."""
    return ToolCall(id, name, arguments)


def results_of(request: Request) -> list[ToolResult]:
    """The tool results that a request ends with."""
    return [part for part in request.messages[-1].parts if isinstance(part, ToolResult)]


@dataclass(slots=True)
class Log:
    """The database as a second connection sees it: only what was committed."""

    path: Path

    def rows(self, sql: str, *values: object) -> list[Json]:
        """The rows of a query, by column name."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, values)]

    def change(self, sql: str, *values: object) -> None:
        """Changes rows behind persona's back."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(sql, values)

    @property
    def turns(self) -> list[Json]:
        """Every turn, in the order they began."""
        return self.rows("SELECT * FROM persona_turns ORDER BY rowid")

    @property
    def exchanges(self) -> list[Json]:
        """Every exchange, in the order they were logged."""
        return self.rows("SELECT * FROM persona_exchanges ORDER BY rowid")

    @property
    def attempts(self) -> list[Json]:
        """Every attempt, in the order they were logged."""
        return self.rows("SELECT * FROM persona_attempts ORDER BY rowid")

    @property
    def feedback(self) -> list[Json]:
        """Every piece of feedback."""
        return self.rows("SELECT * FROM persona_feedback ORDER BY rowid")

    @property
    def messages(self) -> list[Json]:
        """Every message, in the order they were stored."""
        return self.rows("SELECT * FROM persona_messages ORDER BY rowid")

    def copy(self, path: Path) -> None:
        """The database as it stands now: what a process that is killed at this moment leaves behind."""
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)

    @property
    def claimed(self) -> bool:
        """Whether a turn holds a conversation."""
        return bool(self.rows("SELECT 1 FROM persona_conversations WHERE lease_turn_id <> ''"))

    def outcomes(self) -> list[tuple[str, str]]:
        """The outcome and the error of each exchange."""
        return [(row["outcome"], row["error"]) for row in self.exchanges]


@cache
def _new_database() -> bytes:
    """A database file as the first use leaves it: to copy it takes a fiftieth of the time that its tables do."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/new.db")
        prepare(database)
        database.close()
        return Path(folder, "new.db").read_bytes()


@dataclass(slots=True)
class Desk:
    """One folder with one database, one scripted model, and the assistants that were opened on them."""

    folder: Path
    model: ScriptedModel = field(default_factory=ScriptedModel)
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def log(self) -> Log:
        """What the database says."""
        return Log(self.folder / "persona.db")

    def open(self, adapters: Sequence[Adapter] = (), **tables: Any) -> Assistant:
        """Another assistant, closed when the test ends."""
        chosen = self._settings(**tables)
        return self.stack.enter_context(Assistant.open(chosen, adapters=[self.model.adapter, *adapters]))

    def open_async(self, adapters: Sequence[Adapter] = (), **tables: Any) -> AsyncAssistant:
        """Another assistant for this event loop, to be entered by the test."""
        return AsyncAssistant.open(self._settings(**tables), adapters=[self.model.adapter, *adapters])

    def _settings(self, **tables: Any) -> Settings:
        if not self.log.path.exists():
            self.log.path.write_bytes(_new_database())
        return settings(self.folder, **tables)

    def chat(self, adapters: Sequence[Adapter] = (), **tables: Any) -> Conversation:
        """A new conversation of ada's, in an assistant of its own."""
        return self.open(adapters, **tables).user("ada").conversation()

    def assert_nothing_was_lost(self, chat: Conversation, said: str, state: str, error: str) -> None:
        """The message of the turn that failed is there, the log says what happened, and the next turn works."""
        assert [chat.messages()[-1].role, chat.messages()[-1].text] == ["user", said]
        assert (self.log.turns[-1]["state"], self.log.turns[-1]["error"]) == (state, error)
        assert not self.log.claimed
        self.model.then("here I am again")
        assert chat.send("are you there?").text == "here I am again"
        assert window_of(self.model.requests[-1])[-2:] == [("user", said), ("user", "are you there?")]

    def result_of(self, tool: Any, arguments: str = "{}", **tables: Any) -> ToolResult:
        """What the model is given when it calls a tool."""
        chat = self.chat(**tables)
        self.model.then(ask(tool.__name__, arguments), "done")
        assert chat.send("go", tools=[tool]).text == "done"
        (result,) = results_of(self.model.requests[-1])
        return result
