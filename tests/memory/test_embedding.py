"""Where texts become vectors: on the event loop when that is quick, in a worker thread when it is not."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from memory_rows import TinyEmbedder
from numpy.typing import NDArray

from persona.memory.embedding import embed

LONG = "word " * 2_000


class Watched(TinyEmbedder):
    """Remembers whether it was called on the main thread, where the event loop is."""

    def __init__(self) -> None:
        super().__init__()
        self.on_the_loop: list[bool] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.on_the_loop.append(threading.current_thread() is threading.main_thread())
        return super().embed(texts)


class Slow(Watched):
    quick = False


@pytest.mark.parametrize(
    ("embedder", "text", "on_the_loop"),
    [(Watched(), "a word", True), (Watched(), LONG, False), (Slow(), "a word", False), (Slow(), LONG, False)],
)
async def test_only_a_turns_worth_of_text_for_a_quick_embedder_stays_on_the_loop(
    embedder: Watched, text: str, on_the_loop: bool
) -> None:
    await embed(embedder, [text])
    assert embedder.on_the_loop == [on_the_loop]


async def test_a_slow_embedder_gives_the_vectors_of_a_quick_one() -> None:
    texts = ["one", "two", "three", "four", "five"]
    assert np.array_equal(await embed(Slow(), texts), await embed(Watched(), texts))
