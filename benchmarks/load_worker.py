"""One process of a backend under load: an assistant, and the turns that it is asked for over a Unix socket.

`python -m benchmarks.load_worker SOCKET plain|advised` reads the settings as one line of JSON, says that it is ready,
and then answers each line `[number, user, conversation]` with `[number, outcome, microseconds, reply]`, in any order.
"""

import asyncio
import gc
import json
import sys
import time
from typing import Any

from benchmarks.load_words import said
from persona import AsyncAssistant, Settings
from persona.errors import PersonaError

ANSWERED = "answered"


_FROZEN_AFTER = 1_000  # turns


async def serve(path: str, advised: bool) -> None:
    """Serves turns until the socket ends. Advised, it collects garbage as docs/running.md says."""
    if advised:
        gc.set_threshold(50_000, 20, 100)
    reader, writer = await asyncio.open_unix_connection(path)
    settings = Settings.model_validate(json.loads(await reader.readline()))
    running: set[asyncio.Task[None]] = set()
    async with AsyncAssistant.open(settings, environment={}) as assistant:
        said(0)  # the texts are read before anybody waits for them
        _write(writer, ["ready"])
        turns = 0
        async for line in reader:
            turns += 1
            if advised and turns == _FROZEN_AFTER:
                gc.freeze()
            task = asyncio.create_task(_turn(assistant, writer, *json.loads(line)))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)


async def _turn(
    assistant: AsyncAssistant, writer: asyncio.StreamWriter, number: int, user: str, conversation: str
) -> None:
    chat = assistant.user(user).conversation(id=conversation, create=True)
    outcome, text, start = ANSWERED, "", time.perf_counter()
    try:
        text = (await chat.send(said(number))).text
    except PersonaError as error:
        outcome = type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is counted
        outcome = f"{type(error).__name__} (not persona's)"
    _write(writer, [number, outcome, round((time.perf_counter() - start) * 1e6), text])


def _write(writer: asyncio.StreamWriter, line: list[Any]) -> None:
    writer.write(json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2] == "advised"))
