"""Makes a memory of what a user said, or of a fact."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from persona.memory import wordings
from persona.memory.embedding import embed, searched_text
from persona.memory.postings import terms_of
from persona.memory.vectors import pack
from persona.store import memories, messages
from persona.store.messages import ToRemember
from persona.store.tasks import Task
from persona.store.transaction import Transaction
from persona.tasks.workshop import Workshop
from persona.values.memory import MemoryRow

_LONGEST = 2_000  # characters of a message that become its memory


def to_index(tx: Transaction, claimed: Sequence[Task]) -> dict[str, ToRemember]:
    """The messages and facts that such tasks name, by their ids, read where the tasks are claimed."""
    wanted = [task for task in claimed if task.kind == "index"]
    for task in wanted:
        messages.ahead(tx, task.owner_key, task.subject)
    read = ((task.id, messages.to_remember(tx, task.owner_key, task.subject)) for task in wanted)
    return {id: found for id, found in read if found}


def ahead(tx: Transaction, task: Task) -> None:
    """Says what will be asked when such a task ends."""
    messages.ahead(tx, task.owner_key, task.subject)
    memories.ahead(tx, task.owner_key, task.subject)


async def index(
    workshop: Workshop, task: Task, found: ToRemember | None
) -> Callable[[Transaction], Callable[[], None] | None] | None:
    """Embeds the message or fact that the task names; keeping it as a memory ends the task. Safe to repeat."""
    if found is None:
        return None  # erased meanwhile
    text = found.text[:_LONGEST]
    (vector,) = pack(await embed(workshop.embedder, [searched_text(text)]))
    row = MemoryRow(
        id=found.id,
        kind=found.kind,
        text=text,
        revision=0,
        embedder=workshop.embedder.name,
        vector=vector,
        at_us=found.at_us,
        message_id=found.message_id,
        fact_kind=found.fact_kind,
        conversation_key=found.conversation_key,
        depth=found.depth,
        terms=terms_of(searched_text(text)) + wordings.packed(text),
    )

    def write(tx: Transaction) -> Callable[[], None] | None:
        if messages.to_remember(tx, task.owner_key, task.subject) is None:
            return None  # erased since it was read
        revision = memories.add_once(tx, task.owner_key, row)
        return partial(workshop.indexes.follow, task.owner_key, replace(row, revision=revision)) if revision else None

    return write
