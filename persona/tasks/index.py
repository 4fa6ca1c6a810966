"""Makes a memory of what a user said, or of a fact."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from persona.memory.embedding import embed, searched_text
from persona.memory.postings import terms_of
from persona.memory.vectors import pack
from persona.store import memories, messages
from persona.store.engine import Transaction
from persona.store.tasks import Task
from persona.tasks.workshop import Workshop
from persona.values.memory import MemoryRow

_LONGEST = 2_000  # characters of a message that become its memory


async def index(place: Workshop, task: Task) -> Callable[[Transaction], Callable[[], None] | None] | None:
    """Embeds the message or fact that the task names; keeping it as a memory ends the task. Safe to repeat."""
    found = await place.database.run(
        lambda tx: messages.to_remember(tx, task.owner_key, task.subject), write=False, brief=True
    )
    if found is None:
        return None  # erased meanwhile
    text = found.text[:_LONGEST]
    (vector,) = pack(await embed(place.embedder, [searched_text(text)]))
    row = MemoryRow(
        id=found.id,
        kind=found.kind,
        text=text,
        revision=0,
        embedder=place.embedder.name,
        vector=vector,
        at_us=found.at_us,
        message_id=found.message_id,
        fact_kind=found.fact_kind,
        conversation_key=found.conversation_key,
        depth=found.depth,
        terms=terms_of(searched_text(text)),
    )

    def write(tx: Transaction) -> Callable[[], None] | None:
        revision = memories.add_once(tx, task.owner_key, row)
        return partial(place.indexes.follow, task.owner_key, replace(row, revision=revision)) if revision else None

    return write
