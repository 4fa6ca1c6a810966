"""Members of rows, many rows at once: which are the same, what stands for all of them, and the first of each row."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.signature import mix

SPREAD = 0xD6E8FEB86659FD93
"""An odd number whose products have all their bits in use."""

Places = NDArray[np.int64]
_Number = TypeVar("_Number", bound=np.generic)


def groups_of(row: Places, member: NDArray[np.uint64]) -> tuple[Places, Places]:
    """Brings together what is equal of each row: an order of the members, and where in it each different one begins."""
    return _grouped(keys_of(row, member))


def told_apart(numbers: NDArray[np.uint64]) -> tuple[Places, Places]:
    """A place of each different number, the smallest first, and for each number which of these it is.

    As `np.unique` does, which sorts so that the place is the first one, and takes nine times as long.
    """
    order, starts = _grouped(numbers)
    which = np.empty(len(numbers), np.int64)
    which[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(numbers)))
    return order[starts], which


def _grouped(numbers: NDArray[np.uint64]) -> tuple[Places, Places]:
    order = np.argsort(numbers)
    ordered = numbers[order]
    new = np.append(True, ordered[1:] != ordered[:-1])[: len(numbers)]
    return order, np.flatnonzero(new)


def distinct(numbers: NDArray[_Number]) -> NDArray[_Number]:
    """The numbers, each once, in their order: `np.unique` takes ten times as long for those of 64 bits."""
    ordered = np.sort(numbers)
    once: NDArray[_Number] = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return once


def keys_of(row: Places, member: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same numbers for the same members of the same rows, and others for others."""
    keys: NDArray[np.uint64] = member + row.astype(np.uint64) * np.uint64(SPREAD)
    return keys


def sets_of(row: Places, member: NDArray[np.uint64]) -> tuple[Places, NDArray[np.uint64]]:
    """The members of rows, each once of each row, in any order."""
    order, starts = groups_of(row, member)
    once = order[starts]
    return row[once], member[once]


def digests_of_sets(row: Places, member: NDArray[np.uint64], rows: int, fewest: int = 1) -> NDArray[np.uint64]:
    """A digest of each row's members, which are different ones; 0 for rows with fewer than `fewest`, shape (rows,)."""
    found = np.zeros(rows, np.uint64)
    np.add.at(found, row, mix(member))
    found = mix(found) | np.uint64(1)
    found[np.bincount(row, minlength=rows) < fewest] = 0
    return found


def digests_of_rows(
    members: NDArray[np.uint64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """A digest of each row's members in their order, shape (rows,); no row is empty."""
    place = (np.arange(len(members)) - np.repeat(starts, counts)).astype(np.uint64)
    return mix(np.add.reduceat(mix(members + place * np.uint64(0x9E3779B97F4A7C15)), starts))


def placed(row: Places, members: NDArray[Any], rows: int, places: int) -> NDArray[Any]:
    """The first members of each row, in their order: shape (rows, places), 0 where there are fewer; the rows rise."""
    counts = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = np.zeros((rows, places), members.dtype)
    some = place < places
    found[row[some], place[some]] = members[some]
    return found
