"""One decision for each row, from the columns of all chunks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import boundary, caps, contradictions, duplicates
from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.pairing import NOBODY, best_of
from persona.harvest.similar.texts import Each, Texts, in_turn
from persona.values import words

CHECKS = ("", "duplicate", "near_duplicate", "crosses_sides", "contradiction", "template_cap", "topic_cap", "user_cap")
"""The names of the checks by their number in `Decisions.check`; 0 is kept."""
_KEPT, _EXACT, _NEAR, _CROSSES, _CONTRADICTION, _CAPS = 0, 1, 2, 3, 4, 5

Keep = Literal["best", "newest", "none"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is dropped. None: no cap.

    `slots` has the values that are known, by slot ("city": {"Lyon", "Paris"}): replies that name different ones
    contradict each other.
    """

    contradictions: Keep = "best"
    per_user: int | None = None
    per_topic: int | None = None
    per_template: int | None = None
    slots: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decisions:
    """One decision for each row, shape (rows,) each.

    `check` is the number of the check that dropped it (see `CHECKS`), `lost_to` the row that was kept instead or
    NOBODY, `topic` what its question is about (`topics.name_of`).
    """

    check: NDArray[np.uint8]
    lost_to: NDArray[np.int32]
    topic: NDArray[np.uint32]
    contradictions: tuple[contradictions.Contradiction, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which rows are kept."""
        stay: NDArray[np.bool_] = self.check == _KEPT
        return stay

    @property
    def alike(self) -> NDArray[np.bool_]:
        """Which rows were dropped because another says the same."""
        dropped: NDArray[np.bool_] = (self.check >= _EXACT) & (self.check <= _CROSSES)
        return dropped

    def clusters(self) -> list[list[int]]:
        """The rows that say the same, with the row that stands for all first; rows that are alone are left out."""
        found: dict[int, list[int]] = {}
        for row in np.flatnonzero(self.alike).tolist():
            best = int(self.lost_to[row])
            found.setdefault(best, [best]).append(row)
        return list(found.values())


def decide(gathered: Gathered, texts: Texts, rules: Rules, each: Each = in_turn) -> Decisions:
    """Exact and near duplicates, contradictions, caps and what crosses the split, in this order, each of what is left.

    Of rows alike the one on the higher side is kept, then the best rated, the newest and the first.
    """
    if not gathered.rows:
        return Decisions(np.empty(0, np.uint8), np.empty(0, np.int32), np.empty(0, np.uint32), ())
    known = frozenset(
        words.fold(word) for values in rules.slots.values() for value in values for word in value.casefold().split()
    )
    going = duplicates.find(gathered, texts, ranks_of(gathered, "side", "rating", "at_us"), known, each)
    check = _alike(going, gathered.column("side"))
    by = ("at_us", "rating") if rules.contradictions == "newest" else ("rating", "at_us")
    neither = rules.contradictions == "none"
    found = contradictions.find(gathered, texts, ranks_of(gathered, *by), check == _KEPT, rules.slots, neither, each)
    for one in found:
        if check[one.dropped] == _KEPT:
            check[one.dropped], going.to[one.dropped] = _CONTRADICTION, one.kept
    topic = caps.topic_column(gathered)
    ranks = ranks_of(gathered, "rating", "at_us")
    limits = (("template", rules.per_template), ("topic", rules.per_topic), ("user", rules.per_user))
    for number, (name, most) in enumerate(limits, start=_CAPS):
        if most is not None:
            column = topic if name == "topic" else gathered.column(name)
            check[caps.too_many(column, ranks, check == _KEPT, most)] = number
    _part_sides(gathered, texts, check, going.to)
    return Decisions(check, going.to, topic, found)


def _part_sides(gathered: Gathered, texts: Texts, check: NDArray[np.uint8], to: NDArray[np.int32]) -> None:
    """Drops what has its like on a higher side, until nothing has; what went with it goes where it went."""
    while True:
        rows, others = boundary.crossing(gathered, texts, check == _KEPT)
        if not len(rows):
            break
        check[rows], to[rows] = _CROSSES, others
    alike = (check >= _EXACT) & (check <= _CROSSES)
    to[alike] = best_of(np.where(alike, to, NOBODY))[alike]


def ranks_of(gathered: Gathered, *columns: str) -> NDArray[np.int32]:
    """How good each row is, 0 the best: by the columns in turn, the higher the better, and then the first."""
    order = np.arange(gathered.rows, dtype=np.int32)
    for name in reversed(columns):
        values = np.negative(gathered.column(name)[order], dtype=np.int64)
        order = order[np.argsort(values, kind="stable")]  # stable: equals keep their order
    ranks = np.empty_like(order)
    ranks[order] = np.arange(gathered.rows, dtype=np.int32)
    return ranks


def _alike(going: duplicates.Alike, side: NDArray[np.int8]) -> NDArray[np.uint8]:
    check = np.zeros(len(side), np.uint8)
    lost = going.to != NOBODY
    check[lost] = _NEAR
    check[lost & going.exact] = _EXACT
    check[lost & (side[going.to] != side)] = _CROSSES
    return check
