"""The outbox: background work that outlives the process. A task is claimed with a lease and deleted when done."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from sqlalchemy import delete, func, or_, select, update

from persona.store.engine import Statement, Transaction
from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import TaskRow

TaskKind = Literal["index", "summarise"]
_tasks = table(TaskRow)
_k = _tasks.c

_INSERT = insert_into(TaskRow)
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
    .values(state="running", attempts=_k.attempts + 1, lease_until_us=param("until_us"))
    .returning(_k.id, _k.kind, _k.owner_key, _k.conversation_key, _k.subject, _k.attempts)
)
_DONE = Statement(delete(_tasks).where(_k.id == param("which")))
_LATER = Statement(
    update(_tasks)
    .where(_k.id == param("which"))
    .values(state=param("state"), run_after_us=param("run_after_us"), lease_until_us=0, error=param("error"))
)
_DROP = Statement(
    delete(_tasks).where(_k.kind == param("kind"), _k.owner_key == param("owner"), _k.subject == param("subject"))
)
_COUNT = Statement(select(_k.state, func.count()).group_by(_k.state))
_SAME = Statement(
    select(_k.id).where(_k.kind == param("kind"), _k.conversation_key == param("conversation"), _k.state != "dead")
)


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of background work. `subject` is the id of what it is about."""

    id: str
    kind: TaskKind
    owner_key: int
    conversation_key: int
    subject: str
    attempts: int


def put(tx: Transaction, kind: TaskKind, owner_key: int, subject: str, now_us: int, conversation_key: int = 0) -> None:
    """Adds a task, in the transaction of what causes it."""
    named = {"id": new_id("tsk"), "kind": kind, "owner_key": owner_key, "conversation_key": conversation_key}
    fresh = {"state": "waiting", "attempts": 0, "run_after_us": 0, "lease_until_us": 0, "error": ""}
    tx.run(_INSERT, {**named, **fresh, "subject": subject, "created_us": now_us})


def pending(tx: Transaction, kind: TaskKind, conversation_key: int) -> bool:
    """Whether such a task waits or runs for this conversation."""
    return tx.one(_SAME, {"kind": kind, "conversation": conversation_key}) is not None


def claim(tx: Transaction, now_us: int, lease_us: int, most: int) -> list[Task]:
    """Tasks that are due, the oldest first, now leased to the caller."""
    rows = tx.all(_CLAIM, {"now_us": now_us, "until_us": now_us + lease_us, "most": most})
    return sorted((replace(Task(*row), attempts=row[-1] - 1) for row in rows), key=lambda task: task.id)


def done(tx: Transaction, task_id: str) -> None:
    """Takes a task off the list."""
    tx.run(_DONE, {"which": task_id})


def again(tx: Transaction, task_id: str, run_after_us: int, error: str, dead: bool = False) -> None:
    """Puts a failed task off, or gives it up for a person to look at."""
    state = "dead" if dead else "waiting"
    tx.run(_LATER, {"which": task_id, "state": state, "run_after_us": run_after_us, "error": error})


def drop(tx: Transaction, kind: TaskKind, owner_key: int, subject: str) -> None:
    """Takes off the list what is no longer wanted."""
    tx.run(_DROP, {"kind": kind, "owner": owner_key, "subject": subject})


def counts(tx: Transaction) -> dict[str, int]:
    """How many tasks there are, by state."""
    return {state: int(number) for state, number in tx.all(_COUNT, {})}
