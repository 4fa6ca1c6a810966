"""Embeddings over the SDK's own transport: texts in, unit vectors out."""

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray
from openai import AsyncOpenAI

from persona.adapter import Provider, valid
from persona.errors import BadReply, EmbedderMismatch, SettingsError
from persona_openai.client import connect, timeout_of
from persona_openai.dialect import dialect_of
from persona_openai.errors import Report, failure, report_in, translated

DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
SHORTENED = "text-embedding-3-"
"""The family that takes a `dimensions` option; for other models some servers refuse it."""

TIMEOUT_S = 60.0


class OpenAIEmbedder:
    """An embedding model, written `model`, or `model@dimension` where the dimension is not known here.

    `text-embedding-3-*@256` asks the vendor for shorter vectors. Raises SettingsError when the dimension is
    neither known nor given.
    """

    def __init__(self, provider: Provider, model: str) -> None:
        self._provider = provider
        self._dialect = dialect_of(provider)
        self._model, self.dimension = _parsed(model)
        self.name = f"{provider.name}:{self._model}@{self.dimension}"
        self.batch_size = self._dialect.embedding_batch
        self._client: AsyncOpenAI | None = None

    async def embed_remotely(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dimension); zeros for an empty text, which the API refuses."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            vectors[batch] = await self._embedded([valid(texts[row]) for row in batch])
        return vectors

    async def close(self) -> None:
        """Frees the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _embedded(self, texts: list[str]) -> NDArray[np.float32]:
        if self._client is None:
            self._client = connect(self._provider)
        timeout = timeout_of(self._provider, TIMEOUT_S)
        with translated(self._provider, self._model):
            async with asyncio.timeout(TIMEOUT_S):
                response = await self._client.post(
                    "/embeddings",
                    body=self._body(texts),
                    options={"timeout": timeout},
                    cast_to=httpx2.Response,
                )
        try:
            body = json.loads(response.content)
            if report := report_in(body):
                raise failure(report, self._provider, self._model)
            rows = sorted(body["data"], key=lambda row: row["index"])
            vectors = [_floats(row["embedding"]) for row in rows]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise failure(Report(BadReply, cause="no embeddings"), self._provider, self._model) from None
        return self._checked(vectors, len(texts))

    def _body(self, texts: list[str]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "input": texts,
            # base64 costs a quarter of the bytes; not every compatible server speaks it
            "encoding_format": "base64" if self._dialect.packed_vectors else "float",
        }
        if self._model.startswith(SHORTENED) and self.dimension != DIMENSIONS.get(self._model):
            body["dimensions"] = self.dimension
        return body

    def _checked(self, vectors: list[NDArray[np.float32]], count: int) -> NDArray[np.float32]:
        if len(vectors) != count:
            report = Report(BadReply, cause=f"{len(vectors)} vectors for {count} texts")
            raise failure(report, self._provider, self._model)
        wrong = next((vector for vector in vectors if vector.shape != (self.dimension,)), None)
        if wrong is not None:
            raise EmbedderMismatch(
                f"{self.name} gave a vector of {wrong.size} numbers instead of {self.dimension}",
                hint=f"write the embedder as {self._model}@{wrong.size}, and let it index again",
            )
        matrix = np.stack(vectors)
        if not np.isfinite(matrix).all():
            raise failure(Report(BadReply, cause="a vector is not finite"), self._provider, self._model)
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        return (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _parsed(model: str) -> tuple[str, int]:
    name, _, dimension = model.rpartition("@")
    if name and dimension.isdecimal() and int(dimension) > 0:
        return name, int(dimension)
    if model not in DIMENSIONS:
        raise SettingsError(
            f"the dimension of embedding model {model!r} is not known",
            hint=f"write it as {model}@<dimension>",
        )
    return model, DIMENSIONS[model]


def _floats(embedding: object) -> NDArray[np.float32]:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)
