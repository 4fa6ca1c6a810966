"""The texts of rows: read some at a time for comparing them, in this process or in several."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings

Texts = Callable[[Sequence[int]], Sequence[tuple[str, str]]]
"""The question and the reply of each row asked for; the row numbers rise, and there are at most some thousand."""

_Part = TypeVar("_Part")
_Got = TypeVar("_Got")
_PARTS, _LEAST, _MOST = 16, 64, 1024  # of rows or pairs: a part's texts are in memory together


class Each(Protocol):
    """Gives what a function gives of each part, in the order of the parts. Both may have to travel to a process."""

    def __call__(self, do: Callable[[_Part], _Got], parts: Sequence[_Part], /) -> list[_Got]: ...


def in_turn(do: Callable[[_Part], _Got], parts: Sequence[_Part], /) -> list[_Got]:
    """Each part after the other, here."""
    return [do(one) for one in parts]


def size_of_part(number: int) -> int:
    """How many of so many rows or pairs a part has: processes get several each, and none of them tiny."""
    return min(_MOST, max(_LEAST, -(-number // _PARTS)))


def agreeing(
    rows: NDArray[np.int32],
    leaders: NDArray[np.int32],
    texts: Texts,
    agree: Callable[[readings.Pair, readings.Pair], bool],
    each: Each,
) -> NDArray[np.bool_]:
    """Whether each row and its leader agree."""
    size = size_of_part(len(rows))
    parts = [(rows[at : at + size].tolist(), leaders[at : at + size].tolist()) for at in range(0, len(rows), size)]
    return np.fromiter(chain.from_iterable(each(partial(_agreed, texts, agree), parts)), np.bool_, len(rows))


def _agreed(
    texts: Texts, agree: Callable[[readings.Pair, readings.Pair], bool], pairs: tuple[list[int], list[int]]
) -> list[bool]:
    one, other = pairs
    needed = sorted({*one, *other})
    read = {row: readings.read_pair(*said) for row, said in zip(needed, texts(needed), strict=True)}
    return [agree(read[a], read[b]) for a, b in zip(one, other, strict=True)]
