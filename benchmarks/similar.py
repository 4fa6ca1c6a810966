"""Duplicates and contradictions among planted chats: what is found, what is dropped wrongly, and what it costs."""

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Row as Figure
from benchmarks.figures import Table
from persona.harvest.similar.columns import Gathered, Row, columns_of
from persona.harvest.similar.decide import CHECKS, Rules, decide
from tests.harvest.planted_pairs import CITIES, MUST_GO, SCENES, Planted, Said

_EACH = {"plain": 6}  # scenes of a kind for one of the others
_CHUNK = 2_000
_ALIKE = ("duplicate", "near_duplicate", "crosses_sides")
_AGAINST = ("contradiction",)
_DROPPED = (*_ALIKE, *_AGAINST)


def run(quick: bool) -> list[Table]:
    """What is found among 20,000 rows, or 100,000, and the CPU time of a row."""
    each = 1_000 if quick else 5_000
    maker = Planted(7)
    said = [one for kind in SCENES for one in maker.scenes(kind, each * _EACH.get(kind, 1))]
    random.Random(3).shuffle(said)
    rows = [Row(f"u{one.scene}", one.question, one.reply, int(one.role == "base"), language="") for one in said]
    with tempfile.TemporaryDirectory() as folder:
        return _tables(said, rows, Path(folder))


def _tables(said: Sequence[Said], rows: Sequence[Row], folder: Path) -> list[Table]:
    def texts(wanted: Sequence[int]) -> list[tuple[str, str]]:
        return [(rows[row].question, rows[row].reply) for row in wanted]

    start = time.process_time()
    gathered = Gathered([_written(folder / str(first), rows[first : first + _CHUNK]) for first in _starts(rows)])
    mapped = time.process_time()
    decisions = decide(gathered, texts, Rules(slots={"city": CITIES}))
    decided = time.process_time()
    found = Counter((one.role, CHECKS[check]) for one, check in zip(said, decisions.check.tolist(), strict=True))
    others = tuple({role for role, _ in found} - MUST_GO.keys() - {"paraphrase"})
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return [
        Table(
            f"alike and contradicting, {len(rows):,} planted rows", "%",
            (
                Figure("duplicates found", _share(found, ("exact", "near"), _ALIKE), reach=99, at_least=True),
                Figure("rows of another subject, order or core dropped", _share(found, others, _DROPPED), reach=0.5),
                Figure("contradictions found", _share(found, ("contradiction",), _AGAINST), reach=95, at_least=True),
                Figure("paraphrases that agree dropped", _share(found, ("paraphrase",), _DROPPED), reach=2),
            ),
        ),
        Table(
            "what a row costs", "CPU µs",
            (
                Figure("columns, in each process", (mapped - start) / len(rows) * 1e6),
                Figure("decisions, in one process", (decided - mapped) / len(rows) * 1e6),
            ),
            (load,),
        ),
    ]  # fmt: skip


def _starts(rows: Sequence[Row]) -> range:
    return range(0, len(rows), _CHUNK)


def _written(folder: Path, rows: Sequence[Row]) -> Path:
    folder.mkdir()
    columns_of(rows).write(folder)
    return folder


def _share(found: Counter[tuple[str, str]], roles: Sequence[str], checks: Sequence[str]) -> float:
    planted = sum(count for (role, _), count in found.items() if role in roles)
    return 100 * sum(count for (role, check), count in found.items() if role in roles and check in checks) / planted
