"""Moves the memories to another embedder, while they are served."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from persona.adapter import Embedder
from persona.memory.embedding import embed, searched_text
from persona.memory.vectors import pack
from persona.store import reembedding
from persona.store.engine import Database
from persona.store.reembedding import StaleMemory
from persona.store.transaction import Transaction

_MOST_AT_ONCE = 256
_PATIENCE_S = 60.0  # for a database that others write to


@dataclass(frozen=True, slots=True)
class Reembedding:
    """How far it is: `done` of `total` memories have a vector of `embedder`."""

    embedder: str
    done: int
    total: int


async def reembed(database: Database, embedder: Embedder, say: Callable[[Reembedding], None]) -> Reembedding:
    """Gives every memory a vector of this embedder. Each batch is kept, so an interrupted run goes on where it was.

    A memory is found by its words alone until its turn has come. Raises what a remote embedder raises, and StoreError.
    """
    state = await _progress(database, embedder.name)
    say(state)
    while state.done < state.total:
        await _pass(database, embedder, say)
        state = await _progress(database, embedder.name)  # others may have added some with the old embedder
        say(state)
    return state


async def _pass(database: Database, embedder: Embedder, say: Callable[[Reembedding], None]) -> None:
    """Once through all that are stale."""
    state, after = await _progress(database, embedder.name), ""
    size = max(1, min(embedder.batch_size, _MOST_AT_ONCE))
    batch = await _next(database, embedder.name, after, size)
    while batch:
        vectors, following = await asyncio.gather(
            embed(embedder, [searched_text(one.text, one.heading) for one in batch]),
            _next(database, embedder.name, batch[-1].id, size),
        )
        made = list(zip(batch, pack(vectors), strict=True))
        await database.run(lambda tx: reembedding.renew(tx, embedder.name, made), patience_s=_PATIENCE_S)  # noqa: B023
        state = Reembedding(state.embedder, state.done + len(batch), state.total)
        say(state)
        batch = following


async def _next(database: Database, embedder: str, after: str, most: int) -> list[StaleMemory]:
    def read(tx: Transaction) -> list[StaleMemory]:
        return reembedding.stale(tx, embedder, after, most)

    return await database.run(read, write=False, patience_s=_PATIENCE_S)


async def _progress(database: Database, embedder: str) -> Reembedding:
    counts = await database.run(reembedding.counts, write=False, patience_s=_PATIENCE_S)
    return Reembedding(embedder, counts.get(embedder, 0), sum(counts.values()))
