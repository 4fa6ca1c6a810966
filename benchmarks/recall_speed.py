"""What a search, a first search and a new memory cost within one user, beside the plain numpy product."""

import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from persona_embedded.embed import StaticWords

from benchmarks.figures import Row, Table, Timing, pace_of_the_core, row, timing_of
from benchmarks.peers import ROOT
from benchmarks.texts import messages
from persona.memory import wordings
from persona.memory.cache import IndexCache
from persona.memory.index import OwnerIndex
from persona.memory.postings import terms_of
from persona.memory.recall import query_of
from persona.memory.vectors import pack
from persona.store import memories, owners
from persona.store.engine import Database
from persona.store.schema import prepare
from persona.store.transaction import Transaction
from persona.values.memory import MemoryRow
from persona.values.owner import Owner

_SEARCH_REACH_MS = {1_000: 0.5, 50_000: 8.0}
_FIRST_REACH_MS = {100: 10.0, 1_000: 40.0}
_QUESTIONS = 240  # each asked once, in a process that has answered none before
_TEXTS = 2_000


def tables(quick: bool) -> list[Table]:
    """Every figure of speed and size."""
    return [_searches(quick), _adding(quick), _first(), _resident(quick)]


def rows_of(count: int, seed: int = 7) -> list[MemoryRow]:
    """So many memories of one user in conversations of twenty; vectors of 2,000 texts, each moved a little."""
    texts = messages(_TEXTS, seed=seed)
    known, terms = StaticWords().embed(texts), [terms_of(text) + wordings.packed(text) for text in texts]
    draw = np.random.default_rng(seed)
    which = draw.integers(_TEXTS, size=count)
    moved = known[which] + draw.normal(0, 0.03, (count, known.shape[1])).astype(np.float32)
    packed = pack(moved / np.linalg.norm(moved, axis=1, keepdims=True))
    return [
        MemoryRow(
            *(f"mem_{at:06d}", "turn", texts[one], at + 1, StaticWords.name, vector),
            at_us=at * 1_000_000,
            conversation_key=1 + at // 20,
            depth=at % 20,
            terms=terms[one],
        )
        for at, (one, vector) in enumerate(zip(which.tolist(), packed, strict=True))
    ]


def _searches(quick: bool) -> Table:
    found: list[Row] = []
    questions = list(dict.fromkeys(one[:80] for one in messages(4 * _QUESTIONS, seed=99)))[: _QUESTIONS + 1]
    for count, reach in _SEARCH_REACH_MS.items():
        index, rows = OwnerIndex(StaticWords.name), rows_of(count)
        index.apply(rows[:-1])
        index.apply(rows[-1:])
        asking = iter(questions)
        rounds = 20 if quick else _QUESTIONS

        def search(index: OwnerIndex = index, asking: Iterator[str] = asking) -> None:
            text = next(asking)
            index.search(StaticWords().embed([text])[0], query_of(text).terms, 24, text)

        taken = _timed(search, rounds)
        found.append(row(f"recall among {count:,} memories, the query embedded too", taken, "ours", reach, per=1e3))
        matrix, query = np.random.default_rng(1).random((count, 128), np.float32), np.ones(128, np.float32)
        product = _timed(lambda matrix=matrix, query=query: matrix @ query, rounds)  # type: ignore[misc]
        found.append(row(f"one numpy product of {count:,} × 128", product, "limit", per=1e3))
    once = "each question is asked once; the cold figure is the first search, which measures the windows"
    return Table("recall within one user", "ms of CPU", tuple(found), (once, pace_of_the_core()))


def _adding(quick: bool) -> Table:
    last = 10_000 if quick else 100_000
    index, rows = OwnerIndex(StaticWords.name), rows_of(last)
    index.apply(rows[:1_000])
    taken = []
    for one in rows[1_000:]:
        start = time.process_time_ns()
        index.apply([one])
        taken.append(time.process_time_ns() - start)
    ordered = sorted(taken)
    what = f"one memory more, from 1,000 to {last:,}"
    return Table(
        "a new memory in an index that is kept",
        "ms of CPU",
        (
            Row(f"{what}: median", ordered[len(ordered) // 2] / 1e6, reach=0.5),
            Row(f"{what}: the slowest in a hundred", ordered[int(0.99 * len(ordered))] / 1e6, reach=5.0),
        ),
    )


def _first() -> Table:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for count, reach in _FIRST_REACH_MS.items():
            url = f"sqlite:///{Path(folder) / f'{count}.db'}"
            database = Database(url)
            prepare(database)
            rows = rows_of(count)

            def fill(tx: Transaction, rows: list[MemoryRow] = rows) -> None:
                memories.add(tx, owners.find_or_make(tx, Owner("", "bob"), 1).key, _of_bob())
                memories.add(tx, owners.find_or_make(tx, Owner("", "ada"), 1).key, rows)

            database.run_now(fill)
            database.close()
            times = [float(_alone("first", url)) for _ in range(5)]
            found.append(
                row(
                    f"first recall of {count:,} memories",
                    timing_of([int(1e6 * one) for one in times]),
                    "ours",
                    reach,
                    1e3,
                )
            )
    notes = (
        "in a fresh process, from SQLite; imports, statements and word vectors were loaded for another user before",
    )
    return Table("the first recall of a user", "ms of CPU", tuple(found), notes)


def _of_bob() -> list[MemoryRow]:
    return [replace(one, id=f"bob_{one.id}") for one in rows_of(30, 8)]


def _resident(quick: bool) -> Table:
    users = 100 if quick else 1_000
    size = float(_alone("resident", str(users)))
    what = f"resident, with the indexes of {users:,} users of 100 memories and all that a chat loads"
    return Table("memory", "MB", (Row(what, size, reach=350.0),))


def _alone(what: str, argument: str) -> str:
    command = [sys.executable, "-m", "benchmarks.recall_speed", what, argument]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _timed(work: Callable[[], object], rounds: int) -> Timing:
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - start)
    return timing_of(taken)


def _first_ms(url: str) -> float:
    """Milliseconds of CPU of the first search of `ada`, everything but her rows being loaded."""
    database, embedder = Database(url), StaticWords()
    cache = IndexCache(1 << 28, embedder.name)
    text = "when does the post office open?"

    def recall(tx: Transaction, name: str) -> None:
        state = owners.find(tx, Owner("", name))
        assert state
        index = cache.get(state.key, state.revision, lambda since: memories.since(tx, state.key, since))
        assert index.search(embedder.embed([text])[0], query_of(text).terms, 24, text)

    database.run_now(lambda tx: recall(tx, "bob"), write=False)
    start = time.process_time_ns()
    database.run_now(lambda tx: recall(tx, "ada"), write=False)
    taken = (time.process_time_ns() - start) / 1e6
    database.close()
    return taken


def _resident_mb(users: int) -> float:
    """Megabytes of this process after a chat, and after every user searched once."""
    import openai  # noqa: F401  (what a chat with a provider loads)

    from persona import Assistant

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "persona.toml").write_text("")
        with Assistant.open(Path(folder) / "persona.toml") as assistant:
            assistant.user("ada").conversation().send("hello")
            embedder, cache = StaticWords(), IndexCache(1 << 30, StaticWords.name)
            kinds = [rows_of(100, seed) for seed in range(5)]
            chance = random.Random(5)
            for user in range(users):
                index = cache.get(user, 100, lambda since: chance.choice(kinds))
                index.search(embedder.embed(["the post office"])[0], ("post", "offic"), 24, "the post office")
            kinds.clear()
            gc.collect()
            pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    print(_first_ms(sys.argv[2]) if sys.argv[1] == "first" else _resident_mb(int(sys.argv[2])))
