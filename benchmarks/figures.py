"""CPU time measured call by call, and the rows and tables it is printed in."""

import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["ours", "limit", "peer", "beside"]
_WHAT = 92


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU microseconds of calls that were timed one by one; `cold` is the first one, the others are warm."""

    median: float
    p95: float
    cold: float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `reach` is what is aimed for, at most (or at least); `reach_p95` the same for the 95th percentile.

    The kind says whose it is: ours, a physical limit that nobody can beat, a peer's, or a figure beside ours that
    helps to read it.
    """

    what: str
    value: float
    kind: Kind = "ours"
    p95: float | None = None
    cold: float | None = None
    reach: float | None = None
    reach_p95: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the reach is met; None when there is none."""
        if self.reach is None:
            return None
        enough = self.value >= self.reach if self.at_least else self.value <= self.reach
        return enough and (self.reach_p95 is None or (self.p95 or 0.0) <= self.reach_p95)


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of one unit that belong together. Ratios are to the first row."""

    title: str
    unit: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The table for machines."""
        first = self.rows[0].value if self.rows else 0.0
        rows = [asdict(row) | {"met": row.met, "ratio": row.value / first if first else None} for row in self.rows]
        return {"title": self.title, "unit": self.unit, "rows": rows, "notes": list(self.notes)}


def cpu_us(work: Callable[[], object], rounds: int) -> Timing:
    """The CPU time of `work`, this whole process counted, `rounds` times after a first one."""
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - start)
    return timing_of(taken)


async def cpu_us_async(work: Callable[[], Awaitable[object]], rounds: int) -> Timing:
    """The same for work that is awaited."""
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time_ns()
        await work()
        taken.append(time.process_time_ns() - start)
    return timing_of(taken)


def timing_of(taken_ns: Sequence[int]) -> Timing:
    """Nanoseconds of calls in a row as a timing; with a single one, it is all three figures."""
    cold, *warm = taken_ns
    ordered = sorted(warm or taken_ns)
    return Timing(statistics.median(ordered) / 1e3, ordered[int(0.95 * (len(ordered) - 1))] / 1e3, cold / 1e3)


def row(what: str, timing: Timing, kind: Kind = "ours", reach: float | None = None, per: float = 1.0) -> Row:
    """A timing as a row, divided by `per` (1,000 gives milliseconds)."""
    return Row(what, timing.median / per, kind, timing.p95 / per, timing.cold / per, reach)


def ratio_row(what: str, long: Timing, short: Timing, reach: float) -> Row:
    """How many times the one costs of the other: near 1 means flat."""
    return Row(what, long.median / short.median, "ours", reach=reach)


def show(table: Table) -> str:
    """The table for people."""
    head = f"{table.title}\n  {'(' + table.unit + ')':<{_WHAT}}{'median':>11}{'p95':>11}{'cold':>11}{'reach':>9}"
    lines = [head + f"{'met':>6}{'ratio':>9}"]
    first = table.rows[0].value if table.rows else 0.0
    for one in table.rows:
        met = {None: "", True: "yes", False: "NO"}[one.met]
        goal = "" if one.reach is None else ("≥ " if one.at_least else "≤ ") + f"{one.reach:g}"
        ratio = f"{one.value / first:.2f}×" if first else ""
        name = f"{one.kind}: {one.what}" if one.kind != "ours" else one.what
        figures = "".join(f"{_figure(value):>11}" for value in (one.value, one.p95, one.cold))
        lines.append(f"  {name:<{_WHAT}}{figures}{goal:>9}{met:>6}{ratio:>9}")
    return "\n".join([*lines, *(f"  note: {note}" for note in table.notes)])


def to_json(tables: dict[str, list[Table]], estimator: object) -> str:
    """All tables, by the name of their benchmark, and what the estimator's own benchmark printed."""
    shown = {name: [one.to_dict() for one in found] for name, found in tables.items()}
    return json.dumps(shown | {"estimator": estimator}, indent=2)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def pace_of_the_core() -> str:
    """What helps to compare the CPU time of machines, or of a busy one and an idle one: cores share more than time."""
    begun, total = time.process_time(), 0
    for number in range(5_000_000):
        total += number * number
    return f"a loop that only counts to five million took {time.process_time() - begun:.2f} s of CPU here, just now"
