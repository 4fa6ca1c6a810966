"""A dataset as a person looks at it: what a page shows beside the numbers of its outcome."""

from dataclasses import dataclass
from typing import Literal

from persona.values.harvest import Side

Because = Literal["", "corrected", "better rated", "newer", "first", "on another side"]
"""What the example that was kept is and the other one is not; empty where neither was kept."""


@dataclass(frozen=True, slots=True)
class Point:
    """One example on the map. `x` and `y` are between 0 and 1000; `area` names where it lies by what is asked there."""

    x: int
    y: int
    area: str
    side: Side
    question: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An example that was taken out because of another one, and what it differs in. The texts are as written."""

    check: str
    differs: str
    because: Because
    dropped: str
    kept: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a dataset, by its path in the dataset's folder."""

    path: str
    sha256: str
    bytes: int
    examples: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is shown of the examples themselves: some of them, the same ones whenever it is made anew."""

    points: tuple[Point, ...] = ()
    pairs: tuple[Pair, ...] = ()
    files: tuple[File, ...] = ()
