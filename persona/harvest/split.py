"""Which side of the split a user's examples lie on, and the audit of what lies where."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from persona.errors import SplitLeaks
from persona.settings.harvest import SplitSettings
from persona.values.owner import Owner

TRAIN, VALIDATION, TEST = range(3)
_WHOLE = 1 << 64


def place(seed: int, owner: Owner) -> int:
    """Where a user stands for good, among 2^64 places: growth of the log moves nobody."""
    told = f"{seed}\x1f{owner.tenant}\x1f{owner.name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(told, digest_size=8, person=b"persona-split").digest(), "big")


def side_of(place: int, split: SplitSettings) -> int:
    """The side of a place: the test has the lowest ones, then comes the validation, and the rest is for training.

    So a user stays in the test when its share is raised, and in training when that of the others is lowered.
    """
    test = round(split.test * _WHOLE)
    if place < test:
        return TEST
    return VALIDATION if place < test + round(split.validation * _WHOLE) else TRAIN


def audit(sides: NDArray[np.int8], users: NDArray[np.uint64], clusters: NDArray[np.int64] | None = None) -> None:
    """Raises SplitLeaks when a user, or a cluster of examples that are alike, has kept examples on two sides.

    Shapes (examples,): of those that are kept alone. A negative cluster is none.
    """
    _no_two_sides(users, sides, "users")
    if clusters is not None:
        alike = clusters >= 0
        _no_two_sides(clusters[alike], sides[alike], "clusters of like examples")


def no_likes(number: int) -> None:
    """Raises SplitLeaks when examples, that many of them, have their like on another side."""
    if number:
        raise _leak(number, "examples with their like elsewhere")


def _no_two_sides(groups: NDArray[np.uint64] | NDArray[np.int64], sides: NDArray[np.int8], noun: str) -> None:
    if not len(groups):
        return
    order = np.lexsort((sides, groups))
    sorted_groups, sorted_sides = groups[order], sides[order]
    crossing = (sorted_groups[1:] == sorted_groups[:-1]) & (sorted_sides[1:] != sorted_sides[:-1])
    if crossing.any():
        number = len(np.unique(sorted_groups[1:][crossing]))
        raise _leak(number, noun)


def _leak(number: int, noun: str) -> SplitLeaks:
    told = f"{number} {noun} would lie on two sides of the split"
    return SplitLeaks(told, hint="nothing was written; please report this")
