"""The schema in words: the commented file that `persona init` writes, and docs/configuration.md.

`python -m persona.settings.describe > docs/configuration.md` writes the latter anew.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, PlainValidator
from pydantic.fields import FieldInfo

from persona.settings.fields import Table
from persona.settings.limits import LimitRule
from persona.settings.retention import RetentionRule
from persona.settings.schema import Settings
from persona.settings.shape import entry_at, table_at
from persona.settings.window import Section

INLINE: tuple[type[Table], ...] = (Section,)
"""Tables that are written on one line, as values."""

LISTED: tuple[type[Table], ...] = (RetentionRule, LimitRule)
"""Tables of which there may be several without names, each under a header of its own: `[[retention]]`."""

WRITTEN_OUT = {"store.url", "memory.embedder", "routes.default.target", "routes.default.instructions"}
"""The keys that a new file sets; all others are there as comments."""

_FILE_HEAD = """\
# The settings of persona. Every key is here. A line that begins with # and no space shows the default, or an
# example where a default is named above it: take the # away to set it. In the environment PERSONA_STORE__URL
# goes over store.url, and so on. Relative paths start at this file's folder. API keys never belong here: name
# the environment variable that holds one.
"""

_PAGE_HEAD = """\
# Configuration

Everything is optional: `Assistant.open()` without a file works offline with the defaults below, and
`persona init` writes a commented `persona.toml`. Unknown keys are errors, and all problems are named at once.

- **Environment.** `PERSONA_` and the key in capitals, with `__` for each dot, goes over the file:
  `PERSONA_STORE__URL` sets `store.url`, `PERSONA_ROUTES__SUPPORT__TARGET` sets `routes.support.target` (`_`
  stands for the `-` of a name). Lists and tables are JSON. An empty variable counts as unset.
- **Paths.** A relative path starts at the folder of the file, or at the working directory when there is none.
- **API keys.** The file names the environment variable that holds a key, never the key. A provider that a
  target names needs no table of its own: `acme:large` is the adapter `acme` with the key in `ACME_API_KEY`.
- **Names.** NAME below is yours to choose: a letter, then letters and digits, with single `-` or `_` between.
- **Sizes.** In the window sections an integer is tokens and a float is a share: `max = 1000`, `max = 0.15`.

This page is written by `python -m persona.settings.describe > docs/configuration.md`.
"""

_WORDS: Mapping[object, str] = {str: "text", int: "integer", float: "number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class KeyText:
    """One key: its TOML, its type and default in words, and the kind of table its value is made of."""

    name: str
    written: str
    kind: str
    default: str
    text: str
    made_of: type[Table] | None


@dataclass(frozen=True, slots=True)
class TableText:
    """One table: its path with example names and with NAME, and whether it is only an example, or one of a list."""

    path: str
    pattern: str
    text: str
    keys: tuple[KeyText, ...]
    example: bool
    listed: bool = False

    def header(self, path: str) -> str:
        """The line that begins it."""
        return f"[[{path}]]" if self.listed else f"[{path}]"


def commented_toml() -> str:
    """A complete persona.toml: it works as it is, and each key that it does not set is there as a comment."""
    shown: set[type[Table]] = set()
    return "\n".join([_FILE_HEAD, *("\n".join(_toml_lines(table, shown)) + "\n" for table in tables())])


def markdown() -> str:
    """The page docs/configuration.md."""
    shown: set[type[Table]] = set()
    return "\n".join([_PAGE_HEAD, *("\n".join(_page_lines(table, shown)) + "\n" for table in tables())])


def tables() -> Iterator[TableText]:
    """Every table of the settings, in their order."""
    for table in _walk(Settings, (), (), "", example=False):
        if table.path:
            yield table


def _walk(
    model: type[Table], path: tuple[str, ...], pattern: tuple[str, ...], text: str, *, example: bool
) -> Iterator[TableText]:
    keys = tuple(_key(name, field) for name, field in model.model_fields.items() if not _inner(field))
    yield TableText(".".join(path), ".".join(pattern), text, keys, example)
    for name, field in model.model_fields.items():
        inner = _inner(field)
        about = field.description or ""
        if inner in LISTED:
            row = tuple(_key(key, one) for key, one in inner.model_fields.items())
            yield TableText(".".join((*path, name)), ".".join((*pattern, name)), about, row, example=True, listed=True)
        elif inner is not None and entry_at(field.annotation) is None:
            yield from _walk(inner, (*path, name), (*pattern, name), about, example=example)
        elif inner is not None:
            entry = (field.examples or ["NAME"])[0]
            as_example = example or entry != "default"
            yield from _walk(inner, (*path, name, entry), (*pattern, name, "NAME"), about, example=as_example)


def _inner(field: FieldInfo) -> type[Table] | None:
    """The table below a field that is written under a header of its own."""
    inner = table_at(entry_at(field.annotation) or field.annotation)
    made_of = _made_of(field)
    return made_of if made_of in LISTED else None if inner in INLINE else inner


def _key(name: str, field: FieldInfo) -> KeyText:
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    written = _toml(field.examples[0] if field.examples else default)
    shown = "required" if field.is_required() else "unset" if default is None else _toml(default)
    return KeyText(name, written, _type(_accepted(field)), shown, field.description or "", _made_of(field))


def _made_of(field: FieldInfo) -> type[Table] | None:
    arguments = get_args(field.annotation)
    return table_at(field.annotation) or (table_at(arguments[0]) if arguments else None)


def _accepted(field: FieldInfo) -> object:
    """What may be written, where a validator takes more than the key holds."""
    for step in field.metadata:
        if isinstance(step, BeforeValidator | PlainValidator):
            return step.json_schema_input_type
    return field.annotation


def _type(annotation: object) -> str:
    arguments = get_args(annotation)
    table = table_at(annotation)
    if table is not None:
        return f"{{ {', '.join(table.model_fields)} }}"
    if get_origin(annotation) is Literal:
        return " or ".join(map(_toml, arguments))
    if isinstance(annotation, UnionType):
        return " or ".join(_type(one) for one in arguments if one is not NoneType)
    if get_origin(annotation) is tuple:
        return f"list of {_type(arguments[0])}"
    if entry_at(annotation) is not None:
        return f"table of {_type(arguments[1])}"
    return _WORDS.get(annotation, "text")


def _toml(value: object) -> str:
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items() if one is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _toml_lines(table: TableText, shown: set[type[Table]]) -> Iterator[str]:
    yield f"# {table.text}"
    yield f"{'#' if table.example else ''}{table.header(table.path)}"
    for key in table.keys:
        yield f"# {key.text}{_unless_written(key)}"
        yield from (f"#   {name}: {text}" for name, _, _, text in _parts(key, shown))
        mark = "" if f"{table.path}.{key.name}" in WRITTEN_OUT else "#"
        yield f"{mark}{key.name} = {key.written}"


def _page_lines(table: TableText, shown: set[type[Table]]) -> Iterator[str]:
    yield f"## `{table.header(table.pattern)}`\n\n{table.text}\n"
    if not table.keys:
        return
    yield "| key | type | default | what it does |\n|---|---|---|---|"
    for key in table.keys:
        yield f"| `{key.name}` | {key.kind} | {_code(key.default)} | {key.text} |"
        for name, kind, default, text in _parts(key, shown):
            yield f"| `….{name}` | {kind} | {_code(default)} | {text} |"


def _parts(key: KeyText, shown: set[type[Table]]) -> Iterator[tuple[str, str, str, str]]:
    """What the tables inside a value are made of: name, type, default, text; once for each kind of table."""
    if key.made_of is None or key.made_of in shown:
        return
    shown.add(key.made_of)
    for name, field in key.made_of.model_fields.items():
        part = _key(name, field)
        yield part.name, part.kind, part.default, part.text


def _unless_written(key: KeyText) -> str:
    if key.default == "required":
        return " (required)"
    return "" if key.written == key.default else f" (default: {key.default})"


def _code(default: str) -> str:
    return default if default in {"unset", "required"} else f"`{default}`"


if __name__ == "__main__":
    print(markdown(), end="")  # the page is this command's output
