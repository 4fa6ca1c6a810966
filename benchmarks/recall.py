"""How much of the evidence recall brings back, in French and in English, and what it costs.

The French set and the updates are of our own (`benchmarks/data`); with `--data FOLDER`, also every other set there in
the same form, such as the public LoCoMo and PrefEval after `python -m benchmarks.recall_convert`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
from persona_embedded.embed import StaticWords

from benchmarks import recall_peers, recall_rivals, recall_speed
from benchmarks.figures import Kind, Row, Table
from benchmarks.recall_rivals import Rival
from benchmarks.recall_sets import OWN, Found, Person, Search, judge, read
from persona.adapter import cosine_floor
from persona.memory.index import OwnerIndex
from persona.memory.neighbours import Neighbours
from persona.memory.postings import Postings, key, terms_of
from persona.memory.recall import query_of
from persona.memory.rows import Rows
from persona.memory.vectors import pack
from persona.values import words
from persona.values.memory import MemoryRow

_HITS = 24
_REACH = {"locomo": 0.75, "prefeval": 0.70}
_LATEST = 0.9


def run(options: tuple[bool, Path | None]) -> list[Table]:
    """The tables of quality, of speed, and of peers; the options are whether to be quick, and a folder of sets."""
    quick, data = options
    sets = sorted((*OWN.glob("recall_*.json"), *(data.glob("*.json") if data else ())))
    quality = [table for path in sets for table in _judged(path)]
    return [*quality, *recall_speed.tables(quick), *recall_peers.tables(quick)]


def _judged(path: Path) -> list[Table]:
    people = read(path)
    parts = sorted({one.part for one in people}, reverse=True)
    rivals, missing = recall_rivals.ask(people)
    found = [
        replace(_table(path, part, [one for one in people if one.part == part], rivals), notes=tuple(missing))
        for part in parts
    ]
    crossed = [("tune and held", people)] if any(one.category == "cross" for two in people for one in two.asked) else []
    notes = ("reported only: the question is in English, the memories in French",)
    found += [
        Table(f"{path.stem}, the other language", "share", _rows(who, _crossing, {}), notes) for _, who in crossed
    ]
    return [*found, recall_rivals.speed(path.stem, people, _ours, rivals)]


def _table(path: Path, part: str, people: list[Person], rivals: Sequence[Rival]) -> Table:
    named = {"tune": ", tuned on", "held": ", held out"}.get(part, "")
    reach = next((share for name, share in _REACH.items() if path.stem.startswith(name)), None)
    rows = [
        Row(f"{one.name}, the same vectors: at 10", fmean(judge(people, one.search, _not_crossing).at_10), "peer")
        for one in rivals
    ]
    return Table(f"{path.stem}{named}", "share", (*_rows(people, _not_crossing, {"at 10": reach}), *rows))


def _rows(people: list[Person], category: Callable[[str], bool], reach: dict[str, float | None]) -> tuple[Row, ...]:
    rows: list[Row] = []
    systems: Sequence[tuple[str, Kind, Callable[[Person], Search]]] = (
        ("persona", "ours", _ours),
        ("cosine of the same vectors alone", "beside", _cosine),
        ("BM25 alone", "beside", _bm25),
    )
    for name, kind, system in systems:
        found = judge(people, system, category)
        for what, share in _figures(found).items():
            wanted = {"latest": _LATEST}.get(what.split()[0]) or reach.get(what)
            rows.append(Row(f"{name}: {what}", share, kind, reach=wanted if kind == "ours" else None, at_least=True))
    return tuple(rows)


def _figures(found: Found) -> dict[str, float]:
    shares = {"at 5": fmean(found.at_5), "at 10": fmean(found.at_10), "reciprocal rank": fmean(found.first)}
    count = len(found.latest)
    return shares | ({f"latest above stale, of {count} updated": fmean(found.latest)} if count else {})


def _crossing(category: str) -> bool:
    return category == "cross"


def _not_crossing(category: str) -> bool:
    return category != "cross"


def _ours(person: Person) -> Search:
    embedder = StaticWords()
    index = OwnerIndex(embedder.name, cosine_floor=cosine_floor(embedder))
    index.apply(memories_of(person))

    def search(question: str) -> list[str]:
        (vector,) = embedder.embed([question])
        return [hit.id for hit in index.search(vector, query_of(question).terms, _HITS, question)]

    return search


def memories_of(person: Person) -> list[MemoryRow]:
    """What a person said, as background indexing would have stored it: each session is a conversation."""
    packed = pack(StaticWords().embed([one.text for one in person.said]))
    return [
        MemoryRow(
            *(one.id, "turn", one.text, at, StaticWords.name, vector),
            at_us=one.at_us,
            conversation_key=one.session + 1,
            depth=one.depth,
        )
        for at, (one, vector) in enumerate(zip(person.said, packed, strict=True), start=1)
    ]


def _cosine(person: Person) -> Search:
    vectors = StaticWords().embed([one.text for one in person.said])
    return lambda question: _best(person, vectors @ StaticWords().embed([question])[0])


def _bm25(person: Person) -> Search:
    rows, postings, neighbours = Rows(), Postings(), Neighbours()
    rows.extend([MemoryRow(one.id, "turn", one.text, 1) for one in person.said])
    postings.extend([terms_of(one.text) for one in person.said])
    neighbours.extend(rows, 0)
    live = np.ones(len(rows), np.bool_)
    return lambda question: _best(
        person, postings.relevance({*map(key, words.terms(question))}, live, len(rows), neighbours.windows(rows)).shares
    )


def _best(person: Person, scores: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    return [person.said[at].id for at in np.argsort(-scores, kind="stable").tolist()]
