"""Times as persona keeps them: UTC microseconds since the epoch."""

from datetime import UTC, datetime

MICROSECONDS = 1_000_000


def to_us(moment: datetime) -> int:
    """The moment in UTC microseconds; a naive one is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * MICROSECONDS)


def from_us(us: int) -> datetime:
    """The aware UTC datetime of a stored time."""
    return datetime.fromtimestamp(us / MICROSECONDS, UTC)


def iso_day(us: int) -> str:
    """The UTC day, YYYY-MM-DD; empty for 0."""
    return from_us(us).date().isoformat() if us else ""
