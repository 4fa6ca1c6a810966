"""The environment: PERSONA_STORE__URL sets `store.url`, over the file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from persona.settings.fields import Table
from persona.settings.nearest import nearest
from persona.settings.problems import KeyPath
from persona.settings.shape import entry_at, leaves, table_at

PREFIX = "PERSONA_"
DELIMITER = "__"

# A Kubernetes service called persona puts PERSONA_PORT, PERSONA_SERVICE_HOST … into every container beside
# it, and a provider's key may be in a variable that begins like ours. PERSONA_CONFIG names the command's file.
_NOT_OURS = re.compile(r"(?!.*__).*(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_\w+)?|_API_KEY)|PERSONA_CONFIG")


@dataclass(frozen=True, slots=True)
class Override:
    """One variable that sets one key."""

    variable: str
    path: tuple[str, ...]
    value: object


@dataclass(frozen=True, slots=True)
class Stray:
    """One variable that begins like ours and sets nothing; `meant` is the nearest that would."""

    variable: str
    meant: str

    def __str__(self) -> str:
        end = f"; did you mean {self.meant}?" if self.meant else ""
        return f"unknown environment variable {self.variable}{end}"


def overrides(env: Mapping[str, str], root: type[Table], file: Mapping[str, Any]) -> Iterator[Override | Stray]:
    """What the variables set, in their order by name. An empty variable sets nothing."""
    for variable in sorted(env):
        if variable.upper().startswith(PREFIX) and env[variable] and not _NOT_OURS.fullmatch(variable.upper()):
            yield _read(variable, env[variable], root, file)


def merge(file: Mapping[str, Any], override: Override) -> dict[str, Any]:
    """The tables of the file with one key set."""
    name, *rest = override.path
    if not rest:
        return {**file, name: override.value}
    inner = file.get(name)
    deeper = Override(override.variable, tuple(rest), override.value)
    return {**file, name: merge(inner if isinstance(inner, Mapping) else {}, deeper)}


def origins(found: list[Override]) -> dict[KeyPath, str]:
    """Which variable set which key."""
    return {override.path: override.variable for override in found}


def _read(variable: str, text: str, root: type[Table], file: Mapping[str, Any]) -> Override | Stray:
    parts = variable[len(PREFIX) :].lower().split(DELIMITER)
    annotation: object = root
    here: object = file
    path: list[str] = []
    for place, part in enumerate(parts):
        table = table_at(annotation)
        if table is not None and part in table.model_fields:
            name, annotation = part, table.model_fields[part].annotation
        elif table is None and part and entry_at(annotation) is not None:
            name, annotation = _as_written(part, here), entry_at(annotation)
        else:
            return Stray(variable, _meant(parts, place, table))
        path.append(name)
        here = here.get(name) if isinstance(here, Mapping) else None
    return Override(variable, tuple(path), _value(text, annotation))


def _as_written(part: str, table: object) -> str:
    """The file's spelling of a free name: variables know neither case nor hyphens."""
    names = table if isinstance(table, Mapping) else {}
    return next((name for name in names if name.lower().replace("-", "_") == part.replace("-", "_")), part)


def _value(text: str, annotation: object) -> object:
    """Tables and lists are JSON; everything else, and what is no JSON, stays text for the schema to judge."""
    if annotation is str or not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _meant(parts: list[str], place: int, table: type[Table] | None) -> str:
    if table is None:
        return PREFIX + DELIMITER.join(parts[:place]).upper()
    rest = DELIMITER.join(parts[place:])
    whole = nearest(rest, [DELIMITER.join(leaf) for leaf in leaves(table)], cutoff=0.8)
    first = nearest(parts[place], table.model_fields)
    if not whole and not first:
        return ""
    fixed = [*parts[:place], whole] if whole else [*parts[:place], first, *parts[place + 1 :]]
    return PREFIX + DELIMITER.join(fixed).upper()
