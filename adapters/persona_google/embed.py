"""Embeddings through the SDK: texts in, unit vectors out."""

import asyncio
from collections.abc import Sequence

import numpy as np
from google.genai.types import EmbedContentConfigDict, EmbedContentResponse
from numpy.typing import NDArray

from persona.adapter import Provider, valid
from persona.errors import BadReply, EmbedderMismatch, SettingsError
from persona_google.catalog import name_of
from persona_google.client import Connection, milliseconds
from persona_google.errors import UNREADABLE, Report, failure, translated
from persona_google.platform import Platform, check_model, platform_of

DIMENSIONS = {
    "gemini-embedding-2": 3072,
    "gemini-embedding-001": 3072,
    "text-embedding-005": 768,
    "text-multilingual-embedding-002": 768,
}

TASK = "SEMANTIC_SIMILARITY"
"""The one task in which stored texts and questions are embedded alike: an embedder is not told which it is given."""

TIMEOUT_S = 60.0
_WITHOUT_TASK = "gemini-embedding-2"  # it reads its task in the text itself


class GoogleEmbedder:
    """An embedding model, written `model`, or `model@dimension` for shorter vectors or an unknown model.

    Raises SettingsError when the dimension is neither known nor given.
    """

    def __init__(self, provider: Provider, model: str) -> None:
        self._provider = provider
        self._platform = platform_of(provider)
        self._model, self.dimension = _parsed(model)
        self.name = f"{provider.name}:{self._model}@{self.dimension}"
        self.batch_size = _batch_size(self._platform, self._model)
        self._connection: Connection | None = None

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
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _embedded(self, texts: list[str]) -> NDArray[np.float32]:
        check_model(self._provider, self._platform, self._model)
        if self._connection is None:
            self._connection = Connection(self._provider, self._platform)
        try:
            with translated(self._provider, self._model):
                async with asyncio.timeout(TIMEOUT_S):
                    response = await self._connection.models.embed_content(
                        model=self._model, contents=list(texts), config=self._config()
                    )
        except UNREADABLE:
            raise failure(Report(BadReply, cause="no JSON"), self._provider, self._model) from None
        return self._checked(response, len(texts))

    def _config(self) -> EmbedContentConfigDict:
        config: EmbedContentConfigDict = {"http_options": {"timeout": milliseconds(TIMEOUT_S)}}
        if not name_of(self._model).startswith(_WITHOUT_TASK):
            config["task_type"] = TASK
        if self.dimension != DIMENSIONS.get(name_of(self._model)):
            config["output_dimensionality"] = self.dimension
        return config

    def _checked(self, response: EmbedContentResponse, count: int) -> NDArray[np.float32]:
        vectors = [np.asarray(one.values or (), dtype=np.float32) for one in response.embeddings or ()]
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
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)  # the vendor's are of unit length at 3072 only
        return (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _batch_size(platform: Platform, model: str) -> int:
    """The most texts of one request: the Gemini API takes 100; on Vertex a Gemini model one, the older models by tokens
    (20,000 a request)."""
    if not platform.is_vertex:
        return 100
    return 1 if "gemini" in name_of(model) else 32


def _parsed(model: str) -> tuple[str, int]:
    name, _, dimension = model.rpartition("@")
    if name and dimension.isdecimal() and int(dimension) > 0:
        return name, int(dimension)
    if name_of(model) not in DIMENSIONS:
        raise SettingsError(
            f"the dimension of embedding model {model!r} is not known", hint=f"write it as {model}@<dimension>"
        )
    return model, DIMENSIONS[name_of(model)]
