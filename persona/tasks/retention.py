"""Retention: deletes the conversations that the settings say are old enough, some at a time."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from persona.errors import StoreError
from persona.settings.retention import RetentionRule
from persona.store import retention, tasks
from persona.store.engine import Database
from persona.store.retention import Idle
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.workshop import Workshop

log = logging.getLogger("persona.retention")

EVERY_US = 3_600_000_000
"""Between the end of one pass over the conversations and the next, whatever the number of processes."""

_DAY_US = 86_400_000_000
_SPAN = 2_000  # keys that one statement looks at: a large table holds nobody up
_STEPS = 500  # statements that look, and conversations that are deleted, before other tasks have their turn


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted of one tenant's conversations on one route, or would be."""

    tenant: str
    route: str
    conversations: int
    messages: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of a pass over all conversations; `after` is the key to go on from, None at the end."""

    pruned: tuple[Pruned, ...]
    after: int | None


async def prune(workshop: Workshop, task: Task) -> Callable[[Transaction], None] | None:
    """Goes on with the pass where the task says, and leaves a task for the rest of it, or for the next one."""
    rules = workshop.settings.retention
    if not rules:
        return None
    stretch = await prune_some(workshop.database, rules, workshop.now_us(), int(task.subject or 0))
    for one in stretch.pruned:
        counts = one.conversations, one.messages, one.tenant, one.route
        log.info("pruned %d conversations with %d messages of tenant %r on route %r", *counts)
    now_us, after = workshop.now_us(), stretch.after
    if after is None:
        if stretch.pruned or task.subject:
            with suppress(StoreError):  # the file is rewritten after a later pass, or by a person
                await workshop.database.thread(lambda: retention.rewrite(workshop.database))
        return lambda tx: tasks.arm(tx, "prune", now_us, run_after_us=now_us + EVERY_US)
    return lambda tx: tasks.arm(tx, "prune", now_us, subject=str(after))


async def prune_all(
    database: Database, rules: Sequence[RetentionRule], now_us: int, *, dry: bool = False
) -> tuple[Pruned, ...]:
    """A whole pass at once; `dry` only counts. SQLite's file is not rewritten."""
    found: list[Pruned] = []
    after: int | None = 0
    while after is not None:
        stretch = await prune_some(database, rules, now_us, after, dry=dry)
        found += stretch.pruned
        after = stretch.after
    return _summed(found)


async def prune_some(
    database: Database,
    rules: Sequence[RetentionRule],
    now_us: int,
    after: int,
    *,
    most_steps: int = _STEPS,
    dry: bool = False,
) -> Stretch:
    """Deletes what is old enough among the conversations with keys after this one, within some steps.

    Each conversation goes in a transaction of its own: wherever this stops, the rest is found again.
    """
    if not rules:
        return Stretch((), None)
    before_us = max(now_us - min(rule.days, rule.archived_days or rule.days) * _DAY_US for rule in rules)
    first, last = await database.run(retention.keys, write=False)
    start, steps, pruned = max(first, after + 1), 0, list[Pruned]()
    while start <= last and steps < most_steps:
        span = start, min(start + _SPAN - 1, last), before_us, now_us
        found = await database.run(lambda tx, span=span: retention.idle(tx, *span), write=False)  # type: ignore[misc]
        old = [one for one in found if expired(rules, one, now_us)]
        pruned += [one for idle in old if (one := await _prune_one(database, idle, now_us, dry=dry))]
        start, steps = span[1] + 1, steps + 1 + len(old)
    if pruned and not dry:
        with suppress(StoreError):
            await database.thread(lambda: retention.empty_log(database))
    return Stretch(_summed(pruned), start - 1 if start <= last else None)


def expired(rules: Sequence[RetentionRule], found: Idle, now_us: int) -> bool:
    """Whether a conversation is older than the first rule for its tenant and route allows."""
    fitting = (rule for rule in rules if rule.tenant in ("", found.tenant) and rule.route in ("", found.route))
    rule = next(fitting, None)
    if rule is None:
        return False
    if found.archived_us and rule.archived_days is not None:
        return max(found.updated_us, found.archived_us) <= now_us - rule.archived_days * _DAY_US
    return found.updated_us <= now_us - rule.days * _DAY_US


async def _prune_one(database: Database, found: Idle, now_us: int, *, dry: bool) -> Pruned | None:
    """Deletes one conversation; None when somebody went on with it meanwhile."""
    messages: int | None = found.messages
    if not dry:
        messages = await database.run(lambda tx: retention.delete_conversation(tx, found, now_us))
    return None if messages is None else Pruned(found.tenant, found.route, 1, messages)


def _summed(found: Iterable[Pruned]) -> tuple[Pruned, ...]:
    """One for each tenant and route."""
    conversations, messages = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in found:
        conversations[one.tenant, one.route] += one.conversations
        messages[one.tenant, one.route] += one.messages
    return tuple(Pruned(*key, conversations[key], messages[key]) for key in sorted(conversations))
