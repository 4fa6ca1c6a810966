"""Which format a file is in, told by its container and its first rows."""

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.formats.reading import Line, container_of, lines

_LOOKED_AT = 50  # rows


def detect(path: Path, formats: Mapping[str, DatasetFormat]) -> tuple[str, ...]:
    """The names of the formats that fit the first rows, the best one first.

    Raises InvalidInput when none comes near.
    """
    container = container_of(path)
    rows = [line.row for line in islice(_readable(lines(path, container)), _LOOKED_AT)]
    ranked = sorted(
        (_misfit(one, rows, container), place, name)
        for place, (name, one) in enumerate(formats.items())
        if any(row is not None and _is_alike(one, row) for row in rows)
    )
    if not rows:
        raise InvalidInput(
            f"{path.name} has no row that can be read",
            hint="write one JSON object a line, an array of them, or a table",
        )
    if not ranked:
        raise InvalidInput(f"{path.name} is in no format that is known", hint="name one: persona formats lists them")
    best = ranked[0][0][0]
    return tuple(name for misfit, _, name in ranked if misfit[0] == best)


def _readable(found: Iterable[Line]) -> Iterable[Line]:
    return (line for line in found if line.row is not None)


def _is_alike(one: DatasetFormat, row: Mapping[str, Any]) -> bool:
    """Whether a row has the keys that a format lives by: those that it misses are told by its problems."""
    found = one.problems(row)
    wholly = [problem for problem in found if problem.error and not problem.where.count("[")]
    return not wholly


def _misfit(one: DatasetFormat, rows: list[dict[str, Any] | None], container: str) -> tuple[int, int, int]:
    errors = warnings = 0
    for row in rows:
        found = one.problems(row or {})
        errors += any(problem.error for problem in found)
        warnings += sum(not problem.error for problem in found)
    return errors, warnings, int(container not in (one.container, *one.also))
