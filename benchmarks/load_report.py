"""What a run under load came to, as tables and as lines over time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

import psutil

from benchmarks.figures import Row, Table
from benchmarks.load_client import Turn
from benchmarks.load_options import Options
from benchmarks.load_oracle import Verdict
from benchmarks.load_picture import sparkline
from benchmarks.load_samples import Sample, fifths, per_second
from benchmarks.load_server import SIGMA
from benchmarks.load_worker import ANSWERED

_REACH_P50_MS, _REACH_P99_MS, _REACH_GROWTH = 15, 150, 1.05
_MINUTE_S, _STEADY_S = 60.0, 15.0
_BUSY = "ConversationBusy"
_WHOSE = {
    "persona": "persona's processes",
    "database": "the database server's (SQLite has none, and one elsewhere is not seen)",
    "model": "the model's server",
    "client": "the client, with this sampling",
    "others": "everybody else on this machine, who should have been quiet",
}


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds of the timed part, by who used them."""

    persona: float
    database: float
    model: float
    client: float
    others: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run: its turns, how long the timed ones took together, and what was seen meanwhile and afterwards."""

    database: str
    turns: Sequence[Turn]
    wall_s: float
    used: Used
    samples: Sequence[Sample]
    verdict: Verdict


def tables_of(options: Options, outcome: Outcome) -> list[Table]:
    """The figures, beside what is aimed for."""
    title = f"load: {outcome.database}, processes: {options.processes}"
    return [
        _pace(title, options, outcome),
        _added(title, outcome),
        _used(title, outcome),
        _kept(title, outcome),
        _flat(title, outcome),
    ]


def lines_of(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """What is drawn, over time."""
    return {
        "memory (RSS), MB": [one.memory_mb for one in samples],
        "open handles": [float(one.handles) for one in samples],
        "threads": [float(one.threads) for one in samples],
        "database connections": [float(one.connections) for one in samples],
        "turns per second": per_second(samples),
    }


def _pace(title: str, options: Options, outcome: Outcome) -> Table:
    timed = [turn for turn in outcome.turns if turn.timed and turn.answered]
    took_s = sum(turn.took_us for turn in timed) / len(timed) / 1e6 if timed else 0.0
    rows = (
        Row("persona", len(timed) / outcome.wall_s, at_least=True),
        Row("so many calls at a time of this server, with nothing added", options.concurrency / (took_s or 1), "limit"),
    )
    notes = (
        f"{options.conversations:,} conversations, {options.concurrency} turns at a time, {outcome.wall_s:.0f} s",
        f"the server answers whole, after a lognormal time: median {options.latency_ms:g} ms, sigma {SIGMA}",
    )
    return Table(title, "turns per second", rows, notes)


def _added(title: str, outcome: Outcome) -> Table:
    timed = [turn for turn in outcome.turns if turn.timed and turn.answered]
    added = sorted(turn.added_ms for turn in timed if not turn.crossing)
    crossing = sorted(turn.added_ms for turn in timed if turn.crossing)
    took = sorted(turn.took_us / 1e3 for turn in timed)
    rows = (
        Row("p50", _at(added, 0.5), reach=_REACH_P50_MS),
        Row("p95", _at(added, 0.95)),
        Row("p99", _at(added, 0.99), reach=_REACH_P99_MS),
        Row("the longest", _at(added, 1.0)),
        Row("the server's own time", _at(took, 0.5), "beside", _at(took, 0.95)),
        Row("turns that waited for another in their conversation", _at(crossing, 0.5), "beside", _at(crossing, 0.95)),
    )
    notes = (
        "added: the wall time of send() less what the server says it took, from the request's last byte to its answer;",
        "so persona, the provider's SDK, loopback, and waiting for a core that all the processes here share",
    )
    return Table(f"{title}: added to a call", "ms", rows, notes)


def _used(title: str, outcome: Outcome) -> Table:
    answered = sum(turn.timed and turn.answered for turn in outcome.turns) or 1
    cores = psutil.cpu_count() or 1
    used = asdict(outcome.used)
    shares = (Row(_WHOSE[name], taken / outcome.wall_s * 100, "beside") for name, taken in used.items())
    return Table(
        f"{title}: CPU",
        f"ms of CPU; % of one core of {cores}",
        (
            Row(
                "a turn, in persona's processes, with its background work and its line to the client",
                used["persona"] * 1e3 / answered,
            ),
            *shares,
        ),
    )


def _kept(title: str, outcome: Outcome) -> Table:
    outcomes = Counter(turn.outcome for turn in outcome.turns)
    answered, busy = outcomes.pop(ANSWERED, 0), outcomes.pop(_BUSY, 0)
    verdict = outcome.verdict
    rows = (
        Row("acknowledged", answered),
        Row("lost", verdict.lost, reach=0),
        Row("doubled", verdict.doubled, reach=0),
        Row("out of order", verdict.out_of_order, reach=0),
        Row("there, and never said", verdict.strange, reach=0),
        Row("errors", sum(outcomes.values()), reach=0),
        *(Row(f"errors: {name}", number) for name, number in sorted(outcomes.items())),
        Row(f"{_BUSY}: another turn held the conversation for too long", busy, "beside"),
    )
    return Table(f"{title}: turns kept, read from the tables alone", "turns", rows, tuple(verdict.problems))


def _flat(title: str, outcome: Outcome) -> Table:
    samples = outcome.samples
    last = samples[-1]
    rows = [
        _growth(samples, min(_MINUTE_S, last.at_s / 5), _REACH_GROWTH),
        _growth(samples, last.at_s / 2),  # caches fill at first, and a leak goes on
    ]
    lines = lines_of(samples)
    for name, values in lines.items():
        first, end = fifths(values)
        rows.append(Row(f"{name}: last fifth against the first ({first:,.4g} → {end:,.4g})", end / (first or 1.0)))
    notes = [
        f"{name:<21} {sparkline(values)} {min(values):,.0f} to {max(values):,.0f}" for name, values in lines.items()
    ]
    return Table(f"{title}: over time, all processes together", "times", tuple(rows), tuple(notes))


def _growth(samples: Sequence[Sample], since_s: float, reach: float | None = None) -> Row:
    last_s = samples[-1].at_s
    early, late = _memory_mb(samples, since_s), _memory_mb(samples, last_s)
    what = f"memory after {last_s:,.0f} s ({late:,.0f} MB) against {since_s:,.0f} s ({early:,.0f} MB)"
    return Row(what, late / early, reach=reach)


def _memory_mb(samples: Sequence[Sample], at_s: float) -> float:
    """The median of some seconds up to then: an allocator gives memory back in steps of several megabytes."""
    near = [one.memory_mb for one in samples if at_s - _STEADY_S <= one.at_s <= at_s]
    return median(near or [samples[0].memory_mb])


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
