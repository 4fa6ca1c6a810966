"""What the dates of a tuning card mean today: refused before anything is uploaded, or warned of."""

from collections.abc import Iterator
from datetime import date

from persona.errors import InvalidInput, TuningClosed
from persona.values.tuning import Method, TuningCard

SOON_DAYS = 90
"""Days before an end from which on it is warned of: about what moving a route to another model takes."""

_INSTEAD = "start the same dataset on another backend (`persona tune again`), or work on prompt and retrieval"


def check_open(card: TuningCard, backend: str, method: Method, today: date) -> None:
    """Raises TuningClosed where nothing is trained any more or nobody would serve it, InvalidInput for the method."""
    name = f"{backend}:{card.base_model}"
    said = f" ({card.source}, read {card.checked})" if card.source else ""
    if card.closed:
        raise TuningClosed(f"{name}: {card.closed}{said}", hint=_INSTEAD)
    if card.training_until and today > date.fromisoformat(card.training_until):
        raise TuningClosed(f"{name} has not been trained since {card.training_until}{said}", hint=_INSTEAD)
    if card.serving_until and today >= date.fromisoformat(card.serving_until):
        raise TuningClosed(f"{name}: what is tuned is not served since {card.serving_until}{said}", hint=_INSTEAD)
    if method not in card.methods:
        raise InvalidInput(
            f"{name} is not tuned by {method}", hint=f"it takes {', '.join(card.methods) or 'no method'}"
        )


def warnings(card: TuningCard, today: date) -> tuple[str, ...]:
    """What ends soon, and what else a person should know before, in words."""
    return tuple(_warnings(card, today))


def _warnings(card: TuningCard, today: date) -> Iterator[str]:
    if card.note:
        yield card.note
    if days := _soon(card.training_until, today):
        yield f"new runs are taken until {card.training_until}, {days} more days"
    if days := _soon(card.serving_until, today):
        yield f"what is tuned is served until {card.serving_until}, {days} more days: plan where it goes then"


def _soon(day: str, today: date) -> int:
    """The days until then, the last one included; 0 where that is far off, or no day is set."""
    days = (date.fromisoformat(day) - today).days + 1 if day else 0
    return days if 0 < days <= SOON_DAYS else 0
