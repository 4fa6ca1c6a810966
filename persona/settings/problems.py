"""What is wrong with the settings, in words that name the key and never repeat a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from persona.errors import SettingsError
from persona.settings.fields import Table
from persona.settings.nearest import did_you_mean, nearest
from persona.settings.shape import below, leaves, table_at

KeyPath = tuple[str | int, ...]

_WORDS = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "tuple_type": "must be a list (JSON when it comes from the environment)",
    "dict_type": "must be a table",
    "mapping_type": "must be a table",
    "model_type": "must be a table",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the key's path, and what to say of it."""

    path: KeyPath
    text: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where the values come from: the file's name, its folder, and the variable of each path that one set.

    `unknown` holds ready lines about variables that set nothing.
    """

    file: str = "settings"
    folder: Path = field(default_factory=Path.cwd)
    variables: Mapping[KeyPath, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def line(self, problem: Problem) -> str:
        """The problem in one line."""
        key = repr(".".join(map(str, problem.path)))
        for end in range(len(problem.path), 0, -1):
            if problem.path[:end] in self.variables:
                key = f"{self.variables[problem.path[:end]]} ({key})"
                break
        return f"unknown key {key}{problem.text}" if problem.unknown else f"{key} {problem.text}"

    def refuse(self, problems: Sequence[Problem]) -> SettingsError:
        """The error that says everything at once."""
        lines = [*self.unknown, *dict.fromkeys(self.line(problem) for problem in problems)]
        if len(lines) == 1:
            return SettingsError(f"{self.file}: {lines[0]}")
        return SettingsError("\n  ".join([f"{self.file}: {len(lines)} problems", *lines]))


def found_in(error: ValidationError, root: type[Table]) -> list[Problem]:
    """The problems that a validation found, in persona's words."""
    return [
        _in_words(row["loc"], row["type"], row["msg"], root)
        for row in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _in_words(path: KeyPath, kind: str, message: str, root: type[Table]) -> Problem:
    if path and path[-1] == "[key]":
        path = path[:-1]
    if kind == "extra_forbidden":
        return Problem(path, _closest_key(path, root), unknown=True)
    plain = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return Problem(path, _WORDS.get(kind, plain))


def _closest_key(path: KeyPath, root: type[Table]) -> str:
    annotation: object = root
    for part in path[:-1]:
        annotation = below(annotation, part)
    table = table_at(annotation)
    if table is None:
        return ""
    word = str(path[-1])
    deeper = [".".join(leaf) for leaf in leaves(table) if leaf[-1] == word]
    if deeper and not nearest(word, table.model_fields, cutoff=0.8):
        return f"; did you mean {deeper[0]!r}?"
    return did_you_mean(word, table.model_fields)
