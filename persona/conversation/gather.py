"""Collects what a window may show: history, facts, summary and recalled memories."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from persona.conversation.services import Services
from persona.memory.cache import follow_erasures
from persona.memory.recall import Query, merge
from persona.render.history import counted
from persona.render.prepare import Gathered
from persona.routing.routes import Arm
from persona.store import conversations, exchanges, facts, memories, owners, receipts, summaries
from persona.store.opening import Opened
from persona.store.owners import OwnerState
from persona.store.transaction import Transaction
from persona.values.memory import MemoryRow, Recalled
from persona.values.owner import Owner
from persona.values.plan import Outline
from persona.window.counting import Counter
from persona.window.materials import Anchor, PastTurn, Summary


def gather(
    services: Services,
    owner: Owner,
    opened: Opened,
    arm: Arm,
    counter: Counter,
    query: Query,
) -> Gathered | None:
    """Everything for this turn's window, in one read transaction; None where that would take long and time is short."""

    def read(tx: Transaction) -> Gathered | None:
        receipts.ahead(tx)
        facts.ahead(tx, opened.owner.key)
        if arm.summarise:
            summaries.ahead(tx, opened.before.key)
        erasures = follow_erasures(tx, services.indexes)
        anchor, turns, plan = _tail(tx, services, opened, counter)
        known = facts.holding(tx, opened.owner.key)
        summarised = _summaries(tx, opened) if arm.summarise else ()
        recalled = _recall(tx, services, owner, opened, arm, query)
        if recalled is None:
            return None
        services.indexes.settle(opened.owner.key, erasures)
        notes = (query.note,) if query.note else ()
        return Gathered(anchor, turns, plan, tuple(known), summarised, recalled, notes)

    return services.database.run_now(read, write=False)


def encode_anchor(anchor: Anchor) -> str:
    """The anchor as the conversation's row keeps it."""
    return json.dumps(
        [anchor.first_depth, anchor.frozen_us, anchor.facts, anchor.shots, anchor.summary_id, anchor.facts_shown]
    )


@lru_cache(maxsize=2_000)  # a conversation's stays the same for many turns
def decode_anchor(raw: str) -> Anchor:
    """The anchor that `encode_anchor` wrote; a conversation without one starts at its first message."""
    if not raw:
        return Anchor()
    first_depth, frozen_us, facts, shots, summary_id, facts_shown = json.loads(raw)
    return Anchor(first_depth, frozen_us, tuple(facts), tuple(shots), summary_id, facts_shown)


def _tail(
    tx: Transaction, services: Services, opened: Opened, counter: Counter
) -> tuple[Anchor, tuple[PastTurn, ...], Outline | None]:
    """Where the history starts, its turns, and what is kept of the plan of the conversation's last request."""
    before, message = opened.before, opened.message
    anchor = decode_anchor(before.anchor)
    head_id = message.parent_id
    known = services.tails.get(before.key, before.revision, counter.name, head_id, before.anchor)
    if known:
        return anchor, known.turns, known.plan
    if head_id != before.head_id and message.depth <= anchor.first_depth:
        anchor = replace(anchor, first_depth=max(0, message.depth - conversations.READ_BACK))
    stored = conversations.path(tx, before.key, head_id, anchor.first_depth)
    plan = exchanges.plan(tx, before.last_exchange_id)
    return anchor, counted(stored, counter), plan.outline() if plan else None


def _summaries(tx: Transaction, opened: Opened) -> tuple[Summary, ...]:
    """The summaries of what came before this turn's message, the furthest first."""
    rows = summaries.of_conversation(tx, opened.before.key)
    return tuple(Summary(id, text, depth) for id, text, depth, _ in rows if depth < opened.message.depth)


def _recall(
    tx: Transaction,
    services: Services,
    owner: Owner,
    opened: Opened,
    arm: Arm,
    query: Query,
) -> tuple[Recalled, ...] | None:
    most = services.settings.memory.candidates
    bases = [Owner("", name, "knowledge") for name in arm.knowledge]
    known = [(owner, opened.owner), *((base, state) for base in bases if (state := owners.find(tx, base)))]
    hurries, indexes = services.database.hurries, services.indexes
    if hurries and not all(_is_quick(tx, services, one) for _, one in known):
        return None

    def loader(key: int) -> Callable[[int], Sequence[MemoryRow]]:
        return lambda since: memories.since(tx, key, since)

    found = {}
    for searched, state in known:
        index = (indexes.at_once if hurries else indexes.get)(state.key, state.revision, loader(state.key))
        if index is None:
            return None
        found[searched] = index.search(query.vector, query.terms, most, query.text)
    return merge(found, most, query.text)


def _is_quick(tx: Transaction, services: Services, owner: OwnerState) -> bool:
    return services.indexes.is_quick(owner.key, owner.revision, lambda many: memories.more_than(tx, owner.key, many))
