"""What an adapter costs on a call, above bare HTTP and beside its vendor's SDK, and how late the first word is.

A server in a process of its own answers at once in each vendor's format. The bare call writes the same body with
httpx2 and parses the answer; the SDK is given its own types, as its documentation shows it.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import anthropic
import httpx2
import openai
import persona_anthropic.convert
import persona_google.convert
import persona_openai.convert
from google import genai
from google.genai import types
from persona_anthropic.chat import AnthropicChat
from persona_google.chat import GoogleChat
from persona_openai.chat import OpenAIChat

from benchmarks.figures import Row, Table, Timing, cpu_us_async, row, timing_of
from benchmarks.peers import ROOT
from benchmarks.texts import messages
from persona.adapter import ChatModel, Provider, Secret
from persona.values.message import Message, say
from persona.values.request import Request, TextDelta

_LENGTHS = (6, 130)  # messages, with instructions
_ABOVE_MS = {6: 0.7, 130: 1.2}  # what the leanest adapter may cost above the bare call
_SHARE_OF_SDK = 0.5
_FIRST_MS = 1.0
_KEY, _MODEL = "no-key", "m"
_BATCH = 10  # calls of one system before it is another's turn: the load of this machine changes

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One adapter, its SDK, and where a bare request goes. `above` is the reach above it in ms, by messages."""

    name: str
    chat: Callable[[str], ChatModel]
    sdk: Callable[[str], Callable[[tuple[Message, ...]], Awaitable[object]]]
    to_wire: Callable[[Request], dict[str, Any]]
    path: str
    key: str
    above: Mapping[int, float]
    share: float | None = None


def run(quick: bool) -> list[Table]:
    """CPU of a whole call by messages, and the way of the first streamed word."""
    return asyncio.run(_run(5 if quick else 20))


async def _run(rounds: int) -> list[Table]:
    async with _server() as url:
        tables = [await _whole(url, number, rounds) for number in _LENGTHS]
        return [*tables, await _first_words(url, rounds * 5)]


async def _whole(url: str, number: int, rounds: int) -> Table:
    rows: list[Row] = []
    said = _said(number)
    for vendor in _VENDORS:
        model, sdk = vendor.chat(url), vendor.sdk(url)
        async with httpx2.AsyncClient() as http:
            calls = (partial(_bare, http, url, vendor, said), partial(_ours, model, said), partial(sdk, said))
            bare, ours, theirs = await _in_turn(calls, rounds)
        await model.close()
        above = (ours.median - bare.median) / 1e3
        rows += [
            row(f"{vendor.name}, the adapter", ours, per=1e3),
            row(f"{vendor.name}, the same body with httpx2", bare, "limit", per=1e3),
            row(f"{vendor.name}, its SDK with its own types", theirs, "peer", per=1e3),
            Row(f"{vendor.name}, the adapter above httpx2", above, reach=vendor.above.get(number)),
        ]
        if vendor.share and number == _LENGTHS[-1]:
            share = ours.median / theirs.median
            rows.append(Row(f"{vendor.name}, the adapter's share of its SDK (times)", share, reach=vendor.share))
    return Table(f"a call of {number} messages", "ms of CPU", tuple(rows))


async def _first_words(url: str, rounds: int) -> Table:
    rows = []
    for vendor in _VENDORS:
        model = vendor.chat(url)
        taken = [await _first_word(model) for _ in range(rounds + 1)]
        await model.close()
        name = f"{vendor.name}: from the server's write until the adapter gives it, one stream"
        rows.append(row(name, timing_of(taken), reach=_FIRST_MS, per=1e3))
    return Table("the first streamed word", "ms", tuple(rows))


async def _in_turn(calls: tuple[Call, ...], rounds: int) -> list[Timing]:
    """The calls' timings, each system's in small batches between the others'."""
    taken: list[list[Timing]] = [[] for _ in calls]
    for call in calls:
        await call()
    for _ in range(rounds):
        for call, own in zip(calls, taken, strict=True):
            own.append(await cpu_us_async(call, _BATCH))
    return [_middle(own) for own in taken]


def _middle(batches: list[Timing]) -> Timing:
    """The batch in the middle by its median, with the first one's cold call."""
    middle = sorted(batches, key=lambda one: one.median)[len(batches) // 2]
    return Timing(middle.median, middle.p95, batches[0].cold)


async def _ours(model: ChatModel, said: tuple[Message, ...]) -> object:
    async with aclosing(model.call(Request(_MODEL, said))) as deltas:  # type: ignore[type-var]  # an async generator
        return [delta async for delta in deltas]


async def _bare(http: httpx2.AsyncClient, url: str, vendor: Vendor, said: tuple[Message, ...]) -> object:
    body = json.dumps(vendor.to_wire(Request(_MODEL, said)))
    headers = {"content-type": "application/json", vendor.key: _KEY}
    return json.loads((await http.post(f"{url}{vendor.path}", content=body, headers=headers)).content)


async def _first_word(model: ChatModel) -> int:
    """Nanoseconds that the first word of a stream was on its way."""
    on_its_way = 0
    async with aclosing(model.call(Request(_MODEL, _said(6), stream=True))) as deltas:  # type: ignore[type-var]
        async for delta in deltas:
            if isinstance(delta, TextDelta) and not on_its_way:
                on_its_way = time.monotonic_ns() - int(delta.text)
    return on_its_way


def _said(number: int) -> tuple[Message, ...]:
    texts = messages(number, seed=5)
    turns = [say("user" if index % 2 == 0 else "assistant", text) for index, text in enumerate(texts[1:])]
    return (say("system", texts[0]), *turns)


def _provider(kind: str, url: str) -> Provider:
    return Provider(kind, kind, url, Secret(_KEY))


def _openai_sdk(url: str) -> Callable[[tuple[Message, ...]], Awaitable[object]]:
    create = openai.AsyncOpenAI(api_key=_KEY, base_url=f"{url}/v1", max_retries=0).chat.completions.create

    def call(said: tuple[Message, ...]) -> Awaitable[object]:
        turns: Any = [{"role": message.role, "content": message.text} for message in said]
        return create(model=_MODEL, messages=turns)

    return call


def _anthropic_sdk(url: str) -> Callable[[tuple[Message, ...]], Awaitable[object]]:
    create = anthropic.AsyncAnthropic(api_key=_KEY, base_url=url, max_retries=0).messages.create

    def call(said: tuple[Message, ...]) -> Awaitable[object]:
        turns: Any = [{"role": message.role, "content": message.text} for message in said[1:]]
        return create(model=_MODEL, max_tokens=100, system=said[0].text, messages=turns)

    return call


def _google_sdk(url: str) -> Callable[[tuple[Message, ...]], Awaitable[object]]:
    client = genai.Client(api_key=_KEY, http_options=types.HttpOptions(base_url=url))

    def call(said: tuple[Message, ...]) -> Awaitable[object]:
        roles = {"user": "user", "assistant": "model"}
        turns: Any = [types.Content(role=roles[m.role], parts=[types.Part(text=m.text)]) for m in said[1:]]
        config = types.GenerateContentConfig(system_instruction=said[0].text)
        return client.aio.models.generate_content(model=_MODEL, contents=turns, config=config)

    return call


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    command = (sys.executable, "-m", "benchmarks.adapters_server")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        await process.wait()


_VENDORS = (
    Vendor(
        "openai",
        lambda url: OpenAIChat(_provider("openai", f"{url}/v1")),
        _openai_sdk,
        persona_openai.convert.to_wire,
        "/v1/chat/completions",
        "authorization",
        _ABOVE_MS,
    ),
    Vendor(
        "anthropic",
        lambda url: AnthropicChat(_provider("anthropic", url)),
        _anthropic_sdk,
        persona_anthropic.convert.to_wire,
        "/v1/messages",
        "authorization",
        {},
    ),
    Vendor(
        "google",
        lambda url: GoogleChat(_provider("google", url)),
        _google_sdk,
        persona_google.convert.to_wire,
        f"/v1/models/{_MODEL}:generateContent",
        "x-goog-api-key",
        {},
        _SHARE_OF_SDK,
    ),
)
