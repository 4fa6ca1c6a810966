"""Erases a user, a conversation, a message or a fact, and gives the receipt: what went, and what may still hold it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from persona.errors import NotFound, StoreError
from persona.memory.cache import IndexCache, follow_erasures
from persona.store import erasure, receipts, retention
from persona.store.engine import Database
from persona.store.erasure import Taken
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.owner import Owner
from persona.values.privacy import Place, Receipt, Scope

_PATIENCE_S = 10.0  # for the locks of those who just read or write

_Work = Callable[[Transaction], Taken | None]


async def erase_user(database: Database, indexes: IndexCache, owner: Owner, now_us: int) -> Receipt:
    """Erases everything that belongs to the user. Raises NotFound."""
    return await _erase(database, indexes, "user", now_us, lambda tx: erasure.erase_owner(tx, owner))


async def erase_conversation(database: Database, indexes: IndexCache, owner: Owner, id: str, now_us: int) -> Receipt:
    """Erases a conversation, the memories made of it and the facts learnt from it. Raises NotFound."""
    return await _erase(
        database, indexes, "conversation", now_us, lambda tx: erasure.erase_conversation(tx, owner, id, now_us)
    )


async def erase_message(database: Database, indexes: IndexCache, owner: Owner, id: str, now_us: int) -> Receipt:
    """Erases a message with its answers, or an answer with its tool rounds, and what hangs on them. Raises NotFound."""
    return await _erase(database, indexes, "message", now_us, lambda tx: erasure.erase_message(tx, owner, id, now_us))


async def erase_fact(database: Database, indexes: IndexCache, owner: Owner, id: str, now_us: int) -> Receipt:
    """Erases a fact, whether it holds or not, and its memory. Raises NotFound."""
    return await _erase(database, indexes, "fact", now_us, lambda tx: erasure.erase_fact(tx, owner, id, now_us))


async def scrub(database: Database, now_us: int) -> Place:
    """Takes the traces of everything erased so far out of a SQLite file; returns where there may still be some.

    The file is written anew: about 5 ms a megabyte, in which writers wait. Raises StoreBusy or StoreFull when it
    could not be.
    """
    if not database.sqlite:
        return "server"
    upto = await database.run(receipts.newest, write=False)
    # not in the thread of the store, where turns would wait for readers too
    if not await asyncio.to_thread(retention.scrub, database):
        return "log"
    await database.run(lambda tx: receipts.scrubbed(tx, upto, now_us), patience_s=_PATIENCE_S)
    return ""


async def _erase(database: Database, indexes: IndexCache, scope: Scope, now_us: int, work: _Work) -> Receipt:
    id = new_id("rcp")
    receipt = await database.run(lambda tx: _take(tx, id, scope, now_us, work), patience_s=_PATIENCE_S)
    await database.run(lambda tx: follow_erasures(tx, indexes), write=False)
    try:
        place = await scrub(database, now_us)
    except StoreError:
        place = "file"
    if not place:
        return replace(receipt, scrubbed_us=now_us)
    await database.run(lambda tx: receipts.left_in(tx, id, place), patience_s=_PATIENCE_S)
    return replace(receipt, left_in=place)


def _take(tx: Transaction, id: str, scope: Scope, now_us: int, work: _Work) -> Receipt:
    """Runs again when it is not known whether it was kept: then its receipt is there."""
    if kept := receipts.find(tx, id):
        return kept
    taken = work(tx)
    if taken is None:
        what = "nothing" if scope == "user" else f"no such {scope}"
        raise NotFound(f"{what} is stored for this user", hint="what belongs to somebody else looks the same")
    counts = {name.removeprefix("persona_"): number for name, number in sorted(taken.rows.items()) if number}
    told = (counts, {"memory": taken.indexed}, taken.consented, taken.recalled, taken.datasets)
    receipt = Receipt(id, scope, now_us, *told, models=taken.made.models, reports=taken.made.reports)
    receipts.add(tx, taken.owner_key, receipt)
    return receipt
