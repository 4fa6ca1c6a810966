"""A peer's answer for one user in a shared store: run by `.venv-bench`, prints JSON."""

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
    if importlib.util.find_spec("faiss"):
        found |= _filtered_after(vectors, owners, questions)
    found |= _langchain(vectors, owners, questions)
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
            questions, lambda one: store.similarity_search_by_vector(one.tolist(), k=_TEN, filter={"user": 0})
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
    return {name: _timed(questions[:3], lambda one: [hit for hit, *_ in search(one.tolist(), _TEN, filter=mine)])}


def _timed(questions: Any, search: Any) -> dict[str, Any]:
    ids, taken = [], []
    for one in questions:
        start = time.process_time_ns()
        hits = search(one)
        taken.append((time.process_time_ns() - start) / 1e6)
        ids.append([int(hit.page_content) for hit in hits])
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


if __name__ == "__main__":
    main(sys.argv[1])
