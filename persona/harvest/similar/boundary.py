"""Whether rows that are kept stand on two sides of the split that must not: an audit, apart from what decided."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.decide import Decisions
from persona.harvest.similar.pairing import NOBODY, best_of


@dataclass(frozen=True, slots=True)
class Crossing:
    """A row of each of two sides that share a user, or that say the same."""

    why: str
    one: int
    other: int


def crossing(gathered: Gathered, decisions: Decisions) -> tuple[Crossing, ...]:
    """The first two rows of everything kept that stands on two sides: of each user, and of each cluster of likes."""
    side, kept = gathered.column("side"), np.flatnonzero(decisions.kept)
    cluster = best_of(np.where(decisions.alike, decisions.lost_to, NOBODY)).astype(np.uint64)
    return tuple(
        Crossing(why, one, other)
        for why, column in (("user", gathered.column("user")), ("text", gathered.column("exact")), ("cluster", cluster))
        for one, other in _on_two_sides(column[kept], side[kept], kept)
    )


def _on_two_sides(column: NDArray[np.uint64], side: NDArray[np.int8], rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    order = np.lexsort((rows, side, column))
    column, side, rows = column[order], side[order], rows[order]
    at = np.flatnonzero((column[1:] == column[:-1]) & (side[1:] != side[:-1]))
    return list(zip(rows[at].tolist(), rows[at + 1].tolist(), strict=True))
