from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_rows import TinyEmbedder
from numpy.typing import NDArray

from persona.errors import EmbedderMismatch
from persona.memory.embedding import embed, searched_text
from persona.memory.vectors import check, pack, unpack, widened


class FarEmbedder(TinyEmbedder):
    """The same over a network, as far as persona can tell."""

    async def embed_remotely(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return TinyEmbedder.embed(self, texts)

    async def close(self) -> None:
        """Nothing is open."""

    embed = None  # type: ignore[assignment]


@given(st.integers(0, 5), st.integers(1, 40), st.randoms(use_true_random=False))
def test_vectors_come_back_as_packed_but_for_the_rounding(rows: int, dimension: int, rng: object) -> None:
    draw = np.random.default_rng(rng.getrandbits(32))  # type: ignore[attr-defined]
    vectors = draw.normal(size=(rows, dimension)).astype(np.float32)
    packed = pack(vectors)
    assert [len(vector) for vector in packed] == [2 * dimension] * rows
    back = unpack(packed)
    assert (back.dtype, len(back)) == (np.float32, rows)
    assert np.allclose(back.reshape(vectors.shape), vectors, atol=1e-3, rtol=1e-3)
    assert pack(back) == packed


def test_packed_vectors_are_little_endian_halves() -> None:
    assert pack(np.array([[1.0, -2.0]], np.float32)) == [b"\x00\x3c\x00\xc0"]


def test_halves_are_widened_to_the_same_numbers() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)].reshape(-1, 2)
    assert np.array_equal(widened(finite).view(np.int32), finite.astype(np.float32).view(np.int32))


@pytest.mark.parametrize("packed", [[b"ab", b"abcd"], [b"abc"], [b""]])
def test_vectors_of_odd_sizes_are_refused(packed: list[bytes]) -> None:
    with pytest.raises(EmbedderMismatch):
        unpack(packed)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda vectors: vectors[:, :-1],
        lambda vectors: vectors[:-1],
        lambda vectors: vectors.astype(np.float64),
        lambda vectors: vectors.tolist(),
        lambda vectors: np.full_like(vectors, np.nan),
        lambda vectors: np.full_like(vectors, np.inf),
        lambda vectors: vectors * np.float32(2),
    ],
)
def test_vectors_that_the_embedder_did_not_declare_are_refused(
    spoil: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> None:
    embedder = TinyEmbedder()
    vectors = embedder.embed(["rain", "", "snow"])
    check(embedder, vectors, 3)
    with pytest.raises(EmbedderMismatch, match="tiny-1"):
        check(embedder, spoil(vectors), 3)


@pytest.mark.parametrize("kind", [TinyEmbedder, FarEmbedder])
async def test_texts_are_embedded_in_batches_and_in_order(kind: type[TinyEmbedder]) -> None:
    embedder = kind()
    texts = [f"text number {at}" for at in range(8)]
    vectors = await embed(embedder, texts)
    assert embedder.batches == [3, 3, 2]
    assert np.array_equal(vectors, TinyEmbedder().embed(texts))


async def test_no_texts_give_no_vectors() -> None:
    assert (await embed(TinyEmbedder(), [])).shape == (0, 32)


async def test_an_embedder_that_breaks_its_word_is_named() -> None:
    liar = TinyEmbedder()
    liar.embed = lambda texts: np.zeros((len(texts), 7), np.float32)  # type: ignore[method-assign]
    with pytest.raises(EmbedderMismatch, match="'tiny-1' gave shape"):
        await embed(liar, ["rain"])


def test_a_heading_is_searched_with_its_text() -> None:
    assert searched_text("9 h", "Samedi") == "Samedi\n9 h"
    assert searched_text("9 h") == "9 h"
