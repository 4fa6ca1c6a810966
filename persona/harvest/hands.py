"""The processes that a harvest works in: this one, and others beside it that are told a job and what to do next."""

import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from typing import ParamSpec, TypeVar

from persona.errors import DatasetError
from persona.harvest.job import Job
from persona.harvest.mapping import Mapper

_FEW_CHUNKS = 2  # so few are made in this process: starting others takes a second
_NONE_LEFT = 1 << 62  # more than there are chunks and parts of all steps

_Asked = ParamSpec("_Asked")
_Got = TypeVar("_Got")
_Part = TypeVar("_Part")
_Count = Synchronized  # of all processes together
_Told = tuple[Job, Sequence[int], "_Count[int]", "_Count[int]"]


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
        """Makes the chunks; tells how many are made whenever this process has made one. The others begin at once."""
        return self._making([self._pool.submit(_make) for _ in range(self._others)] if self._pool else [])

    def _making(self, others: Sequence["Future[None]"]) -> Iterator[int]:
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

    def each(self, do: Callable[[_Part], _Got], parts: Sequence[_Part], /) -> list[_Got]:
        """What something gives for each part, in their order. All processes that are free take the next one each."""
        first, helping = self._taken.value, range(min(self._others, len(parts) - 1))
        others = [self._pool.submit(_some, do, parts, first) for _ in helping] if self._pool else []
        done = _done(do, parts, first, self._taken)
        ended = as_completed(others)
        while len(done) < len(parts):  # one that was busy all the time is not waited for
            done |= next(ended).result()
        return [done[at] for at in range(len(parts))]

    def close(self) -> None:
        """Waits for the others, who take nothing more."""
        self._taken.value = _NONE_LEFT
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
                "a process of the harvest was killed, perhaps for want of memory, or could not begin",
                hint="run the same command again, with fewer processes (harvest.processes); a script stands under "
                'if __name__ == "__main__"',
            ) from error


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(job: Job, missing: Sequence[int], taken: "_Count[int]", made: "_Count[int]") -> Iterator[int]:
    """Makes one chunk after the other that no other process has taken."""
    with closing(Mapper(job)) as mapper:
        for at in _next(taken, len(missing)):
            mapper.make(missing[at])
            with made.get_lock():
                made.value += 1
            yield missing[at]


def _done(do: Callable[[_Part], _Got], parts: Sequence[_Part], first: int, taken: "_Count[int]") -> dict[int, _Got]:
    """What comes of the parts that no other process has taken, by their place; `first` is the number of the first."""
    return {at - first: do(parts[at - first]) for at in _next(taken, first + len(parts))}


def _next(taken: "_Count[int]", end: int) -> Iterator[int]:
    """The numbers below the end that no other process has taken, one after the other."""
    while True:
        with taken.get_lock():
            at = taken.value
            if at >= end:
                return
            taken.value = at + 1
        yield at


_told: list[_Told] = []  # of a process that is beside another


def _ready(job: Job, missing: Sequence[int], taken: "_Count[int]", made: "_Count[int]") -> None:
    """Makes a process ready: Ctrl-C is its parent's affair, and it does not outlive that.

    When it ends, what it holds is not taken apart, for which its parent would wait a third of a second.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)
    threading.Thread(target=_follow, daemon=True).start()
    _told[:] = [(job, missing, taken, made)]


def _make() -> None:
    for _ in _chunks(*_told[0]):
        pass


def _some(do: Callable[[_Part], _Got], parts: Sequence[_Part], first: int) -> dict[int, _Got]:
    return _done(do, parts, first, _told[0][2])


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
