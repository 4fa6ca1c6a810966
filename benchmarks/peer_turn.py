"""A turn put together from peers' parts, in their environment: history, trim, one user's memories, and keeping it.

The OpenAI Agents SDK's SQLite session reads the newest messages and keeps the two of the turn, LangChain trims them to
the budget and finds memories in a vector store of this user alone. Vectors are made beforehand; nothing is explained.
"""

import asyncio
import json
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from agents.memory import SQLiteSession
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages
from langchain_core.vectorstores import InMemoryVectorStore

from benchmarks.figures import cpu_us_async
from benchmarks.texts import counter, messages

_DIMENSION, _MEMORIES, _HISTORY = 256, 100, 130


class _Precomputed(Embeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        chance = random.Random(text)
        return [chance.gauss(0, 1) for _ in range(_DIMENSION)]


async def main(limit: int, rounds: int) -> None:
    """Turns of one conversation that fills the window."""
    count = counter()[1]
    memories = InMemoryVectorStore(_Precomputed())
    memories.add_texts(messages(_MEMORIES, seed=13))
    vector = _Precomputed().embed_query("query")
    texts = iter(messages(_HISTORY + 2 * rounds + 4))

    def tokens(said: list[BaseMessage]) -> int:
        return sum(count(str(one.content)) + 4 for one in said)

    with tempfile.TemporaryDirectory() as folder:
        session = SQLiteSession("c-1", Path(folder) / "peer.db")
        roles = ("user", "assistant")
        await session.add_items([{"role": roles[i % 2], "content": next(texts)} for i in range(_HISTORY)])

        async def turn() -> None:
            await session.add_items([{"role": "user", "content": next(texts)}])
            past = await session.get_items(limit=_HISTORY)
            said = [(HumanMessage if one["role"] == "user" else AIMessage)(one["content"]) for one in past]
            trim_messages(said, max_tokens=limit, strategy="last", token_counter=tokens)
            memories.similarity_search_by_vector(vector, k=5)
            await session.add_items([{"role": "assistant", "content": next(texts)}])

        found = await cpu_us_async(turn, rounds)
        session.close()
    print(json.dumps({"turn": asdict(found)}))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
