"""All examples of one shape together: which of them say the same or contradict each other, and what is left.

Only numbers are in memory, some of each example; the texts of pairs that are compared are read from the chunks.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona.harvest.shelf import Lines
from persona.harvest.similar import boundary, topics
from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.decide import CHECKS, Rules, decide
from persona.harvest.similar.texts import Each
from persona.harvest.split import audit, no_likes
from persona.harvest.tally import SAMPLES
from persona.settings.harvest import HarvestSettings
from persona.values.example import Shape
from persona.values.harvest import Contradiction, Sample

NAMES = (*(name.replace("_", " ") for name in CHECKS), "erased meanwhile")
"""The checks on all examples together, by their number; 0 is kept."""

_ERASED = len(CHECKS)
_AT_ONCE = 512  # pairs whose texts are read at a time
SHOWN = range(1, _ERASED)  # of what was erased nothing is shown
ABOUT: Mapping[str, str] = {
    "duplicate": "says the same, word for word, as an example that is kept",
    "near duplicate": "says nearly the same as an example that is kept",
    "crosses sides": "says the same, or in nearly the same words, as an example kept on another side of the split",
    "contradiction": "contradicts the reply to the same question that is kept",
    "template cap": "more of one template than harvest.per_template takes",
    "topic cap": "more on one topic than harvest.per_topic takes",
    "user cap": "more of one user than harvest.per_user takes",
    "erased meanwhile": "something of the user was erased, or they withdrew, while the harvest ran",
}


@dataclass(frozen=True, slots=True)
class Pile:
    """The examples of one shape after all checks. `folders` are those of their chunks, in order.

    `check` is the number of the check that took each out (0: kept), `lost_to` the example that was kept instead, or
    -1, `side` the side of the split; shape (examples,) each. `differs` says in what a contradiction lies.
    """

    shape: Shape
    folders: tuple[Path, ...]
    sizes: tuple[int, ...]
    check: NDArray[np.uint8]
    lost_to: NDArray[np.int32]
    side: NDArray[np.int8]
    topics: Mapping[str, int]
    differs: Mapping[int, tuple[str, ...]]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which examples are kept."""
        kept: NDArray[np.bool_] = self.check == 0
        return kept

    def dropped(self) -> dict[str, int]:
        """How many each check took out."""
        counts = np.bincount(self.check, minlength=len(NAMES))
        return {name: int(counts[number]) for number, name in enumerate(NAMES) if number and counts[number]}

    def parts(self) -> Iterator[tuple[Path, slice]]:
        """Each chunk's folder with the place of its examples."""
        at = 0
        for folder, size in zip(self.folders, self.sizes, strict=True):
            yield folder, slice(at, at + size)
            at += size

    def own(self, name: str) -> Iterator[tuple[slice, NDArray[np.generic]]]:
        """One of the columns of `chunk.OWN`, chunk by chunk."""
        for folder, where in self.parts():
            yield where, np.load(folder / "own.npy")[name]

    def lines(self, name: str, numbers: Sequence[int]) -> list[bytes]:
        """The lines of some examples, whose numbers rise, from the shelf of this name."""
        starts = np.cumsum((0, *self.sizes))
        found: list[bytes] = []
        chunk_of = np.searchsorted(starts, np.asarray(numbers), "right") - 1
        for chunk, some in groupby(zip(chunk_of.tolist(), numbers, strict=True), lambda pair: pair[0]):
            found += Lines(self.folders[chunk], name).at([number - int(starts[chunk]) for _, number in some])
        return found

    def texts(self, numbers: Sequence[int]) -> list[tuple[str, str]]:
        """The question and the reply of some examples, whose numbers rise."""
        return [tuple(json.loads(line)) for line in self.lines("texts", numbers)]

    def contradictions(self) -> Iterator[Contradiction]:
        """All pairs of replies that contradict each other; of what was erased meanwhile nothing."""
        rows = np.flatnonzero((self.check == NAMES.index("contradiction")) & (self.lost_to >= 0))
        rows = rows[self.check[self.lost_to[rows]] < SHOWN.stop]
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE].tolist()
            pairs = [(row, int(self.lost_to[row])) for row in some]
            needed = sorted({row for pair in pairs for row in pair})
            ids = dict(zip(needed, (json.loads(one)["example"] for one in self.lines("origins", needed)), strict=True))
            said = dict(zip(needed, self.texts(needed), strict=True))
            for row, other in pairs:
                differs = ", ".join(self.differs.get(row, ()))
                yield Contradiction(ids[row], ids[other], differs, *said[row], *said[other])

    def samples(self) -> Iterator[tuple[str, Sample]]:
        """The first examples that each check took out."""
        for number, name in enumerate(NAMES):
            some = np.flatnonzero(self.check == number)[:SAMPLES].tolist() if number in SHOWN else []
            for row, (question, reply) in zip(some, self.texts(some), strict=True):
                reason = ", ".join(self.differs.get(row, ())) or ABOUT[name]
                yield name, Sample(f"{self.shape} {row}", reason, f"{question}\n→ {reply}")


def gather(
    shape: Shape,
    folders: Sequence[Path],
    settings: HarvestSettings,
    slots: Mapping[str, frozenset[str]],
    gone: frozenset[int],
    each: Each,
) -> Pile:
    """Compares all examples of a shape. `gone` are the keys of owners of whom something was erased meanwhile.

    Raises SplitLeaks when what is left lies on two sides.
    """
    there = tuple(folder for folder in folders if folder.exists())
    columns = Gathered(there)
    nothing = np.empty(0, np.uint8)
    bare = Pile(shape, there, columns.sizes, nothing, nothing.astype(np.int32), nothing.astype(np.int8), {}, {})
    if not columns.rows:
        return bare
    rules = Rules(settings.contradictions, settings.per_user, settings.per_topic, settings.per_template, slots)
    decided = decide(columns, bare.texts, rules, each)
    check, stay = decided.check, decided.kept
    for where, owners in bare.own("owner") if gone else ():
        check[where][np.isin(owners, list(gone))] = _ERASED
    side = columns.column("side").astype(np.int8)
    pile = Pile(
        *(shape, there, columns.sizes, check, decided.lost_to, side),
        topics=_topics(bare, decided.topic, check == 0),
        differs={one.dropped: one.differences for one in decided.contradictions},
    )
    _audit(pile, columns, stay)
    return pile


def _audit(pile: Pile, columns: Gathered, stay: NDArray[np.bool_]) -> None:
    """Looks once more at what is kept, whatever was decided: users by their place, examples by digest and words."""
    kept = pile.kept
    places = np.concatenate([values for _, values in pile.own("place")]).astype(np.uint64)
    audit(pile.side[kept], places[kept], columns.column("exact").astype(np.uint64)[kept].view(np.int64))
    no_likes(len(boundary.crossing(columns, pile.texts, stay, boundary.AUDITED)[0]))


def _topics(pile: Pile, topic: NDArray[np.uint32], kept: NDArray[np.bool_], most: int = 20) -> dict[str, int]:
    """The commonest topics of what is kept by the word that names them, and how many examples each has."""
    values, first, counts = np.unique(topic[kept], return_index=True, return_counts=True)
    rows = np.flatnonzero(kept)
    order = sorted((at for at in range(len(values)) if values[at]), key=lambda at: (-int(counts[at]), int(values[at])))
    found: Counter[str] = Counter()
    for at in order[:most]:
        ((question, _),) = pile.texts([int(rows[first[at]])])
        name = topics.name_of(int(values[at]), question)
        if name:
            found[name] += int(counts[at])
    return dict(found)
