"""Times as persona keeps them: UTC microseconds since the epoch."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

MICROSECONDS = 1_000_000
_DAY_US = 86_400 * MICROSECONDS


def to_us(moment: datetime) -> int:
    """The moment in UTC microseconds; a naive one is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * MICROSECONDS)


def from_us(us: int) -> datetime:
    """The aware UTC datetime of a stored time."""
    return datetime.fromtimestamp(us / MICROSECONDS, UTC)


def iso_day(us: int) -> str:
    """The UTC day, YYYY-MM-DD; empty for 0."""
    return iso_days((us,))[0]


def iso_days(moments: Iterable[int]) -> list[str]:
    """The `iso_day` of each."""
    return [_day(us // _DAY_US) if us else "" for us in moments]


@lru_cache(maxsize=1024)  # a turn asks for the days of forty memories
def _day(days: int) -> str:
    return from_us(days * _DAY_US).date().isoformat()
