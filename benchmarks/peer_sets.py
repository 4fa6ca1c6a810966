"""A peer's memory on one set of conversations, with vectors that are given to it: run by `.venv-bench-memory`.

`python -m benchmarks.peer_sets NAME FOLDER` prints JSON: for every person and question the ids of the ten hits, and
the CPU of one addition and of one search. It reaches no network, and no language model.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

_TEN = 10
Add = Callable[[str, str, str], object]
"""Takes a person, the id of a turn and its text in."""
Search = Callable[[str, str], list[str]]
"""The ids of the ten hits for a person's question, best first."""
Vector = Callable[[str], list[float]]


def main(name: str, folder: str) -> None:
    """Feeds the peer called `name` with what everybody said, then asks it everything."""
    _stay_on_this_machine()
    written = json.loads(Path(folder, "set.json").read_text(encoding="utf-8"))
    vectors = dict(zip(written["texts"], np.load(Path(folder, "vectors.npy")).tolist(), strict=True))
    with TemporaryDirectory() as place:
        add, search = PEERS[name](vectors.__getitem__, len(next(iter(vectors.values()))), place)
        adding = [_timed(add, who, *turn)[1] for who, one in written["people"].items() for turn in one["said"]]
        answers, asking = {}, []
        for who, one in written["people"].items():
            found = [_timed(search, who, question) for question in one["asked"]]
            answers[who] = [ids for ids, _ in found]
            asking += [taken for _, taken in found]
    print(json.dumps({"answers": answers, "add_ms": median(adding), "search_ms": median(asking)}))


def _stay_on_this_machine() -> None:
    def refused(*_: object) -> None:
        raise OSError("a peer tried to reach a network")

    socket.socket.connect = refused  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = refused  # type: ignore[assignment]
    os.environ |= {"MEM0_TELEMETRY": "False", "ANONYMIZED_TELEMETRY": "False", "LANGSMITH_TRACING": "false"}


def _timed(call: Callable[..., Any], *arguments: str) -> tuple[Any, float]:
    start = time.process_time_ns()
    found = call(*arguments)
    return found, (time.process_time_ns() - start) / 1e6


def _langchain(vector: Vector, _: int, __: str) -> tuple[Add, Search]:
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    class Given(Embeddings):
        """Vectors are given, never made."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [vector(text) for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return vector(text)

    store = InMemoryVectorStore(Given())

    def search(who: str, question: str) -> list[str]:
        hits = store.similarity_search(question, k=_TEN, filter=lambda hit: hit.metadata["user"] == who)
        return [hit.metadata["id"] for hit in hits]

    return lambda who, id, text: store.add_texts([text], [{"user": who, "id": id}]), search


def _langgraph(vector: Vector, dimension: int, _: str) -> tuple[Add, Search]:
    from langgraph.store.memory import InMemoryStore

    store = InMemoryStore(
        index={"dims": dimension, "embed": lambda texts: [vector(text) for text in texts], "fields": ["text"]}
    )
    return (
        lambda who, id, text: store.put((who,), id, {"text": text}),
        lambda who, question: [hit.key for hit in store.search((who,), query=question, limit=_TEN)],
    )


def _llama_index(vector: Vector, _: int, __: str) -> tuple[Add, Search]:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import MetadataFilter, MetadataFilters

    class Given(BaseEmbedding):  # type: ignore[misc]
        """Vectors are given, never made."""

        def _get_text_embedding(self, text: str) -> list[float]:
            return vector(text)

        def _get_query_embedding(self, query: str) -> list[float]:
            return vector(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return vector(query)

    index = VectorStoreIndex(nodes=[], embed_model=Given())

    def add(who: str, id: str, text: str) -> None:
        own = {"user": who, "id": id}
        index.insert_nodes([TextNode(text=text, metadata=own, excluded_embed_metadata_keys=list(own))])

    def search(who: str, question: str) -> list[str]:
        mine = MetadataFilters(filters=[MetadataFilter(key="user", value=who)])
        hits = index.as_retriever(similarity_top_k=_TEN, filters=mine).retrieve(question)
        return [hit.node.metadata["id"] for hit in hits]

    return add, search


def _mem0(vector: Vector, dimension: int, place: str) -> tuple[Add, Search]:
    os.environ["MEM0_DIR"] = place
    from mem0 import Memory

    class Given:
        """Vectors are given, never made."""

        def embed(self, text: str, memory_action: str | None = None) -> list[float]:
            return vector(text)

        def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
            return [vector(text) for text in texts]

    store = {"path": f"{place}/vectors", "embedding_model_dims": dimension}
    memory = Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": store},
            "embedder": {"provider": "openai", "config": {"api_key": "none", "embedding_dims": dimension}},
            "llm": {"provider": "openai", "config": {"api_key": "none"}},
            "history_db_path": f"{place}/history.db",
        }
    )
    memory.embedding_model = Given()

    def search(who: str, question: str) -> list[str]:  # as it comes, it leaves out what is under a cosine of 0.1
        hits = memory.search(question, filters={"user_id": who}, top_k=_TEN)
        return [hit["metadata"]["turn"] for hit in hits["results"]]

    return lambda who, id, text: memory.add(text, user_id=who, infer=False, metadata={"turn": id}), search


PEERS: dict[str, Callable[[Vector, int, str], tuple[Add, Search]]] = {
    "LangChain InMemoryVectorStore": _langchain,
    "LangGraph InMemoryStore": _langgraph,
    "LlamaIndex VectorStoreIndex": _llama_index,
    "mem0, infer=False": _mem0,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
