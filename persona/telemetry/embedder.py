"""An embedder whose requests over a network are told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from persona.adapter import RemoteEmbedder, cosine_floor
from persona.telemetry.watching import Telemetry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WatchedEmbedder:
    """The embedder itself, and a span around each of its requests. `provider` is the conventions' name."""

    def __init__(self, embedder: RemoteEmbedder, telemetry: Telemetry, provider: str, model: str) -> None:
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.batch_size = embedder.batch_size
        self.cosine_floor = cosine_floor(embedder)
        self._embedder = embedder
        self._telemetry = telemetry
        self._about = provider, model, embedder.dimension

    async def embed_remotely(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """What the embedder returns or raises."""
        with self._telemetry.embedding(*self._about):
            return await self._embedder.embed_remotely(texts)

    async def close(self) -> None:
        """Closes the embedder."""
        await self._embedder.close()
