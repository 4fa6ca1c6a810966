"""A peer's answer for one user in a shared store: run by `.venv-bench` and `.venv-bench-memory`, prints JSON."""

import importlib.util
import json
import sys
import time
from statistics import median
from typing import Any

import numpy as np

_TEN = 10


def main(path: str) -> None:
    """The ten hits that each store gives user 0 for every question, and the CPU of one search."""
    data = np.load(path)
    vectors, owners, questions = data["vectors"], data["owners"], data["questions"]
    found: dict[str, Any] = {}
    for library, asked in _PEERS:
        if importlib.util.find_spec(library):
            found |= asked(vectors, owners, questions)
    print(json.dumps(found))


def _filtered_after(vectors: Any, owners: Any, questions: Any) -> dict[str, Any]:
    """LangChain's FAISS store: it fetches the 20 nearest of everybody (its default), then filters."""
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore
    from langchain_community.vectorstores import FAISS

    index = faiss.IndexFlatIP(vectors.shape[1])
    store = FAISS(_Fixed(), index, InMemoryDocstore(), {})
    pairs = [(str(at), one) for at, one in enumerate(vectors)]
    store.add_embeddings(pairs, metadatas=[{"user": int(one)} for one in owners])
    return {
        "LangChain FAISS, filter={'user': 0}": _timed(
            questions,
            lambda one: [
                hit.page_content for hit in store.similarity_search_by_vector(one.tolist(), k=_TEN, filter={"user": 0})
            ],
        )
    }


def _langchain(vectors: Any, owners: Any, questions: Any) -> dict[str, Any]:
    """LangChain's store in memory: it filters before, and goes over everybody's rows for it."""
    from langchain_core.vectorstores import InMemoryVectorStore

    store = InMemoryVectorStore(_Fixed())
    for at, (one, owner) in enumerate(zip(vectors.tolist(), owners.tolist(), strict=True)):
        store.store[str(at)] = {"id": str(at), "vector": one, "text": str(at), "metadata": {"user": owner}}
    name = "LangChain InMemoryVectorStore with a filter"
    search = store._similarity_search_with_score_by_vector
    mine = lambda document: document.metadata["user"] == 0  # noqa: E731
    return {
        name: _timed(
            questions[:3], lambda one: [hit.page_content for hit, *_ in search(one.tolist(), _TEN, filter=mine)]
        )
    }


def _llama_index(vectors: Any, owners: Any, questions: Any) -> dict[str, Any]:
    """LlamaIndex's own store: it filters before, and goes over everybody's rows for it."""
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import (
        MetadataFilter,
        MetadataFilters,
        SimpleVectorStore,
        VectorStoreQuery,
    )

    store = SimpleVectorStore()
    rows = enumerate(zip(vectors.tolist(), owners.tolist(), strict=True))
    store.add([TextNode(id_=str(at), text="", embedding=one, metadata={"user": owner}) for at, (one, owner) in rows])
    mine = MetadataFilters(filters=[MetadataFilter(key="user", value=0)])

    def search(one: Any) -> list[str]:
        asked = VectorStoreQuery(query_embedding=one.tolist(), similarity_top_k=_TEN, filters=mine)
        return list(store.query(asked).ids)

    return {"LlamaIndex SimpleVectorStore with a filter": _timed(questions[:3], search)}


def _langgraph(vectors: Any, owners: Any, questions: Any) -> dict[str, Any]:
    """LangGraph's store in memory: a namespace for each user, as ours is an index for each."""
    from langgraph.store.memory import InMemoryStore

    given = {str(at): one.tolist() for at, one in enumerate(vectors)}
    given |= {f"? {at}": one.tolist() for at, one in enumerate(questions)}
    embedded = {"dims": vectors.shape[1], "embed": lambda texts: [given[text] for text in texts], "fields": ["text"]}
    store = InMemoryStore(index=embedded)
    for at, owner in enumerate(owners.tolist()):
        store.put((str(owner),), str(at), {"text": str(at)})

    def search(at: int) -> list[str]:
        return [hit.key for hit in store.search(("0",), query=f"? {at}", limit=_TEN)]

    return {"LangGraph InMemoryStore, a namespace for each user": _timed(range(len(questions)), search)}


def _timed(questions: Any, search: Any) -> dict[str, Any]:
    ids, taken = [], []
    for one in questions:
        start = time.process_time_ns()
        hits = search(one)
        taken.append((time.process_time_ns() - start) / 1e6)
        ids.append([int(hit) for hit in hits])
    return {"ids": ids, "cpu_ms": median(taken)}


def _Fixed() -> Any:  # noqa: N802
    from langchain_core.embeddings import Embeddings

    class Fixed(Embeddings):
        """Vectors are given, never made."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

        def embed_query(self, text: str) -> list[float]:
            raise NotImplementedError

    return Fixed()


_PEERS = (
    ("langchain_community", _filtered_after),
    ("langchain_community", _langchain),
    ("llama_index", _llama_index),
    ("langgraph", _langgraph),
)


if __name__ == "__main__":
    main(sys.argv[1])
