"""Some examples of a dataset for a person to look at: where they lie on a map, and which went out for another one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from persona.adapter import is_local
from persona.calling.providers import Providers
from persona.harvest.gather import NAMES, SHOWN, Pile
from persona.harvest.similar.columns import Gathered
from persona.harvest.similar.pairing import NOBODY
from persona.harvest.write import Written
from persona.reports.plane import areas, plane
from persona.settings.schema import Settings
from persona.values import words
from persona.values.harvest import SIDES, Side
from persona.values.portrait import Because, File, Pair, Point, Portrait

POINTS, PAIRS, AREAS = 2_000, 20, 7
"""The most examples on the map, the most pairs of each check, and the areas of the map that get a name."""

_NAME = 2  # words of the name of an area
_EMBEDDER = "embedded:words-1"
_QUESTION, _TEXT = 160, 400  # characters that are shown
_ALIKE, _AGAINST = ("duplicate", "near duplicate", "crosses sides"), "contradiction"
_CORRECTED = 30_000  # what stands for the rating of a reply that a person wrote
_WHY: Mapping[str, Because] = {"side": "on another side", "rating": "better rated", "at_us": "newer"}


def portrait_of(piles: Sequence[Pile], points: Sequence[Point], files: Mapping[str, Written], keep: str) -> Portrait:
    """What is shown of the examples; `keep` is the setting that says which of two contradictory ones stays."""
    pairs = tuple(chain.from_iterable(_pairs(p, keep) for p in piles))
    return Portrait(tuple(points), pairs, files_of(files))


def files_of(files: Mapping[str, Written]) -> tuple[File, ...]:
    """The files as they are listed."""
    return tuple(File(path, one.sha256, one.bytes, one.examples) for path, one in sorted(files.items()))


def shown_of(piles: Sequence[Pile]) -> list[tuple[Side, str]]:
    """A sample of what is kept, evenly over the log: the side and the question of each."""
    kept = [np.flatnonzero(pile.kept) for pile in piles]
    total = sum(map(len, kept))
    chosen: list[tuple[Side, str]] = []
    for pile, rows in zip(piles, kept, strict=True):
        some = even(rows, -(-POINTS * len(rows) // max(1, total)))
        sides = (SIDES[int(pile.side[row])] for row in some)
        chosen += [(side, question) for side, (question, _) in zip(sides, pile.texts(some), strict=True)]
    return chosen


def map_of(chosen: Sequence[tuple[Side, str]]) -> list[Point]:
    """The map of some questions, each with its side of the split.

    Vectors are those of the embedded model, whichever the memories have: no text leaves this process for a picture.
    """
    embedder = Providers(Settings(), {}).embedder(_EMBEDDER)
    if not is_local(embedder) or not chosen:
        return []
    questions = [question for _, question in chosen]
    vectors: list[NDArray[np.float32]] = []
    spoken: list[str] = []
    for start in range(0, len(questions), embedder.batch_size):
        some = questions[start : start + embedder.batch_size]
        vectors.append(embedder.embed(some))
        spoken += map(words.language, some)  # which the embedder has asked, and is remembered for a while
    places = plane(np.concatenate(vectors))
    area = areas(places, AREAS)
    names = _names(questions, spoken, area)
    return [
        Point(x, y, names[number], side, _short(question, _QUESTION))
        for (side, question), (x, y), number in zip(chosen, places.tolist(), area.tolist(), strict=True)
    ]


def _names(questions: Sequence[str], languages: Sequence[str], area: NDArray[np.int64]) -> list[str]:
    """A name for each area: the words, as they are said, that most of its questions and fewest of the others hold."""
    spelled: dict[str, str] = {}
    counts: list[Counter[str]] = [Counter() for _ in range(int(area.max()) + 1)]
    for question, spoken, number in zip(questions, languages, area.tolist(), strict=True):
        found = {words.term(word, spoken): word for word in reversed(words.tokens(question)) if word.isalpha()}
        counts[number].update(found.keys() - {""})
        for term, word in found.items():
            spelled.setdefault(term, word)
    everywhere = sum(counts, Counter[str]())
    names: list[str] = []
    told: set[str] = set()  # by the name of a larger area
    for here in counts:
        best = sorted(here.keys() - told, key=lambda term: (-(here[term] ** 2) / everywhere[term], term))[:_NAME]
        told.update(best)
        names.append(", ".join(spelled[term] for term in best))
    return names


def _pairs(pile: Pile, keep: str) -> Iterator[Pair]:
    """Pairs of every check that takes an example out for another one; nothing of what was erased meanwhile."""
    columns = Gathered(pile.folders)
    for name in (*_ALIKE, _AGAINST):
        rows = np.flatnonzero((pile.check == NAMES.index(name)) & (pile.lost_to != NOBODY))
        rows = rows[pile.check[pile.lost_to[rows]] < SHOWN.stop]
        some = np.asarray(even(rows, PAIRS), np.int32)
        if not len(some):
            continue
        others = pile.lost_to[some]
        needed = np.unique(np.concatenate([some, others])).tolist()
        said = dict(zip(needed, pile.texts(needed), strict=True))
        for row, other, why in zip(some.tolist(), others.tolist(), _reasons(columns, pile, some, keep), strict=True):
            differs = ", ".join(pile.differs.get(row, ()))
            yield Pair(name, differs, why, _shown(*said[row]), _shown(*said[other]))


def _reasons(columns: Gathered, pile: Pile, rows: NDArray[np.int32], keep: str) -> list[Because]:
    """Why the other one of each pair stayed: by what `decide` goes by, the first in which they differ."""
    others = pile.lost_to[rows]
    why = np.full(len(rows), "first", object)
    undecided = pile.check[others] == 0
    why[~undecided] = ""
    for name in _order(NAMES[pile.check[rows[0]]], keep):
        mine, theirs = columns.take(name, rows), columns.take(name, others)
        settled = undecided & (mine != theirs)
        why[settled] = _WHY[name]
        if name == "rating":
            why[settled & (theirs >= _CORRECTED)] = "corrected"
        undecided &= ~settled
    return list(why)


def _order(check: str, keep: str) -> tuple[str, ...]:
    if check != _AGAINST:
        return "side", "rating", "at_us"
    return ("at_us", "rating") if keep == "newest" else ("rating", "at_us")


def even(rows: NDArray[np.int64], most: int = POINTS) -> list[int]:
    """At most so many of the rows, evenly over all of them."""
    number = min(most, len(rows))
    chosen: list[int] = rows[np.arange(number) * len(rows) // max(1, number)].tolist()
    return chosen


def _shown(question: str, reply: str) -> str:
    return f"{_short(question, _TEXT)}\n→ {_short(reply, _TEXT)}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
