"""What the model calls in the log used and cost, for an operator."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from persona.assistant.operator import prepared
from persona.settings import Settings
from persona.store import costs
from persona.store.costs import Dimension, Spent
from persona.values.time import to_us


def spent(settings: Settings, by: Sequence[Dimension], first: date, last: date) -> list[Spent]:
    """What model calls used and cost from one day to another, both included, in UTC; by tenant, user, route, day …"""
    since_us, until_us = _midnight_us(first), _midnight_us(last + timedelta(days=1))
    with prepared(settings) as database:
        return database.run_now(lambda tx: costs.spent(tx, by, since_us, until_us), write=False)


def _midnight_us(day: date) -> int:
    return to_us(datetime.combine(day, time(), UTC))
