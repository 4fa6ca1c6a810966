"""The processes that a harvest works in: this one, and others beside it that are told a job and what to do next."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from typing import ParamSpec, TypeVar

from persona.errors import DatasetError
from persona.harvest.job import Job
from persona.harvest.mapping import Mapper

_FEW_CHUNKS = 2  # so few are made in this process: starting others takes a second

_Asked = ParamSpec("_Asked")
_Got = TypeVar("_Got")
_Count = Synchronized  # of all processes together


class Hands:
    """Makes the chunks of a job in all its processes, each taking the next one: none waits while there is one left.

    Others are started clean: a fork of this one would share its database and threads. This one is at work meanwhile.
    """

    def __init__(self, job: Job, missing: Sequence[int]) -> None:
        context = multiprocessing.get_context("spawn")
        processes = min(job.settings.harvest.processes or _cores(), len(missing))
        self._others = processes - 1 if len(missing) > _FEW_CHUNKS else 0
        self._job, self._missing = job, missing
        self._taken, self._made = context.Value("q", 0), context.Value("q", 0)
        told = (job, missing, self._taken, self._made)
        self._pool = ProcessPoolExecutor(self._others, context, _ready, told) if self._others else None

    def make(self) -> Iterator[int]:
        """Makes the chunks; tells how many are made whenever this process has made one."""
        others = [self._pool.submit(_make) for _ in range(self._others)] if self._pool else []
        for _ in _chunks(self._job, self._missing, self._taken, self._made):
            yield self._made.value
            for one in others:
                if one.done():
                    one.result()  # raises what went wrong there
        for one in as_completed(others):
            one.result()
            yield self._made.value

    def begin(self, do: Callable[_Asked, _Got], *args: _Asked.args, **kwargs: _Asked.kwargs) -> Callable[[], _Got]:
        """Has something done in another process, where there is one; what it gives waits for that, or does it then."""
        return self._pool.submit(do, *args, **kwargs).result if self._pool else partial(do, *args, **kwargs)

    def close(self) -> None:
        """Waits for the others, who take no other chunk."""
        self._taken.value = len(self._missing)
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def hands(job: Job, missing: Sequence[int]) -> Iterator[Hands]:
    """The processes of a harvest, until it ends. Raises DatasetError when one of them is killed."""
    with closing(Hands(job, missing)) as every:
        try:
            yield every
        except BrokenProcessPool as error:
            raise DatasetError(
                "a process of the harvest was killed, perhaps for want of memory",
                hint="run the same command again, with fewer processes (harvest.processes)",
            ) from error


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(job: Job, missing: Sequence[int], taken: "_Count[int]", made: "_Count[int]") -> Iterator[int]:
    """Makes one chunk after the other that no other process has taken."""
    with closing(Mapper(job)) as mapper:
        while (at := _one_more(taken)) < len(missing):
            mapper.make(missing[at])
            _one_more(made)
            yield missing[at]


def _one_more(count: "_Count[int]") -> int:
    """Counts one, and gives how many there were before."""
    with count.get_lock():
        count.value += 1
        return count.value - 1


_told: list[Iterator[int]] = []  # of a process that is beside another: the chunks that it makes


def _ready(job: Job, missing: Sequence[int], taken: "_Count[int]", made: "_Count[int]") -> None:
    """Makes a process ready: Ctrl-C is its parent's affair, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()
    _told[:] = [_chunks(job, missing, taken, made)]


def _make() -> None:
    for _ in _told[0]:
        pass


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
