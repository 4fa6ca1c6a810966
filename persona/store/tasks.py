"""The outbox: background work that outlives the process. A task is claimed with a lease and deleted when done.

The end of the lease is also its token: whoever claims a task later has a later one, so a worker that lost its lease
can neither end the task nor put it off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sqlalchemy import Select, case, delete, func, or_, select, update

from persona.store.ids import new_id
from persona.store.statements import insert_into, insert_unless_there, param, table
from persona.store.tables import TaskRow
from persona.store.transaction import Statement, Transaction

TaskKind = Literal["index", "learn", "summarise", "shadow", "prune", "canary", "clean"]
TaskState = Literal["waiting", "running", "dead"]
_tasks = table(TaskRow)
_k = _tasks.c

_INSERT, _ARM = insert_into(TaskRow), insert_unless_there(TaskRow)
_due = (  # a CTE with a lock is read once; as a plain subquery it might be read again, and claim more than asked for
    select(_k.id)
    .where(
        or_(_k.state == "waiting", _k.state == "running"),
        _k.run_after_us <= param("now_us"),
        _k.lease_until_us <= param("now_us"),
        or_(*(_k.kind == kind for kind in get_args(TaskKind))),  # a newer persona may put kinds we do not know
    )
    .order_by(_k.id)
    .limit(param("most"))
    .with_for_update(skip_locked=True)  # what another worker is claiming is passed by, not waited for
    .cte("due")
)
_CLAIM = Statement(
    update(_tasks)
    .where(_k.id.in_(select(_due.c.id)))
    .values(
        state="running",
        attempts=_k.attempts + 1,
        # one that still runs was neither ended nor given back by whoever had it
        silences=_k.silences + case((_k.state == "running", 1), else_=0),
        lease_until_us=param("until_us"),
    )
    .returning(
        *(_k.id, _k.kind, _k.owner_key, _k.conversation_key, _k.subject),
        *(_k.lease_until_us, _k.attempts - 1, _k.silences),
    )
)
_held = (_k.id == param("which"), _k.state == "running", _k.lease_until_us == param("token"))
_DONE = Statement(delete(_tasks).where(*_held))
_RENEW = Statement(update(_tasks).where(*_held).values(lease_until_us=param("until_us")))
_RELEASE = Statement(update(_tasks).where(*_held).values(state="waiting", attempts=_k.attempts - 1, lease_until_us=0))
_LATER = Statement(
    update(_tasks)
    .where(*_held)
    .values(
        state=param("state"),
        attempts=param("attempts"),
        run_after_us=param("run_after_us"),
        lease_until_us=0,
        error=param("error"),
    )
)
_DROP = Statement(
    delete(_tasks).where(_k.kind == param("kind"), _k.owner_key == param("owner"), _k.subject == param("subject"))
)
_waits_again = update(_tasks).values(state="waiting", attempts=0, silences=0, run_after_us=0, lease_until_us=0)
_RETRY = Statement(_waits_again.where(_k.state == "dead", _k.id == param("which")))
_RETRY_ALL = Statement(_waits_again.where(_k.state == "dead"))
_LIST = Statement(
    select(_k.id, _k.kind, _k.state, _k.attempts, _k.created_us, _k.run_after_us, _k.lease_until_us, _k.error)
    .where(or_(_k.state == param("state"), param("any_state") == 1))
    .order_by(_k.id)
    .limit(param("most"))
)
_COUNT = Statement(select(_k.state, func.count()).group_by(_k.state))
_SAME = Statement(
    select(_k.id).where(_k.kind == param("kind"), _k.conversation_key == param("conversation"), _k.state != "dead")
)


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of background work, as it was claimed. `subject` is the id of what it is about.

    `attempts` are those before this one; of `silences` of them nothing was heard again.
    """

    id: str
    kind: TaskKind
    owner_key: int
    conversation_key: int
    subject: str
    lease_until_us: int
    attempts: int
    silences: int


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task as an operator sees it: whose it is and what it is about stay out. `error` names the last failure.

    `next_try_us` is 0 for one that is due or given up, and the end of its lease for one that runs.
    """

    id: str
    kind: str
    state: TaskState
    attempts: int
    created_us: int
    next_try_us: int
    error: str


def put(
    tx: Transaction,
    kind: TaskKind,
    owner_key: int,
    subject: str,
    now_us: int,
    conversation_key: int = 0,
    run_after_us: int = 0,
) -> None:
    """Adds a task, in the transaction of what causes it; it is due at once, or after a time."""
    row = {**_row(new_id("tsk"), kind, subject, now_us), "run_after_us": run_after_us}
    tx.put(_INSERT, {**row, "owner_key": owner_key, "conversation_key": conversation_key})


def arm(tx: Transaction, kind: TaskKind, now_us: int, run_after_us: int = 0, subject: str = "") -> None:
    """Adds the one task of a kind that there is once in a database, unless it is there."""
    row = _row(f"tsk_{kind}", kind, subject, now_us)
    tx.run(_ARM, {**row, "owner_key": 0, "conversation_key": 0, "run_after_us": run_after_us})


def _row(id: str, kind: TaskKind, subject: str, now_us: int) -> dict[str, object]:
    fresh = {"state": "waiting", "attempts": 0, "silences": 0, "run_after_us": 0, "lease_until_us": 0, "error": ""}
    return {**fresh, "id": id, "kind": kind, "subject": subject, "created_us": now_us}


def pending(tx: Transaction, kind: TaskKind, conversation_key: int) -> bool:
    """Whether such a task waits or runs for this conversation."""
    return tx.one(_SAME, {"kind": kind, "conversation": conversation_key}) is not None


def claim(tx: Transaction, now_us: int, lease_us: int, most: int) -> list[Task]:
    """Tasks that are due, the oldest first, now leased to the caller."""
    rows = tx.all(_CLAIM, {"now_us": now_us, "until_us": now_us + lease_us, "most": most})
    return sorted((Task(*row) for row in rows), key=lambda task: task.id)


def done(tx: Transaction, task: Task) -> bool:
    """Takes a task off the list. False when the lease was lost: it is another's, or no longer wanted."""
    return bool(tx.run(_DONE, _token(task)))


def again(
    tx: Transaction, task: Task, run_after_us: int, error: str, *, dead: bool = False, tried: bool = True
) -> bool:
    """Puts a failed task off, or gives it up for a person to look at. False when the lease was lost.

    One that was not `tried`, because it may not be done yet, has as many attempts as before.
    """
    then = {"state": "dead" if dead else "waiting", "attempts": task.attempts + tried}
    return bool(tx.run(_LATER, {**_token(task), **then, "run_after_us": run_after_us, "error": error}))


def renew(tx: Transaction, task: Task, until_us: int) -> Task | None:
    """The task under a longer lease, or None when the lease was lost."""
    kept = tx.run(_RENEW, {**_token(task), "until_us": until_us})
    return replace(task, lease_until_us=until_us) if kept else None


def release(tx: Transaction, claimed: Sequence[Task]) -> None:
    """Gives back tasks that were not begun, or not ended."""
    for task in claimed:
        tx.run(_RELEASE, _token(task))


def _token(task: Task) -> dict[str, object]:
    return {"which": task.id, "token": task.lease_until_us}


def holding(kind: TaskKind, subjects: Select[tuple[str]]) -> Statement:
    """Waits for whoever just ends a task of an `owner` about one of these, and lets nobody until its transaction ends.

    In the order in which erasing takes them.
    """
    mine = select(_k.id).where(_k.kind == kind, _k.owner_key == param("owner"), _k.subject.in_(subjects))
    undone = mine.where(or_(_k.state == "waiting", _k.state == "running"))
    return Statement(undone.order_by(_k.id).with_for_update())


def drop(tx: Transaction, kind: TaskKind, owner_key: int, subject: str) -> None:
    """Takes off the list what is no longer wanted."""
    tx.run(_DROP, {"kind": kind, "owner": owner_key, "subject": subject})


def counts(tx: Transaction) -> dict[str, int]:
    """How many tasks there are, by state."""
    return {state: int(number) for state, number in tx.all(_COUNT, {})}


def listing(tx: Transaction, state: TaskState | None, most: int) -> list[TaskEntry]:
    """The tasks, the oldest first."""
    rows = tx.all(_LIST, {"state": state or "", "any_state": int(state is None), "most": most})
    return [
        TaskEntry(id, kind, state, attempts, created, 0 if state == "dead" else lease or after, error)
        for id, kind, state, attempts, created, after, lease, error in rows
    ]


def retry(tx: Transaction, id: str) -> bool:
    """Lets a task that was given up be tried again. False when there is no such one."""
    return bool(tx.run(_RETRY, {"which": id}))


def retry_all(tx: Transaction) -> int:
    """Lets every task that was given up be tried again; returns how many there were."""
    return tx.run(_RETRY_ALL, {})
