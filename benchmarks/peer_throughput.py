"""Peers that send the same messages again and again, each in its own environment, with no memory and no store.

`python -m benchmarks.peer_throughput SYSTEM BASE_URL MESSAGES.json`; what can be made beforehand is.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.lanes import Call, race

Messages = list[dict[str, str]]

_KEY, _MODEL = "no-key", "instant"


def _create(base_url: str, messages: Messages) -> Call:
    from openai import AsyncOpenAI

    create = AsyncOpenAI(api_key=_KEY, base_url=base_url, max_retries=0).chat.completions.create
    return lambda: create(model=_MODEL, messages=messages)  # type: ignore[arg-type]  # they are its own dicts


def _post(base_url: str, messages: Messages) -> Call:
    from httpx2 import Response
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=_KEY, base_url=base_url, max_retries=0)
    body = {"model": _MODEL, "messages": messages}

    async def call() -> object:
        return json.loads((await client.post("/chat/completions", body=body, cast_to=Response)).content)

    return call


def _litellm(base_url: str, messages: Messages) -> Call:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or its import waits for a download
    import litellm

    return lambda: litellm.acompletion(
        model=f"openai/{_MODEL}", messages=messages, api_base=base_url, api_key=_KEY, max_retries=0
    )


def _pydantic_ai(base_url: str, messages: Messages) -> Call:
    from pydantic_ai import Agent
    from pydantic_ai.messages import (
        ModelMessage,
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        UserPromptPart,
    )
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(OpenAIChatModel(_MODEL, provider=OpenAIProvider(base_url=base_url, api_key=_KEY)))
    made: dict[str, Callable[[str], ModelMessage]] = {
        "system": lambda text: ModelRequest([SystemPromptPart(text)]),
        "user": lambda text: ModelRequest([UserPromptPart(text)]),
        "assistant": lambda text: ModelResponse([TextPart(text)]),
    }
    *past, last = messages
    history = [made[one["role"]](one["content"]) for one in past]
    return lambda: agent.run(last["content"], message_history=history)


SYSTEMS: dict[str, Callable[[str, Messages], Call]] = {
    "create": _create,
    "post": _post,
    "litellm": _litellm,
    "pydantic-ai": _pydantic_ai,
}


async def main(system: str, base_url: str, messages: Messages) -> None:
    """Rounds of one system."""
    call = SYSTEMS[system](base_url, messages)

    async def prepare(number: int) -> Sequence[Call]:
        return [call] * number

    await race(prepare)


if __name__ == "__main__":
    name, url, path = sys.argv[1:]
    asyncio.run(main(name, url, json.loads(Path(path).read_bytes())))
