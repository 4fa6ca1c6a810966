"""Turns per second of one process, 16 at a time: whole turns with memory, against peers that only make the call.

All send the same messages, those of a whole turn, to one local server that answers at once and counts what it was
sent. The systems take their rounds in turn, so that what else this machine does hits all of them alike.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from urllib.request import urlopen

from benchmarks import peers
from benchmarks.figures import Kind, Row, Table
from benchmarks.lanes import AT_A_TIME, Taken

_ROUNDS, _QUICK_ROUNDS = 7, 3
_TURNS = {6: 160, 130: 48}  # of each system and round, by the messages in a request
_REACH = {6: {"litellm": 1.0, "pydantic-ai": 1.0}, 130: {"litellm": 4.0}}  # times their turns per second
_WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class _System:
    name: str
    what: str
    kind: Kind
    script: str
    python: Callable[[], Path | None]


def _own() -> Path:
    return Path(sys.executable)


_OURS, _PEER = "our_throughput", "peer_throughput"
_SYSTEMS = (
    _System(_WHOLE, "persona, a whole turn: memory, window, store; indexed too", "ours", _OURS, _own),
    _System("adapter", "persona's OpenAI adapter alone", "beside", _OURS, _own),
    _System("post", "the raw OpenAI SDK's client.post: its transport and JSON", "limit", _PEER, _own),
    _System("create", "the raw OpenAI SDK's chat.completions.create, no memory", "peer", _PEER, _own),
    _System("litellm", "litellm.acompletion, no memory", "peer", _PEER, lambda: peers.python("bench-litellm")),
    _System("pydantic-ai", "pydantic-ai Agent.run with message_history, no memory", "peer", _PEER, peers.python),
)
_LEFT = "persona, a whole turn that leaves its indexing to `persona work`"


@dataclass(slots=True)
class _Result:
    """What came of one system: its rounds, how many messages its requests carried, and their bytes."""

    system: _System
    taken: list[Taken] = field(default_factory=list)
    messages: dict[int, int] = field(default_factory=dict)
    bytes: int = 0

    def per_second(self, turns: int, behind: bool = True) -> list[float]:
        """Turns per second, round by round."""
        return [turns / (one["all_wall_s"] if behind else one["wall_s"]) for one in self.taken]

    def cpu_ms(self, turns: int, behind: bool = True) -> list[float]:
        """Milliseconds of CPU a turn, round by round."""
        return [1e3 * (one["all_cpu_s"] if behind else one["cpu_s"]) / turns for one in self.taken]


def run(quick: bool) -> list[Table]:
    """A short conversation and a long one."""
    with _server() as url:
        return [table for sent in _TURNS for table in _raced(url, sent, quick)]


def _raced(url: str, sent: int, quick: bool) -> list[Table]:
    turns = _TURNS[sent] // 2 if quick else _TURNS[sent]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        racers = list(_racers(stack, url, sent, folder / "messages.json"))
        for number in range(_QUICK_ROUNDS if quick else _ROUNDS):
            first = number % len(racers)
            for racer in [*racers[first:], *racers[:first]]:
                racer.round(turns)
        return _tables([racer.result for racer in racers if racer.result.taken], sent, turns)


def _racers(stack: ExitStack, url: str, sent: int, path: Path) -> Iterator["_Racer"]:
    """Every system that is here, warmed up: persona first, for the others send the messages of one of its turns."""
    for system in _SYSTEMS:
        python = system.python()
        if python is None:
            continue
        what = str(sent) if system.name == _WHOLE else str(path)
        racer = _Racer(system, python, url, sent, what)
        stack.callback(racer.close)
        if not racer.round(AT_A_TIME, counts=False):
            if system.kind == "peer":
                continue
            raise RuntimeError(f"{system.what}: its process ended, see above")
        if system.name == _WHOLE:
            path.write_text(json.dumps(json.loads(_got(f"{url}/last/{racer.path}"))["messages"]))
        yield racer


class _Racer:
    """One system in its own process, which does what it is told to, round by round."""

    def __init__(self, system: _System, python: Path, url: str, sent: int, what: str) -> None:
        self.result = _Result(system)
        self.path = f"{system.name}-{sent}"
        self._seen = f"{url}/seen/{self.path}"
        command = [str(python), "-m", f"benchmarks.{system.script}", system.name, f"{url}/{self.path}/v1", what]
        self._process = subprocess.Popen(
            command, cwd=peers.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def round(self, turns: int, *, counts: bool = True) -> bool:
        """One round. False of a system that stopped: stderr says why, and its rows are left out."""
        if not (self._told(str(turns)) and _got(self._seen) and (answer := self._told("go"))):
            self.result.taken.clear()
            return False
        seen = json.loads(_got(self._seen))
        if not counts:
            return True
        self.result.taken.append(json.loads(answer))
        self.result.bytes += seen["bytes"]
        for messages, times in seen["messages"].items():
            self.result.messages[int(messages)] = self.result.messages.get(int(messages), 0) + times
        return True

    def close(self) -> None:
        """Lets it end by itself."""
        self._process.communicate(timeout=60)

    def _told(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self._process.stdout.readline()


def _tables(results: list[_Result], sent: int, turns: int) -> list[Table]:
    title = f"{sent} messages a request, {AT_A_TIME} at a time"
    missing = () if len(results) == len(_SYSTEMS) else (peers.NOT_INSTALLED,)
    notes = (*map(_wire, results), *missing)
    speeds, costs = [], []
    for one in results:
        what, kind = one.system.what, one.system.kind
        speeds.append(Row(what, statistics.median(one.per_second(turns)), kind))
        costs.append(Row(what, statistics.median(one.cpu_ms(turns)), kind, max(one.cpu_ms(turns))))
        if one.system.name == _WHOLE:
            speeds.append(Row(_LEFT, statistics.median(one.per_second(turns, behind=False)), "beside"))
            left = one.cpu_ms(turns, behind=False)
            costs.append(Row(_LEFT, statistics.median(left), "beside", max(left)))
    return [
        Table(f"throughput, {title}", "turns per second", tuple(speeds), notes),
        Table(f"the same in CPU, {title}", "ms of CPU a turn, threads included; p95 is the worst round", tuple(costs)),
        Table(f"persona's turns per second against peers', {title}", "times", tuple(_ratios(results, sent, turns))),
    ]


def _ratios(results: list[_Result], sent: int, turns: int) -> Iterator[Row]:
    """Round by round, so that neighbours on this machine slow both."""
    for our, one in product(results, results):
        if our.system.script != _OURS or one.system.kind != "peer":
            continue
        pairs = zip(our.per_second(turns), one.per_second(turns), strict=True)
        ratio = statistics.median(mine / theirs for mine, theirs in pairs)
        reach = _REACH[sent].get(one.system.name) if our.system.name == _WHOLE else None
        yield Row(f"{our.system.what}, against {one.system.name}", ratio, our.system.kind, reach=reach, at_least=True)


def _wire(result: _Result) -> str:
    requests = sum(result.messages.values())
    carried = " and ".join(f"{messages} messages" for messages in sorted(result.messages))
    return f"on the wire, {result.system.name}: {requests} requests of {carried}, {result.bytes // requests:,} bytes"


@contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.instant"]
    process = subprocess.Popen(command, cwd=peers.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.communicate(timeout=10)


def _got(url: str) -> bytes:
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - the server that was started here
        found: bytes = answer.read()
        return found
