"""Takes tasks from the outbox one after the other, and puts a failed one off."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from persona.errors import PersonaError, StoreReadOnly
from persona.store import tasks
from persona.store.engine import Transaction
from persona.store.tasks import Task, TaskKind
from persona.tasks.index import index
from persona.tasks.summarise import summarise
from persona.tasks.workplace import Workplace

log = logging.getLogger("persona.tasks")

Ending = Callable[[Transaction], object]
"""What a task still writes, in the transaction that takes it off the list."""

_KINDS: dict[TaskKind, Callable[[Workplace, Task], Awaitable[Ending | None]]] = {
    "index": index,
    "summarise": summarise,
}
_LEASE_US = 120_000_000
_BATCH = 16
_MOST_ATTEMPTS = 5
_IDLE_S = 2.0  # between looks at the outbox when nobody says that there is work: others may have put some


class Worker:
    """Does background work until it is stopped."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._stopping = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look for work in the background."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run(), name="persona-worker")

    def wake(self) -> None:
        """Says that there is work."""
        self._wake.set()

    async def drain(self) -> int:
        """Does what is due now, what the background had begun included; returns how many tasks were done or put off."""
        done = 0
        async with self._one_at_a_time:
            more = True
            while more:
                batch = await self._claim()
                for task in batch:
                    await self._do(task)
                done += len(batch)
                more = len(batch) == _BATCH  # a batch that was not full was all that was due
        return done

    async def stop(self, drain_s: float) -> None:
        """Finishes what is due within `drain_s` seconds, and leaves the rest in the outbox for the next process."""
        self._stopping = True
        self._wake.set()
        if self._running:
            with contextlib.suppress(TimeoutError):  # what is left stays in the outbox
                await asyncio.wait_for(self._running, drain_s)
            self._running = None

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except StoreReadOnly:
                return  # whoever may write does the work
            except PersonaError as error:  # the database is busy or gone: the outbox keeps the work
                log.warning("background work waits: %s", type(error).__name__)
            if self._stopping:
                return
            with contextlib.suppress(TimeoutError):  # nobody called: look by ourselves
                await asyncio.wait_for(self._wake.wait(), _IDLE_S)

    async def _claim(self) -> list[Task]:
        now_us = self._place.now_us()
        return await self._place.database.run(lambda tx: tasks.claim(tx, now_us, _LEASE_US, _BATCH))

    async def _do(self, task: Task) -> None:
        try:
            ending = await _KINDS[task.kind](self._place, task)
            await self._place.database.run(lambda tx: _end(tx, task, ending))
        except Exception as error:  # noqa: BLE001 - one broken task must not stop the others
            await self._put_off(task, error)

    async def _put_off(self, task: Task, error: Exception) -> None:
        attempts = task.attempts + 1
        passing = isinstance(error, PersonaError) and error.retryable
        dead = attempts >= _MOST_ATTEMPTS or not passing
        later_us = self._place.now_us() + 2**attempts * 1_000_000
        name = type(error).__name__
        log.warning("task %s (%s) failed: %s%s", task.id, task.kind, name, "; given up" if dead else "")
        await self._place.database.run(lambda tx: tasks.again(tx, task.id, later_us, name, dead))


def _end(tx: Transaction, task: Task, ending: Ending | None) -> None:
    if ending:
        ending(tx)
    tasks.done(tx, task.id)
