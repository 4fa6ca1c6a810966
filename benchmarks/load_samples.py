"""What the processes hold while they are under load: memory, open files, threads, database connections, over time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

import psutil

from benchmarks.load_database import Store

_MEGABYTE = 1e6
_MOST = 600  # samples of a run
_SHORTEST_S = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """All processes together, so many seconds after the start."""

    at_s: float
    memory_mb: float
    handles: int
    threads: int
    connections: int
    answered: int


@dataclass(slots=True)
class Sampler:
    """Looks at the processes every now and then."""

    processes: Sequence[psutil.Process]
    store: Store
    answered: Callable[[], int]
    samples: list[Sample] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Samples until it is cancelled; `seconds` is how long that will be."""
        start, every_s = time.perf_counter(), max(_SHORTEST_S, seconds / _MOST)
        while True:
            self.samples.append(self._look(time.perf_counter() - start))
            await asyncio.sleep(every_s)

    def _look(self, at_s: float) -> Sample:
        return Sample(
            at_s,
            sum(one.memory_info().rss for one in self.processes) / _MEGABYTE,
            sum(one.num_fds() for one in self.processes),
            sum(one.num_threads() for one in self.processes),
            self.store.connections(self.processes),
            self.answered(),
        )


def per_second(samples: Sequence[Sample]) -> list[float]:
    """Turns per second between each sample and the one before."""
    rates = [(new.answered - old.answered) / max(new.at_s - old.at_s, 1e-9) for old, new in pairwise(samples)]
    return [*rates[:1], *rates]


def fifths(values: Sequence[float]) -> tuple[float, float]:
    """The mean of the first fifth of the values, and of the last."""
    size = max(1, len(values) // 5)
    return fmean(values[:size]), fmean(values[-size:])


def busy_s() -> float:
    """CPU seconds that this whole machine has used so far."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds that these processes have used so far; a database server's may have ended meanwhile."""
    total = 0.0
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total
