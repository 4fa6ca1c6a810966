"""What lies below a key of the schema: errors, the environment and the documentation all walk it."""

from collections.abc import Iterator, Mapping
from typing import get_args, get_origin

from persona.settings.fields import Table


def table_at(annotation: object) -> type[Table] | None:
    """The table that a key holds, or None where it holds a value."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Table) else None


def entry_at(annotation: object) -> object | None:
    """What each entry of a key holds when its names are free (`routes`, `variables`), or None."""
    return _argument(annotation, 1) if _is_mapping(annotation) else None


def _is_mapping(annotation: object) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _argument(annotation: object, place: int) -> object:
    return get_args(annotation)[place]


def below(annotation: object, part: str | int) -> object | None:
    """What the key `part` of a table, a table of entries or a list holds; None where there is none."""
    table = table_at(annotation)
    if table is not None:
        field = table.model_fields.get(str(part))
        return None if field is None else field.annotation
    if isinstance(part, int) and get_origin(annotation) is tuple:
        return _argument(annotation, 0)
    return entry_at(annotation)


def leaves(table: type[Table], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key below a table that holds a value or free names, as a path."""
    for name, field in table.model_fields.items():
        inner = table_at(field.annotation)
        if inner is None:
            yield (*path, name)
        else:
            yield from leaves(inner, (*path, name))
