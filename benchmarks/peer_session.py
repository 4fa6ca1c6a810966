"""The OpenAI Agents SDK's SQLite session, in the peers' environment: it keeps the two messages of a turn, no more."""

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from agents.memory import SQLiteSession

from benchmarks.figures import cpu_us_async
from benchmarks.texts import messages


async def main(rounds: int) -> None:
    """Adds a user's message and a reply, each in the transaction that the SDK gives it."""
    texts = iter(messages(2 * rounds + 4))
    with tempfile.TemporaryDirectory() as folder:
        session = SQLiteSession("c-1", Path(folder) / "peer.db")

        async def turn() -> None:
            await session.add_items([{"role": "user", "content": next(texts)}])
            await session.add_items([{"role": "assistant", "content": next(texts)}])

        found = await cpu_us_async(turn, rounds)
        session.close()
    print(json.dumps({"turn": asdict(found)}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
