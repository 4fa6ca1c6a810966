"""Opens what a command works with. Imports the heavy rooms when it is called, so that --help stays fast."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona.assistant.synchronous import Assistant
    from persona.settings import Settings

USUAL_FILE = "persona.toml"


def settings_path(config: str | None) -> Path | None:
    """The settings file: the one that was named, else ./persona.toml where there is one."""
    if config:
        return Path(config)
    usual = Path(USUAL_FILE)
    return usual if usual.exists() else None


def read_settings(config: str | None) -> "Settings":
    """The settings a command works with. Raises SettingsError."""
    from persona.settings import load

    return load(settings_path(config))


@contextmanager
def talking(config: str | None) -> Iterator["Assistant"]:
    """An assistant whose turns are cancelled when their command is interrupted."""
    from persona.assistant.synchronous import Assistant

    settings = read_settings(config)
    turn = settings.turn.model_copy(update={"on_disconnect": "cancel"})
    with Assistant.open(settings.model_copy(update={"turn": turn})) as assistant:
        yield assistant


@contextmanager
def looking(config: str | None, *, make: bool = False) -> Iterator["Assistant"]:
    """An assistant that does no background work: looking at something calls no model.

    On a database that is there, or with `make` a new one when there is none. Raises StoreUnavailable.
    """
    from persona.assistant.synchronous import Assistant
    from persona.store.sqlite import check_there

    settings = quiet(read_settings(config))
    if not make:
        check_there(settings.database_url)
    with Assistant.open(settings) as assistant:
        yield assistant


def quiet(settings: "Settings") -> "Settings":
    """The settings without background work and without reading knowledge files again."""
    tasks = settings.tasks.model_copy(update={"run": False})
    return settings.model_copy(update={"tasks": tasks, "knowledge": {}})
