"""What was brought back for one turn: a question's terms, and one ranking out of several owners' hits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from persona.values import words
from persona.values.memory import Recalled
from persona.values.owner import Owner
from persona.values.record import record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MUCH_LONGER = 2  # a text twice as long as the question says more than the question


@record(frozen=True, slots=True)
class Query:
    """What memories are searched by: the user's words, their terms, and the vector of the embedder.

    `vector` is float32 of shape (dimension,), None when there is none; `note` then says why, for the plan.
    """

    terms: tuple[str, ...]
    text: str
    vector: "NDArray[np.float32] | None" = None
    note: str = ""


def query_of(text: str) -> Query:
    """The query of a user's message."""
    return Query(tuple(dict.fromkeys(words.terms(text))), text)


def merge(
    hits_by_owner: Mapping[Owner, Sequence[Recalled]],
    limit: int,
    query_text: str,
) -> tuple[Recalled, ...]:
    """The `limit` best hits of a user and of the route's knowledge in one ranking, best first.

    Scores are comparable across owners: each is in standard deviations above its owner's mean. Equal ones go
    by the newer day, then by the order they came in. Left out are what only asks the query again, and a text that
    is already in under the same heading; what the window shows anyway is left out where the window is fitted.
    """
    ranked = sorted(
        (hit for hits in hits_by_owner.values() for hit in hits),
        key=lambda hit: (hit.score, hit.source.date),
        reverse=True,
    )
    asked = frozenset(words.terms(query_text)) if any(hit.holds == 1 for hit in ranked) else frozenset()
    kept: list[Recalled] = []
    for hit in _without_duplicates(ranked):
        if len(kept) >= limit:
            break
        if not _says_again(hit, query_text, asked):
            kept.append(hit)
    return tuple(kept)


def _without_duplicates(ranked: Sequence[Recalled]) -> Iterator[Recalled]:
    seen = set()
    for hit in ranked:
        plain = hit.text.isprintable() and "  " not in hit.text  # most are, and splitting forty texts is slow
        key = (hit.source.heading, hit.text.strip() if plain else " ".join(hit.text.split()))
        if key not in seen:
            seen.add(key)
            yield hit


def _says_again(hit: Recalled, query: str, asked: frozenset[str]) -> bool:
    """Whether the hit is the same question, asked before: it would answer itself."""
    if hit.source.kind != "turn" or "?" not in hit.text or len(hit.text) > _MUCH_LONGER * len(query):
        return False
    return bool(asked) and frozenset(words.terms(hit.text)) == asked
