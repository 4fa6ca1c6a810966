"""Peers on the same vectors: what their stores return for one user among a thousand, and how long it takes."""

import tempfile
from pathlib import Path
from statistics import fmean, median
from time import process_time_ns
from typing import Any

import numpy as np
from persona_embedded.embed import StaticWords

from benchmarks import peers
from benchmarks.figures import Row, Table
from benchmarks.texts import messages
from persona.memory.index import OwnerIndex
from persona.memory.scores import PRIOR_ROWS
from persona.memory.vectors import pack
from persona.values.memory import MemoryRow

_TEN = 10
_QUESTIONS = 20


def tables(quick: bool) -> list[Table]:
    """One user's ten nearest among 100,000 memories of 1,000 users (a tenth of them when quick)."""
    users = 100 if quick else 1_000
    vectors, owners = _population(users)
    questions = StaticWords().embed([one[:80] for one in messages(_QUESTIONS, seed=42)])
    mine = np.flatnonzero(owners == 0)
    nearest = [set(mine[np.argsort(-(vectors[mine] @ one), kind="stable")[:_TEN]].tolist()) for one in questions]
    recall, cpu_ms = _ours(vectors[mine], mine, questions)
    rows = [Row(f"persona: an index of one's own, recall {recall:.2f}", cpu_ms)]
    found = _peers(vectors, owners, questions)
    for name, answer in found.items():
        pairs = zip(nearest, answer["ids"], strict=False)  # a slow one is asked less
        share = fmean(len(wanted & set(ids)) / _TEN for wanted, ids in pairs)
        rows.append(Row(f"{name}, recall {share:.2f}", answer["cpu_ms"], "peer"))
    title = f"warm recall of one user, {len(vectors):,} memories of {users:,} users in the store"
    return [Table(title, "ms of CPU", tuple(rows), () if found else (peers.NOT_INSTALLED,))]


def _population(users: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    known = StaticWords().embed(messages(2_000, seed=13))
    draw = np.random.default_rng(13)
    vectors = known[draw.integers(len(known), size=users * 100)]
    vectors = vectors + draw.normal(0, 0.03, vectors.shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.arange(users * 100) % users


def _ours(vectors: Any, ids: Any, questions: Any) -> tuple[float, float]:
    """By vectors alone, as the peers; what is nearest is said by numpy, the user's mean taken out as persona does."""
    mean = vectors.sum(axis=0) / (len(vectors) + PRIOR_ROWS)
    centred = vectors - mean
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    index = OwnerIndex(StaticWords.name, cosine_floor=-2)
    packed = pack(vectors)
    index.apply([MemoryRow(str(id), "turn", "", 1, StaticWords.name, one) for id, one in zip(ids, packed, strict=True)])
    shares, taken = [], []
    for question in questions:
        wanted = set(ids[np.argsort(-(centred @ (question - mean)), kind="stable")[:_TEN]].tolist())
        start = process_time_ns()
        hits = index.search(question, (), _TEN)
        taken.append((process_time_ns() - start) / 1e6)
        there = {int(hit.id) for hit in hits}
        shares.append(len(wanted & there) / _TEN)
    return fmean(shares), median(taken)


def _peers(vectors: Any, owners: Any, questions: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "population.npz"
        np.savez(path, vectors=vectors, owners=owners, questions=questions)
        asked = [peers.ask("peer_recall", str(path), environment=name) for name in ("bench", "bench-memory")]
    return {name: answer for found in asked for name, answer in (found or {}).items()}
