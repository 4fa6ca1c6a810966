"""Users with memories, put into the store as background indexing would have put them."""

import random
from functools import cache

from benchmarks.texts import messages
from persona import AsyncAssistant
from persona.memory.embedding import embed
from persona.memory.postings import terms_of
from persona.memory.vectors import pack
from persona.memory.wordings import packed
from persona.store import memories, owners
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.memory import MemoryRow
from persona.values.owner import Owner

_TEXTS = 2_000
_AT_US = 1_760_000_000_000_000


async def populate(assistant: AsyncAssistant, users: int, each: int) -> None:
    """Gives `user-0`, `user-1` … so many memories each, no two alike; their vectors are those of 2,000 texts."""
    services = await assistant.services()
    texts = texts_of_memories()
    vectors = pack(await embed(services.embedder, texts))
    chance = random.Random(5)

    def fill(tx: Transaction) -> None:
        for user in range(users):
            owner = owners.find_or_make(tx, Owner("", f"user-{user}"), _AT_US)
            chosen = chance.sample(range(_TEXTS), each)
            rows = [_memory(f"{texts[one]} (u{user})", vectors[one], services.embedder.name) for one in chosen]
            memories.add(tx, owner.key, rows)

    await services.database.run(fill)


@cache
def texts_of_memories() -> list[str]:
    """What users are remembered to have said."""
    return messages(_TEXTS, seed=13)


def _memory(text: str, vector: bytes, embedder: str) -> MemoryRow:
    id = new_id("msg")
    return MemoryRow(
        id, "turn", text, 0, embedder, vector, at_us=_AT_US, message_id=id, terms=terms_of(text) + packed(text)
    )
