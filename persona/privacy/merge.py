"""Joins an anonymous visitor to the account they log in to."""

from collections.abc import Collection

from persona.errors import InvalidInput, NotFound
from persona.memory.cache import IndexCache, follow_erasures
from persona.store import merging, owners, receipts
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.owner import Owner
from persona.values.privacy import Merged, Receipt

_PATIENCE_S = 10.0


async def merge(
    database: Database, indexes: IndexCache, visitor: Owner, account: Owner, many: Collection[str], now_us: int
) -> Merged:
    """Gives the account everything of the visitor, who is gone afterwards, in one transaction.

    `many` are the slots of the profile that hold several values; in the others the newer fact wins. Raises NotFound
    for a visitor of whom nothing is stored, ConversationBusy while a turn of theirs runs, and InvalidInput across
    tenants.
    """
    if visitor == account:
        raise InvalidInput("a user cannot be merged into themselves")
    if visitor.tenant != account.tenant:
        raise InvalidInput("users of different tenants cannot be merged", hint="export one, and import what may cross")
    id = new_id("rcp")

    def write(tx: Transaction) -> Merged:
        before, after = owners.find(tx, visitor), owners.find_or_make(tx, account, now_us)
        if before is None:
            raise NotFound("nothing is stored for the user to be merged")
        merged = merging.merge(tx, before, after, many, now_us)
        # their key is gone as after an erasure, and every process lets go of what it cached under it
        receipts.add(tx, before.key, Receipt(id, "merge", now_us, merged.counts, {}))
        return merged

    merged = await database.run(write, patience_s=_PATIENCE_S)
    await database.run(lambda tx: follow_erasures(tx, indexes), write=False)
    return merged
