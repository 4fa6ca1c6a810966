"""The memories of peers on the same conversations and the same vectors as ours: what they bring back, and how fast."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time_ns

import numpy as np
from persona_embedded.embed import StaticWords

from benchmarks import peers
from benchmarks.figures import Row, Table
from benchmarks.peer_sets import PEERS
from benchmarks.recall_sets import Person, Search

NOT_INSTALLED = "not installed, or did not run"


@dataclass(frozen=True, slots=True)
class Rival:
    """One peer's answers to all questions of a set, and the CPU milliseconds of one addition and one search."""

    name: str
    answers: dict[tuple[str, str], list[str]]
    add_ms: float
    search_ms: float

    def search(self, person: Person) -> Search:
        """As our own searches are: by the answers it gave."""
        return lambda question: self.answers[person.name, question]


def ask(people: Sequence[Person]) -> tuple[list[Rival], list[str]]:
    """What every peer answers to everything that is asked in a set; and a note for each that did not."""
    found, notes = [], []
    with TemporaryDirectory() as folder:
        _write(people, Path(folder))
        for name in PEERS:
            said = peers.ask("peer_sets", name, folder, environment="bench-memory")
            if said is None:
                notes.append(f"{name}: {NOT_INSTALLED}")
                continue
            answers = {
                (person.name, asked.text): ids
                for person in people
                for asked, ids in zip(person.asked, said["answers"][person.name], strict=True)
            }
            found.append(Rival(name, answers, said["add_ms"], said["search_ms"]))
    return found, notes


def speed(title: str, people: Sequence[Person], ours: Callable[[Person], Search], rivals: Sequence[Rival]) -> Table:
    """The CPU of one search: ours with its question embedded and read, theirs with the vector given."""
    taken = []
    for person in people:
        search = ours(person)
        for asked in person.asked:
            start = process_time_ns()
            search(asked.text)
            taken.append((process_time_ns() - start) / 1e6)
    said = sum(len(person.said) for person in people)
    rows = [Row("persona: one search, its embedding included", median(taken))]
    rows += [Row(f"{one.name}: one search, without embedding", one.search_ms, "peer") for one in rivals]
    rows += [Row(f"{one.name}: one addition, without embedding", one.add_ms, "peer") for one in rivals]
    return Table(f"{title}: {said:,} memories of {len(people)} users", "ms of CPU", tuple(rows))


def _write(people: Sequence[Person], folder: Path) -> None:
    everybody = {
        one.name: {"said": [(said.id, said.text) for said in one.said], "asked": [asked.text for asked in one.asked]}
        for one in people
    }
    texts = list(
        dict.fromkeys(text for one in people for text in (*(s.text for s in one.said), *(a.text for a in one.asked)))
    )
    (folder / "set.json").write_text(json.dumps({"texts": texts, "people": everybody}), encoding="utf-8")
    np.save(folder / "vectors.npy", StaticWords().embed(texts))
