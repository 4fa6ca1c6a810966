"""Sets of conversations with questions, and how much of the evidence a search brings back. No language model is asked.

    {"name": …, "convs": [{"user": …, "turns": [{"id", "session", "ts", "speaker", "text"}],
                           "queries": [{"id", "q", "ts", "cat", "gold": [turn ids], "stale": [turn ids]}]}]}

`stale` are turns that say what is no longer so, or so of somebody else alone; a part of the sets of our own is held
out (`"part": "held"`). The sets `recall_unseen_*` are for the last figure alone: who tunes does not look at what fails
in them.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent / "data"
_DAY_US, _NOWHERE = 86_400_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: what it is found by, where it stands, and when it was said."""

    id: str
    text: str
    session: int
    depth: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the turns that answer it, and those that did before."""

    text: str
    category: str
    gold: tuple[str, ...]
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """All that one user said, in order, and what is asked of it."""

    name: str
    part: str
    said: tuple[Said, ...]
    asked: tuple[Asked, ...]


Search = Callable[[str], Sequence[str]]
"""The ids of one person's turns for a question, the best first."""


@dataclass(slots=True)
class Found:
    """What came back: shares of the gold turns among the first 5 and 10, and whether the latest is above the stale."""

    at_5: list[float] = field(default_factory=list)
    at_10: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    latest: list[float] = field(default_factory=list)

    def add(self, asked: Asked, ids: Sequence[str]) -> None:
        """Counts the answer to one question."""
        places = {one: at for at, one in enumerate(ids)}
        ranks = [places.get(one, _NOWHERE) for one in asked.gold]
        self.at_5.append(sum(rank < 5 for rank in ranks) / len(ranks))
        self.at_10.append(sum(rank < 10 for rank in ranks) / len(ranks))
        self.first.append(1 / (1 + min(ranks)))
        if asked.stale:
            before = min(places.get(one, _NOWHERE) for one in asked.stale)
            self.latest.append(float(min(ranks) < before))


def read(path: Path) -> list[Person]:
    """The people of a set. Where several speak, their names are in the texts. Adversarial questions are left out."""
    return [_person(one) for one in json.loads(path.read_text(encoding="utf-8"))["convs"]]


def judge(people: Iterable[Person], search: Callable[[Person], Search], categories: Callable[[str], bool]) -> Found:
    """Asks everything of these categories of everybody."""
    found = Found()
    for person in people:
        asking = search(person)
        for asked in person.asked:
            if categories(asked.category):
                found.add(asked, asking(asked.text))
    return found


def _person(raw: dict[str, Any]) -> Person:
    speakers = {turn["speaker"] for turn in raw["turns"]} - {"user", "assistant"}
    said = []
    for at, turn in enumerate(raw["turns"]):
        text = f"{turn['speaker']}: {turn['text']}" if speakers else turn["text"]
        said.append(Said(turn["id"], text, int(turn["session"]), at, _us(turn["ts"], at)))
    asked = [
        Asked(one["q"], one["cat"], tuple(one["gold"]), tuple(one.get("stale", ())))
        for one in raw["queries"]
        if one["cat"] != "adversarial" and one["gold"]
    ]
    return Person(raw["user"], raw.get("part", ""), tuple(said), tuple(asked))


def _us(stamp: str | None, at: int) -> int:
    """UTC microseconds; turns without a time are a day apart, and turns of one time in their order."""
    if not stamp:
        return (at + 1) * _DAY_US
    return int(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()) * 1_000_000 + at
