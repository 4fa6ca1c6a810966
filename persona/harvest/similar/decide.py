"""One decision for each row, from the columns of all chunks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import caps, contradictions, duplicates, pairing
from persona.harvest.similar.columns import Gathered, Texts
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

    `check` is the number of the check that dropped it (see `CHECKS`), `lost_to` the row that was kept instead or NOBODY,
    `topic` what its question is about (`topics.name_of`).
    """

    check: NDArray[np.uint8]
    lost_to: NDArray[np.int32]
    topic: NDArray[np.uint32]
    contradictions: tuple[contradictions.Contradiction, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which rows are kept."""
        return self.check == _KEPT

    def clusters(self) -> list[list[int]]:
        """The rows that say the same, each list with the row that stands for it first; rows that are alone are left out."""
        alike = np.where(np.isin(self.check, (_EXACT, _NEAR, _CROSSES)), self.lost_to, pairing.NOBODY)
        best = pairing.best_of(alike)
        lost = np.flatnonzero(alike != pairing.NOBODY)
        found: dict[int, list[int]] = {}
        for row in lost.tolist():
            found.setdefault(int(best[row]), [int(best[row])]).append(row)
        return list(found.values())


def decide(gathered: Gathered, texts: Texts, rules: Rules) -> Decisions:
    """Exact and near duplicates, contradictions and caps, in this order; each sees only what is left.

    Of rows alike the one on the higher side is kept, then the best rated, the newest and the first.
    """
    rating, at_us, side = (gathered.column(name) for name in ("rating", "at_us", "side"))
    known = frozenset(
        words.fold(one.casefold()) for values in rules.slots.values() for value in values for one in value.split()
    )
    going = duplicates.find(gathered, texts, pairing.ranks_of((side, rating, at_us), gathered.rows), known)
    check = np.zeros(gathered.rows, np.uint8)
    lost = going.to != pairing.NOBODY
    check[lost] = _NEAR
    check[lost & going.exact] = _EXACT
    check[lost & (side[going.to] != side)] = _CROSSES
    ranks = pairing.ranks_of((rating, at_us), gathered.rows)
    del side
    by = ranks if rules.contradictions != "newest" else pairing.ranks_of((at_us, rating), gathered.rows)
    del rating, at_us
    found = contradictions.find(gathered, texts, by, check == _KEPT, rules.slots, rules.contradictions == "none")
    for one in found:
        if check[one.dropped] == _KEPT:
            check[one.dropped], going.to[one.dropped] = _CONTRADICTION, one.kept
    topic = caps.topic_column(gathered)
    limits = (
        ("template", rules.per_template, lambda: gathered.column("template")),
        ("topic", rules.per_topic, lambda: topic),
        ("user", rules.per_user, lambda: gathered.column("user")),
    )
    for number, (_, most, column) in enumerate(limits, start=_CAPS):
        if most is not None:
            check[caps.beyond(column(), ranks, check == _KEPT, most)] = number
    return Decisions(check, going.to, topic, found)
