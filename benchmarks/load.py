"""Many users at once over a real adapter: what persona adds to a call, what it takes, and whether anything is lost."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from ctypes.util import find_library
from pathlib import Path

import psutil

from benchmarks.figures import Table, show
from benchmarks.load_client import Client, Line, users_of
from benchmarks.load_database import Store, postgresql, sqlite
from benchmarks.load_options import Options
from benchmarks.load_oracle import judge
from benchmarks.load_picture import page
from benchmarks.load_report import Outcome, Used, lines_of, tables_of
from benchmarks.load_samples import Sampler, busy_s, cpu_s
from benchmarks.peers import ROOT
from benchmarks.population import populate
from persona import AsyncAssistant, Settings

_WAIT_S = 0.25  # of a turn for its conversation: about half of those that cross another get through
_BUDGET, _RESERVE, _INDEX_CACHE_MB = 1_200, 200, 32
"""Tokens, and megabytes: caches that are full within the first minutes. What still grows after that is a leak."""
_STARTING_S = 60.0


def run(options: Options) -> list[Table]:
    """One run, as the options ask for it; the page with its pictures, when they name a folder."""
    on_server = options.postgres or options.postgres_url
    with postgresql(options.postgres_url) if on_server else sqlite() as store:
        outcome = asyncio.run(_run(options, store))
    tables = tables_of(options, outcome)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        path = options.out / f"load-{outcome.database.lower()}-{options.processes}.html"
        text = "\n\n".join(map(show, tables))
        path.write_text(page(tables[0].title, [one.at_s for one in outcome.samples], lines_of(outcome.samples), text))
        print(f"pictures: {path}", file=sys.stderr)
    return tables


async def _run(options: Options, store: Store) -> Outcome:
    async with AsyncExitStack() as stack:
        server, port = await stack.enter_async_context(_server(options.latency_ms))
        settings = _settings(store.url, port)
        await _remember(settings, users_of(options.conversations), options.memories)
        workers = [
            await stack.enter_async_context(_worker(settings, options.advised)) for _ in range(options.processes)
        ]
        client = Client([line for _, line in workers], options.conversations, options.concurrency)
        await client.open_all()
        processes = [process for process, _ in workers]
        sampler = Sampler(processes, store, lambda: client.answered)
        groups = {"persona": processes, "database": store.servers(), "model": [server], "client": [psutil.Process()]}
        before, start = {name: cpu_s(group) for name, group in groups.items()}, time.perf_counter()
        busy_before_s = busy_s()
        sampling = asyncio.create_task(sampler.run(options.seconds))
        await client.run(options.seconds)
        wall_s = time.perf_counter() - start
        used = {name: cpu_s(group) - before[name] for name, group in groups.items()}
        used["others"] = max(0.0, busy_s() - busy_before_s - sum(used.values()))
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
    return Outcome(store.kind, client.turns, wall_s, Used(**used), sampler.samples, judge(client.turns, store.rows))


def _settings(url: str, port: int) -> dict[str, object]:
    """What each process is told: the real adapter for OpenAI's format, at our server; everything else as usual."""
    return {
        "store": {"url": url},
        "memory": {"index_cache_mb": _INDEX_CACHE_MB},
        "turn": {"wait_s": _WAIT_S},
        "providers": {"local": {"kind": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}},
        "routes": {"default": {"target": "local:m", "window": {"budget": _BUDGET, "reserve": _RESERVE}}},
    }


async def _remember(settings: dict[str, object], users: int, memories: int) -> None:
    """Gives every user a past."""
    idle = Settings.model_validate({**settings, "tasks": {"run": False}})
    async with AsyncAssistant.open(idle, environment={}) as assistant:
        await populate(assistant, users, memories)


@asynccontextmanager
async def _server(latency_ms: float) -> AsyncIterator[tuple[psutil.Process, int]]:
    """The model's server and its port; it ends with its stdin."""
    command = sys.executable, "-m", "benchmarks.load_server", str(latency_ms)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    try:
        yield psutil.Process(process.pid), int(await asyncio.wait_for(process.stdout.readline(), _STARTING_S))
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _worker(settings: dict[str, object], advised: bool) -> AsyncIterator[tuple[psutil.Process, Line]]:
    """A process with an assistant, and the line to it; it ends with the line."""
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
    with tempfile.TemporaryDirectory(prefix="load") as folder:
        path = Path(folder) / "line"
        listening = await asyncio.start_unix_server(lambda *ends: came.set_result(ends), path)
        command = sys.executable, "-m", "benchmarks.load_worker", str(path), "advised" if advised else "plain"
        environment = _environment() | (_preloaded() if advised else {})
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
        reader, writer = await asyncio.wait_for(came, _STARTING_S)
        writer.write(json.dumps(settings).encode() + b"\n")
        await asyncio.wait_for(reader.readline(), _STARTING_S)  # it is ready
        line = Line(reader, writer)
        try:
            yield psutil.Process(process.pid), line
        finally:
            await line.close()
            await process.wait()
            listening.close()


def _environment() -> dict[str, str]:
    """Without settings and proxies from outside."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def _preloaded() -> dict[str, str]:
    """What gives a process jemalloc. Raises FileNotFoundError where it is not installed."""
    library = find_library("jemalloc")
    if library is None:
        raise FileNotFoundError("jemalloc is not installed: `apt install libjemalloc2`, or measure without --advised")
    return {"LD_PRELOAD": library}
