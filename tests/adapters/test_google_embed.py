"""Google's embeddings over a real local server: unit vectors of the declared dimension, or an error that says why."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
from persona_google import adapter
from persona_google.embed import GoogleEmbedder
from wire import WireServer
from wires.google import GOOGLE, embeddings

from persona import errors
from persona.adapter import Provider, Secret, is_local

ON_VERTEX = {"project": "proj", "location": "us-central1"}
GEMINI = "gemini-embedding-001"


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(GOOGLE) as server:
        server.answer = lambda body: embeddings(body, 3072)
        yield server


@pytest.fixture
async def embedder(server: WireServer) -> AsyncIterator[GoogleEmbedder]:
    embedder = made(server, f"{GEMINI}@8")
    yield embedder
    await embedder.close()


def made(server: WireServer, model: str, **options: Any) -> GoogleEmbedder:
    return GoogleEmbedder(Provider("local", "google", server.origin, Secret("gk"), **options), model)


async def test_vectors_are_unit_length_and_in_the_order_of_the_texts(
    server: WireServer, embedder: GoogleEmbedder
) -> None:
    vectors = await embedder.embed_remotely(["one", "two", "one"])
    assert vectors.shape == (3, 8)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])


async def test_a_request_asks_for_the_dimension_and_for_the_task_of_comparing(
    server: WireServer, embedder: GoogleEmbedder
) -> None:
    await embedder.embed_remotely(["a", "lone \ud800"])
    (request,) = server.requests
    assert request.path == f"/v1/models/{GEMINI}:batchEmbedContents"
    assert request.headers["x-goog-api-key"] == "gk"
    assert [one["content"]["parts"] for one in request.body["requests"]] == [[{"text": "a"}], [{"text": "lone \ufffd"}]]
    assert {one["taskType"] for one in request.body["requests"]} == {"SEMANTIC_SIMILARITY"}
    assert {one["outputDimensionality"] for one in request.body["requests"]} == {8}


async def test_the_whole_dimension_is_not_asked_for_and_a_newer_model_gets_no_task(server: WireServer) -> None:
    for model in (GEMINI, "gemini-embedding-2"):
        embedder = made(server, model)
        assert (await embedder.embed_remotely(["a"])).shape == (1, embedder.dimension) == (1, 3072)
        await embedder.close()
    first, second = (body["requests"][0] for body in server.bodies)
    assert "outputDimensionality" not in first
    assert second.keys() == {"content", "model"}


@pytest.mark.parametrize(
    ("model", "method", "batch"),
    [(f"{GEMINI}@8", "embedContent", 1), ("text-embedding-005@8", "predict", 32)],
)
async def test_vertex_is_asked_in_its_own_way(model: str, method: str, batch: int, server: WireServer) -> None:
    embedder = made(server, model, options=ON_VERTEX)
    vectors = await embedder.embed_remotely(["one", "two"])
    await embedder.close()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert embedder.batch_size == batch
    path = "/v1beta1/projects/proj/locations/us-central1/publishers/google/models/"
    assert {request.path for request in server.requests} == {f"{path}{model.removesuffix('@8')}:{method}"}
    assert len(server.requests) == (2 if batch == 1 else 1)


async def test_an_empty_text_is_zeros_and_is_not_sent(server: WireServer, embedder: GoogleEmbedder) -> None:
    vectors = await embedder.embed_remotely(["", "x", " \n"])
    assert [bool(vector.any()) for vector in vectors] == [False, True, False]
    assert (await embedder.embed_remotely([""])).shape == (1, 8)
    assert (await embedder.embed_remotely([])).shape == (0, 8)
    assert len(server.requests) == 1
    assert len(server.bodies[0]["requests"]) == 1


async def test_many_texts_are_sent_in_batches_that_the_api_takes(server: WireServer, embedder: GoogleEmbedder) -> None:
    texts = [f"text {n}" for n in range(250)]
    vectors = await embedder.embed_remotely(texts)
    assert [len(body["requests"]) for body in server.bodies] == [100, 100, 50]
    assert np.array_equal(vectors[249], (await embedder.embed_remotely([texts[249]]))[0])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", errors.BadReply),
        (b"<html>", errors.BadReply),
        (b"[1]", errors.BadReply),
        (b'{"embeddings": []}', errors.BadReply),
        (b'{"embeddings": [{}]}', errors.EmbedderMismatch),
        (b'{"embeddings": [{"values": [1, 2]}]}', errors.EmbedderMismatch),
        (b'{"embeddings": [{"values": ["x"]}]}', errors.BadReply),
        (b'{"embeddings": [{"values": [NaN, 1, 1, 1, 1, 1, 1, 1]}]}', errors.BadReply),
    ],
)
async def test_an_answer_that_is_none_is_an_error(
    body: bytes, kind: type[errors.PersonaError], server: WireServer, embedder: GoogleEmbedder
) -> None:
    server.body(body)
    with pytest.raises(kind):
        await embedder.embed_remotely(["x"])


async def test_a_vector_of_zeros_stays_one(server: WireServer, embedder: GoogleEmbedder) -> None:
    server.body(json.dumps({"embeddings": [{"values": [0.0] * 8}]}).encode())
    assert not (await embedder.embed_remotely(["x"])).any()


async def test_a_failure_is_the_same_error_as_in_chat(server: WireServer, embedder: GoogleEmbedder) -> None:
    server.fail(429, body=b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "gk"}}')
    with pytest.raises(errors.RateLimited, match="local:gemini-embedding-001: too many"):
        await embedder.embed_remotely(["x"])


async def test_cancelling_closes_the_connection(server: WireServer, embedder: GoogleEmbedder) -> None:
    server.hang()
    task = asyncio.create_task(embedder.embed_remotely(["x"]))
    await asyncio.to_thread(server.wait_for_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.wait_for_hang_up)


def test_an_embedder_is_named_by_its_provider_model_and_dimension() -> None:
    assert adapter.embed is not None
    embedder = adapter.embed(Provider("main", "google"), f"{GEMINI}@256")
    assert (embedder.name, embedder.dimension, is_local(embedder)) == (f"main:{GEMINI}@256", 256, False)


@pytest.mark.parametrize("model", ["unknown-model", "unknown-model@0", "@8", "unknown-model@x"])
def test_an_unknown_dimension_is_a_settings_error(model: str) -> None:
    assert adapter.embed is not None
    with pytest.raises(errors.SettingsError, match="@<dimension>"):
        adapter.embed(Provider("main", "google"), model)
