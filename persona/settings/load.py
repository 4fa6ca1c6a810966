"""Reading the settings: one file, the environment over it, one object."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona.errors import SettingsError
from persona.settings.environment import Override, Stray, merge, origins, overrides
from persona.settings.problems import Source
from persona.settings.schema import Settings


def load(path: str | Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """The settings of a persona.toml with the PERSONA_… variables over it.

    Without a path no file is looked for: embedded defaults and the environment (`env`, or the process's own).
    Raises SettingsError with every problem at once.
    """
    tables = {} if path is None else _read(Path(path))
    found = list(overrides(os.environ if env is None else env, Settings, tables))
    setting = [one for one in found if isinstance(one, Override)]
    for override in setting:
        tables = merge(tables, override)
    keys = _key_variables(tables)
    source = Source(
        file="environment" if path is None else str(path),
        folder=Path.cwd() if path is None else Path(path).absolute().parent,
        variables=origins(setting),
        unknown=tuple(str(one) for one in found if isinstance(one, Stray) and one.variable not in keys),
    )
    return Settings.model_validate(tables, context=source)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # an editor may have put a byte-order mark before it
    except FileNotFoundError as error:
        raise SettingsError(
            f"there is no settings file {str(path)!r}", hint="run `persona init` to write one"
        ) from error
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start})") from None  # it holds the bytes
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}") from error


def _key_variables(tables: Mapping[str, Any]) -> set[str]:
    """The variables that hold keys: they may be called PERSONA_… too."""
    providers = tables.get("providers")
    rows = providers.values() if isinstance(providers, Mapping) else ()
    return {str(row["key_env"]) for row in rows if isinstance(row, Mapping) and "key_env" in row}
