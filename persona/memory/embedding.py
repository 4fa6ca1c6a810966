"""Turning texts into checked vectors, whichever kind of embedder does it."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from persona.adapter import Embedder, RemoteEmbedder, is_local, is_quick
from persona.memory.vectors import check

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INLINE_CHARS = 8_000  # for one turn's worth a thread costs more than a quick embedder does


def searched_text(text: str, heading: str = "") -> str:
    """What a memory is found by, by its words and by its vector alike: its text under its heading."""
    return f"{heading}\n{text}" if heading else text


async def embed(embedder: Embedder, texts: Sequence[str]) -> "NDArray[np.float32]":
    """Unit vectors, shape (len(texts), dimension), float32, asked for in batches of the embedder's size.

    A quick local embedder runs here for a turn's worth of text; for more, and always when it is not quick, in a worker
    thread.
    Raises EmbedderMismatch when a batch is not what the embedder declares, and what a remote one raises.
    """
    size, quick = max(1, embedder.batch_size), is_quick(embedder)
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    found = [np.zeros((0, embedder.dimension), np.float32)]
    for batch in batches:
        found.append(await _one_batch(embedder, batch, inline=quick and sum(map(len, batch)) <= _INLINE_CHARS))
    return np.concatenate(found)


async def _one_batch(embedder: Embedder, batch: Sequence[str], *, inline: bool) -> "NDArray[np.float32]":
    if is_local(embedder):
        vectors = embedder.embed(batch) if inline else await asyncio.to_thread(embedder.embed, batch)
    else:
        vectors = await cast(RemoteEmbedder, embedder).embed_remotely(batch)
    check(embedder, vectors, len(batch))
    return vectors
