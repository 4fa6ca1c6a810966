"""Embeddings over a real local server: unit vectors of the declared dimension, or an error that says why."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from persona_openai import adapter
from persona_openai.dialect import VENDOR
from persona_openai.embed import OpenAIEmbedder
from wire import WireServer

from persona import errors
from persona.adapter import Provider, Secret, is_local

RECORDED = json.loads((Path(__file__).parent / "recorded/openai_embeddings.json").read_text(encoding="utf-8"))


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
async def embedder(server: WireServer) -> AsyncIterator[OpenAIEmbedder]:
    embedder = OpenAIEmbedder(Provider("local", "openai", server.url, Secret("sk-test")), "bge-m3@8")
    yield embedder
    await embedder.close()


def rows(*vectors: list[Any], **more: Any) -> bytes:
    embedded = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return json.dumps({"object": "list", "model": "m", "data": embedded, **more}).encode()


async def test_vectors_are_unit_length_and_in_the_order_of_the_texts(
    server: WireServer, embedder: OpenAIEmbedder
) -> None:
    vectors = await embedder.embed_remotely(["one", "two", "one"])
    assert vectors.shape == (3, 8)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])


async def test_vectors_that_come_shuffled_are_put_in_order(server: WireServer, embedder: OpenAIEmbedder) -> None:
    shuffled = json.loads(rows([1.0] + [0.0] * 7, [0.0] * 7 + [1.0]))
    shuffled["data"].reverse()
    server.body(json.dumps(shuffled).encode())
    vectors = await embedder.embed_remotely(["a", "b"])
    assert [vector.argmax() for vector in vectors] == [0, 7]


async def test_packed_and_plain_vectors_are_the_same(server: WireServer) -> None:
    provider = Provider("local", "openai", server.url)
    plain, packed = OpenAIEmbedder(provider, "m@8"), OpenAIEmbedder(provider, "m@8")
    packed._dialect = replace(VENDOR)  # the vendor's dialect, at our own server
    assert np.allclose(await plain.embed_remotely(["x"]), await packed.embed_remotely(["x"]))
    assert [body["encoding_format"] for body in server.bodies] == ["float", "base64"]
    await plain.close()
    await packed.close()


async def test_the_recorded_exchange_is_repeated(server: WireServer) -> None:
    embedder = OpenAIEmbedder(Provider("local", "openai", server.url), "text-embedding-3-small@2")
    server.body(json.dumps(RECORDED["response"]).encode())
    vectors = await embedder.embed_remotely(["hi"])
    await embedder.close()
    assert server.bodies == [RECORDED["request"]["json"] | {"encoding_format": "float"}]
    assert np.allclose(vectors, np.array([[0.1, 0.2]]) / np.hypot(0.1, 0.2))


@pytest.mark.parametrize(
    ("model", "sent", "dimension"),
    [
        ("text-embedding-3-small", None, 1536),
        ("text-embedding-3-large", None, 3072),
        ("text-embedding-3-large@256", 256, 256),
        ("text-embedding-ada-002", None, 1536),
        ("@cf/baai/bge-base-en-v1.5@768", None, 768),
    ],
)
async def test_the_dimension_is_known_or_given_and_only_asked_of_those_who_take_it(
    model: str, sent: int | None, dimension: int, server: WireServer
) -> None:
    embedder = OpenAIEmbedder(Provider("local", "openai", server.url), model)
    server.dimension = dimension
    assert (await embedder.embed_remotely(["x"])).shape == (1, dimension)
    await embedder.close()
    assert server.bodies[0].get("dimensions") == sent
    assert embedder.name == f"local:{server.bodies[0]['model']}@{dimension}"


@pytest.mark.parametrize("model", ["nomic-embed-text", "nomic-embed-text@", "@768", "m@0", "m@-1"])
def test_a_model_of_unknown_dimension_is_a_settings_error(model: str) -> None:
    with pytest.raises(errors.SettingsError, match="@<dimension>"):
        OpenAIEmbedder(Provider("local", "openai", "http://127.0.0.1:1/v1"), model)


async def test_empty_texts_give_zeros_and_are_not_sent(server: WireServer, embedder: OpenAIEmbedder) -> None:
    vectors = await embedder.embed_remotely(["", "word", " \n"])
    assert server.bodies[0]["input"] == ["word"]
    assert vectors[[0, 2]].tolist() == np.zeros((2, 8)).tolist()
    assert (await embedder.embed_remotely(["", ""])).shape == (2, 8)
    assert (await embedder.embed_remotely([])).shape == (0, 8)
    assert len(server.requests) == 1


async def test_more_texts_than_a_batch_are_sent_in_several(server: WireServer, embedder: OpenAIEmbedder) -> None:
    vectors = await embedder.embed_remotely([str(n) for n in range(70)])
    assert [len(body["input"]) for body in server.bodies] == [32, 32, 6]
    assert np.array_equal(vectors[69], (await embedder.embed_remotely(["69"]))[0])


async def test_a_lone_surrogate_is_embedded_as_the_replacement_character(
    server: WireServer, embedder: OpenAIEmbedder
) -> None:
    await embedder.embed_remotely(["a\ud800"])
    assert server.bodies[0]["input"] == ["a\ufffd"]


async def test_a_zero_vector_stays_zero(server: WireServer, embedder: OpenAIEmbedder) -> None:
    server.body(rows([0.0] * 8))
    assert not (await embedder.embed_remotely(["x"])).any()


async def test_a_vector_of_another_dimension_is_a_mismatch_that_names_it(
    server: WireServer, embedder: OpenAIEmbedder
) -> None:
    server.body(rows([1.0, 2.0]))
    with pytest.raises(errors.EmbedderMismatch, match="bge-m3@2"):
        await embedder.embed_remotely(["x"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b"null",
        rows(),
        rows([1.0] * 8, [1.0] * 8),
        rows([float("nan")] * 8),
        rows(["x"] * 8),
        json.dumps({"data": [{"index": 0, "embedding": "not base64!"}]}).encode(),
    ],
)
async def test_a_body_that_breaks_the_protocol_is_a_bad_reply(
    body: bytes, server: WireServer, embedder: OpenAIEmbedder
) -> None:
    server.body(body)
    with pytest.raises(errors.BadReply):
        await embedder.embed_remotely(["x"])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AuthenticationFailed),
        (404, errors.ModelNotFound),
        (429, errors.RateLimited),
        (500, errors.ProviderUnavailable),
    ],
)
async def test_a_status_becomes_an_error_of_persona(
    status: int, kind: type[errors.ProviderError], server: WireServer, embedder: OpenAIEmbedder
) -> None:
    server.fail(status)
    with pytest.raises(kind) as caught:
        await embedder.embed_remotely(["x"])
    assert caught.value.target == "local:bge-m3"


async def test_a_reset_is_a_failed_connection_and_cancelling_hangs_up(
    server: WireServer, embedder: OpenAIEmbedder
) -> None:
    server.reset()
    with pytest.raises(errors.ConnectionFailed):
        await embedder.embed_remotely(["x"])
    server.hang()
    task = asyncio.create_task(embedder.embed_remotely(["x"]))
    await asyncio.to_thread(server.wait_for_requests, 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.wait_for_hang_up)


def test_the_adapter_offers_a_remote_embedder() -> None:
    assert adapter.embed is not None
    embedder = adapter.embed(Provider("main", "openai"), "text-embedding-3-small")
    assert not is_local(embedder)
    assert (embedder.name, embedder.batch_size) == ("main:text-embedding-3-small@1536", 128)
