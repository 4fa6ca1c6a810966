"""Takes tasks from the outbox one after the other, and puts a failed one off."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context

from persona.errors import LimitReached, PersonaError, StoreError, StoreReadOnly
from persona.memory.cache import follow_erasures
from persona.store import receipts, tasks
from persona.store.messages import ToRemember
from persona.store.tasks import Task, TaskKind
from persona.store.transaction import Transaction
from persona.tasks.asking import NotNow
from persona.tasks.batch import Batch, Outcome
from persona.tasks.canary import watch
from persona.tasks.clean import clean
from persona.tasks.index import ahead, index, to_index
from persona.tasks.learn import learn
from persona.tasks.retention import EVERY_US, prune
from persona.tasks.shadow import shadow
from persona.tasks.summarise import summarise
from persona.tasks.workshop import Workshop

log = logging.getLogger("persona.tasks")

Ending = Callable[[Transaction], Callable[[], None] | None]
"""What a task still writes, in the transaction that takes it off the list; it may return what is to be done after."""

_KINDS: dict[TaskKind, Callable[[Workshop, Task], Awaitable[Ending | None]]] = {
    "learn": learn,
    "summarise": summarise,
    "shadow": shadow,
    "prune": prune,
    "canary": watch,
    "clean": clean,
}
_LEASE_US = 120_000_000
_LEASE_MARGIN_US = 60_000_000  # over the longest call of a model
_BATCH = 16
_MOST_ATTEMPTS = 5
_LONGEST_WAIT_S = 3600
_STORE_WAIT_S = 120  # before a model may be asked again for what a busy or full database did not take
_IDLE_S = 2.0  # between looks at the outbox when nobody says that there is work: others may have put some


class Worker:
    """Does background work until it is stopped."""

    def __init__(self, workshop: Workshop) -> None:
        self.on_batch: Callable[[Batch], None] = lambda batch: log.info("background work: %s", batch)
        self._workshop = workshop
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._stopping = self._takes_no_more = False
        self._running: asyncio.Task[None] | None = None
        self._begun: list[Task] = []
        self._more = True  # than the last batch was
        self._to_index: dict[str, ToRemember] = {}
        self._arm_next_us = 0
        self._armed: object = ((), False)

    @property
    def workshop(self) -> Workshop:
        """What the work is done with."""
        return self._workshop

    @property
    def _lease_us(self) -> int:
        return max(_LEASE_US, int(self._workshop.settings.turn.timeout_s * 1_000_000) + _LEASE_MARGIN_US)

    def change(self, workshop: Workshop) -> None:
        """Works with other settings from the next task on."""
        self._workshop = workshop

    def start(self, *, once: bool = False) -> "asyncio.Task[None]":
        """Begins to look for work in the background; with `once`, until nothing is due."""
        if self._running is None:
            work = self._run_once() if once else self._run()
            loop = asyncio.get_running_loop()
            # whoever opened the assistant was in the middle of something, and this work is no part of it
            self._running = loop.create_task(work, name="persona-worker", context=Context())
        return self._running

    def wake(self) -> None:
        """Says that there is work."""
        self._wake.set()

    async def drain(self) -> int:
        """Does what is due now, what the background had begun included; returns how many tasks it took."""
        done = 0
        async with self._one_at_a_time:
            await self._arm()
            self._more = True
            while self._more and not self._takes_no_more:
                done += len(await self._batch())
        return done

    async def stop(self, drain_s: float, *, takes_more: bool = True) -> None:
        """Finishes what is due, or only what it has begun, within `drain_s` seconds; leaves the rest to others."""
        self._stopping, self._takes_no_more = True, not takes_more
        self._wake.set()
        if self._running:
            try:
                with contextlib.suppress(TimeoutError):  # what is left stays in the outbox
                    await asyncio.wait_for(self._running, drain_s)
            finally:
                self._running = None
                await self._give_back()

    async def _run_once(self) -> None:
        while await self.drain():
            continue  # what was done may have left more to do

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except PersonaError as error:  # the database is busy or gone: the outbox keeps the work
                if isinstance(error, StoreReadOnly) and self._workshop.database.sqlite:
                    return  # whoever may write to the file does the work; of servers another one may take over
                log.warning("background work waits: %s", type(error).__name__)
            if self._stopping and not self._wake.is_set():
                return  # else it was told while it worked, and more may have come in since it looked
            with contextlib.suppress(TimeoutError):  # nobody called: look by ourselves
                await asyncio.wait_for(self._wake.wait(), _IDLE_S)

    async def _arm(self) -> None:
        """Sees to it, now and then, that the tasks which come again are there; they end where nobody needs them."""
        now_us, settings = self._workshop.now_us(), self._workshop.settings
        wanted = settings.retention, any(len(route.serve) > 1 for route in settings.routes.values())
        if wanted != self._armed or now_us >= self._arm_next_us:
            recurring: tuple[TaskKind, ...] = ("prune", "canary")
            for kind in (kind for kind, on in zip(recurring, wanted, strict=True) if on):
                await self._workshop.database.run(lambda tx, kind=kind: tasks.arm(tx, kind, now_us))  # type: ignore[misc]
            self._arm_next_us, self._armed = now_us + EVERY_US, wanted

    async def _batch(self) -> Batch:
        begun, spent = await self._claim()
        ended: list[tuple[TaskKind, Outcome]] = [(task.kind, "given up") for task in spent]
        for task in begun:
            ended.append((task.kind, await self._do(task)))
            await asyncio.sleep(0)  # brief work gives nobody else a chance
            self._begun.pop(0)
        batch = Batch.of(ended)
        if batch:
            self.on_batch(batch)
        return batch

    async def _claim(self) -> tuple[Sequence[Task], Sequence[Task]]:
        """What is to be done now, and what is given up unseen because it has ended too many processes."""
        now_us, left = self._workshop.now_us(), self._begun

        def claim(tx: Transaction) -> tuple[Sequence[Task], Sequence[Task], bool, dict[str, ToRemember]]:
            receipts.ahead(tx)
            tasks.release(tx, left)  # by a batch that a busy database broke off
            claimed = tasks.claim(tx, now_us, self._lease_us, _BATCH)
            begun, spent = _sorted_out(tx, claimed)
            follow_erasures(tx, self._workshop.indexes)
            more = len(claimed) == _BATCH or len(begun) + len(spent) < len(claimed)
            return begun, spent, more, to_index(tx, begun)

        begun, spent, self._more, self._to_index = await self._workshop.database.run(claim, brief=True)
        self._begun = list(begun)
        for task in spent:
            log.warning("task %s (%s) is given up: %s", task.id, task.kind, _silent(task))
        return begun, spent

    async def _give_back(self) -> None:
        """Lets others have at once what was claimed and not ended."""
        begun, self._begun = self._begun, []
        if not begun:
            return
        try:
            await self._workshop.database.run(lambda tx: tasks.release(tx, begun))
        except StoreError as error:
            log.warning("%d tasks wait for the end of their lease: %s", len(begun), type(error).__name__)

    async def _renewed(self, task: Task) -> Task | None:
        """The task with enough of its lease left, though those before it took their time; None when it was lost."""
        until_us = self._workshop.now_us() + self._lease_us
        if task.lease_until_us > until_us - _LEASE_MARGIN_US // 2:
            return task
        renewed = await self._workshop.database.run(lambda tx: tasks.renew(tx, task, until_us))
        self._begun[:1] = [renewed] if renewed else [task]
        return renewed

    async def _do(self, claimed: Task) -> Outcome:
        task = await self._renewed(claimed)
        if task is None:
            return "lost"
        try:
            ending = await self._work(task)
            ended, afterwards = await self._workshop.database.run(lambda tx: _end(tx, task, ending), brief=True)
            if afterwards:
                afterwards()
        except Exception as error:  # noqa: BLE001 - one broken task must not stop the others
            return await self._put_off(task, error)
        return "done" if ended else "lost"

    async def _work(self, task: Task) -> Ending | None:
        if task.kind == "index":
            return await index(self._workshop, task, self._to_index.get(task.id))
        return await _KINDS[task.kind](self._workshop, task)

    async def _put_off(self, task: Task, error: Exception) -> Outcome:
        attempts = task.attempts + 1
        passing = isinstance(error, PersonaError) and error.retryable
        waits = isinstance(error, LimitReached | NotNow)
        blameless = waits or isinstance(error, StoreError)  # a full disk says nothing about the task
        dead = not blameless and (attempts >= _MOST_ATTEMPTS or not passing)
        wait_s: float = _STORE_WAIT_S if isinstance(error, StoreError) else 2**attempts
        if isinstance(error, LimitReached | NotNow):
            wait_s = error.retry_after_s
        later_us = self._workshop.now_us() + int(min(wait_s, _LONGEST_WAIT_S) * 1_000_000)
        name = str(error) if isinstance(error, NotNow) else type(error).__name__
        how = {"dead": dead, "tried": not blameless}
        if not await self._workshop.database.run(lambda tx: tasks.again(tx, task, later_us, name, **how)):
            return "lost"
        if waits:
            log.info("task %s (%s) waits: %s", task.id, task.kind, name)
        else:
            log.warning("task %s (%s) failed: %s%s", task.id, task.kind, name, "; given up" if dead else "")
            log.debug("task %s (%s)", task.id, task.kind, exc_info=error)  # which may quote what was said
        return "given up" if dead else "put off"


def _sorted_out(tx: Transaction, claimed: Sequence[Task]) -> tuple[Sequence[Task], Sequence[Task]]:
    """Those that are begun now, and those that are given up because nothing was heard of them too often.

    A task whose process ended may be what ended it: it is done alone, so that those beside it do not count as often.
    """
    spent = [task for task in claimed if task.silences and task.attempts >= _MOST_ATTEMPTS]
    for task in spent:
        tasks.again(tx, task, 0, _silent(task), dead=True, tried=False)
    rest = [task for task in claimed if task not in spent]
    first = next((at for at, task in enumerate(rest) if task.silences), len(rest))
    begun = rest[: max(first, 1)]
    tasks.release(tx, rest[len(begun) :])
    return begun, spent


def _silent(task: Task) -> str:
    return f"its process ended without a word, {task.silences} times"


def _end(tx: Transaction, task: Task, ending: Ending | None) -> tuple[bool, Callable[[], None] | None]:
    """Takes the task off the list and writes what it led to; neither when another worker has it by now."""
    if ending and task.kind == "index":
        ahead(tx, task)
    held = tasks.done(tx, task)
    return held, ending(tx) if held and ending else None
