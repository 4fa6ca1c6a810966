"""What a row of a file may tell beside its messages: whose it is, when, how good, and whether it may be trained on."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from persona.errors import InvalidInput
from persona.store.codec import storable
from persona.values.time import MICROSECONDS, to_us

OF_ROW = (
    *("user", "tenant", "conversation", "created", "timestamp", "rating", "correction", "tags", "consent"),
    *("metadata", "model"),
)
"""Keys of a row, and columns of a table."""

OF_MESSAGE = ("created", "timestamp", "rating", "correction")
"""Keys of one message in a row."""

_LONGEST_NAME = 200
_YES = {"true", "yes", "1", "oui"}
_NO = {"false", "no", "0", "non"}
_LATEST_S = 4_102_444_800  # 2100-01-01; larger numbers are milliseconds or microseconds
_EARLIEST_US = 315_532_800 * MICROSECONDS  # 1980


@dataclass(frozen=True, slots=True)
class Told:
    """What a row tells. Times are UTC microseconds, 0 where there is none; `details` is JSON text."""

    user: str = ""
    tenant: str | None = None
    conversation: str = ""
    created_us: int = 0
    rating: float | None = None
    correction: str = ""
    tags: tuple[str, ...] = ()
    consent: bool | None = None
    details: str = ""
    model: str = ""


def told(row: Mapping[str, Any]) -> Told:
    """What the row tells beside its messages. Raises InvalidInput, with the key, for what is not as it should be."""
    tenant = row.get("tenant")
    return Told(
        user=_name(row, "user"),
        tenant=None if tenant in (None, "") else _name(row, "tenant"),
        conversation=_name(row, "conversation"),
        created_us=created_of(row),
        rating=rating_of(row),
        correction=correction_of(row),
        tags=_tags(row.get("tags")),
        consent=_answer(row.get("consent")),
        details=_details(row.get("metadata")),
        model=_name(row, "model"),
    )


def created_of(row: Mapping[str, Any]) -> int:
    """When: `created` or `timestamp`, in ISO 8601 or in seconds, milliseconds or microseconds; 0: not known."""
    value = row.get("created", row.get("timestamp"))
    if value is None or value == "":
        return 0
    us = _of_number(value) if isinstance(value, int | float) else _of_text(value)
    if not _EARLIEST_US < us < _LATEST_S * MICROSECONDS:
        raise _wrong("created is no time", "write it as 2026-11-21T14:05:00+01:00, or in seconds since 1970")
    return us


def rating_of(row: Mapping[str, Any]) -> float | None:
    """How good: a number, higher is better; true and false are 1 and 0."""
    value = row.get("rating")
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().casefold() in _YES | _NO:
        return float(value.strip().casefold() in _YES)
    try:
        rating = float(value)
    except (TypeError, ValueError):
        rating = math.nan
    if not math.isfinite(rating):
        raise _wrong("rating is no number", "write a number, where higher is better")
    return rating


def correction_of(row: Mapping[str, Any]) -> str:
    """What the last reply should have been; empty for nothing."""
    value = row.get("correction")
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise _wrong("correction is no text", "write what the reply should have been")
    return storable(value)


def _of_number(value: float) -> int:
    if not math.isfinite(value):
        return 0
    for unit in (1, 1_000, MICROSECONDS):
        if abs(value) < _LATEST_S * unit:
            return round(value * (MICROSECONDS // unit))
    return 0


def _of_text(value: object) -> int:
    text = str(value).strip()
    try:
        return _of_number(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return 0


def _name(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    name = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else "\0"
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise _wrong(f"{key} is no name", f"write at most {_LONGEST_NAME} printable characters")
    return name


def _tags(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    found = _json(value, list) if isinstance(value, str) and value.lstrip().startswith("[") else value
    some = found.split(",") if isinstance(found, str) else found
    if not isinstance(some, list) or not all(isinstance(tag, str) for tag in some):
        raise _wrong("tags are no list of texts", 'write ["billing", "vip"]')
    return tuple(dict.fromkeys(storable(tag.strip()) for tag in some if tag.strip()))


def _answer(value: object) -> bool | None:
    if value is None or value == "":
        return None
    said = str(value).strip().casefold()
    if said not in _YES | _NO:
        raise _wrong("consent is neither yes nor no", "write true or false, or leave it out where it is not known")
    return said in _YES


def _details(value: object) -> str:
    if value is None or value == "":
        return ""
    found = _json(value, dict) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise _wrong("metadata is no object", 'write {"channel": "web"}')
    return storable(json.dumps(found, ensure_ascii=False, separators=(",", ":")))


def _json(value: str, kind: type) -> Any:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None


def _wrong(what: str, hint: str) -> InvalidInput:
    return InvalidInput(what, hint=hint)
