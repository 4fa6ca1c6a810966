"""Changing one value in a settings file, and nothing else in it: comments and order stay."""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from persona.errors import SettingsError
from persona.settings.load import load


def set_value(path: Path, key: str, value: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Sets a dotted key to a value written as in TOML, or to a bare word; returns what was there (or "") and what is.

    The file is exchanged at once, when the settings in it are whole. Raises SettingsError, with the file as it was.
    """
    return set_values(path, {key: value}, environment)[key]


def set_values(path: Path, values: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Sets several keys as `set_value` does one: all of them at once, or none."""
    import tomlkit  # 40 ms, and only needed for this

    path = path.resolve() if path.is_symlink() else path  # a link stays one, and its file is exchanged
    text = _read(path)
    document = tomlkit.parse(text)
    made = {key: _set(document, key, value, path) for key, value in values.items()}
    _exchange(path, text, tomlkit.dumps(document), environment)
    return made


def _set(document: MutableMapping[str, Any], key: str, value: str, path: Path) -> tuple[str, str]:
    import tomlkit

    *tables, last = key.split(".")
    place = document
    for name in tables:
        found = place.setdefault(name, tomlkit.table())
        if not isinstance(found, MutableMapping):
            raise SettingsError(f"{key}: {name!r} is no table in {path}", hint="name a key of a table")
        place = found
    before = place[last].as_string() if last in place else ""
    place[last] = _value(value)
    return before.strip(), place[last].as_string().strip()


def _value(text: str) -> Any:
    import tomlkit

    try:
        return tomlkit.value(text)
    except ValueError:  # a bare word
        return tomlkit.string(text)


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
        tomllib.loads(text)
    except FileNotFoundError as error:
        raise SettingsError(
            f"there is no settings file {str(path)!r}", hint="run `persona init` to write one"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read the settings file {str(path)!r}: {error}") from None
    return text


def _exchange(path: Path, seen: str, text: str, environment: Mapping[str, str]) -> None:
    try:
        _written_beside(path, seen, text, environment)
    except OSError as error:
        raise SettingsError(
            f"cannot write the settings file {str(path)!r}: {error.strerror}", hint="let it be written, or edit it"
        ) from error


def _written_beside(path: Path, seen: str, text: str, environment: Mapping[str, str]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, new)
        _check(new, path, environment)
        if path.read_bytes() != seen.encode():
            raise SettingsError(f"{path} was changed by somebody else at the same time", hint="try again")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _check(new: Path, path: Path, environment: Mapping[str, str]) -> None:
    """The new settings must be whole; what is wrong is told of the file it will be in."""
    try:
        load(new, environment)
    except SettingsError as error:
        raise SettingsError(str(error).replace(str(new), str(path))) from None
