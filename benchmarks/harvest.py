"""Harvest from stored chats to files: its rate and memory, and how much of what was planted it finds.

The chats are synthetic, of people who write English and French (`benchmarks.harvest_chats`), in SQLite; a harvest is
a process of its own. What it finds is judged from the files it wrote alone.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil

from benchmarks.figures import Row, Table, pace_of_the_core
from benchmarks.harvest_chats import Chats
from benchmarks.harvest_judge import Count, Judged, judge
from benchmarks.harvest_private import BESIDE, KINDS
from benchmarks.harvest_store import fill
from benchmarks.peers import ROOT

CONVERSATIONS = 20_000
_QUICK = 2_000
_REACH_RAW, _REACH_RENDERED = 2_200.0, 1_200.0
_REACH_MB, _REACH_GROWTH_MB, _REACH_CORES = 400.0, 60.0, 1.6
_PRIVATE, _COPIES, _WRONG_COPIES = 99.0, 99.0, 0.5
_CONTRADICTIONS, _AGREEMENTS, _ALARMS = 95.0, 2.0, 2.0
_WORD = "word"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one harvest took, and where its dataset lies. `busy` is the load of the machine when it began."""

    cpu_s: float
    wall_s: float
    own_mb: float
    others_mb: float
    path: Path
    busy: float


def run(asked: tuple[bool, int]) -> list[Table]:
    """Few conversations when it is to be quick, else as many as were asked for."""
    quick, wanted = asked
    conversations = wanted or (_QUICK if quick else CONVERSATIONS)
    with tempfile.TemporaryDirectory(prefix="persona-bench-") as folder:
        return _Bench(Path(folder), conversations).tables()


class _Bench:
    """All harvests of one store."""

    def __init__(self, folder: Path, conversations: int) -> None:
        self._folder = folder
        self._chats = Chats(conversations)
        self._store = folder / "chats.db"
        self._number = conversations

    def tables(self) -> list[Table]:
        """Fills the store, harvests it again and again, and judges what came of it."""
        fill(self._store, self._chats)
        one = self._harvest("one", 1)
        two = self._harvest("two", 2)
        killed = self._killed(one.wall_s)
        rendered = self._harvest("rendered", 1, "rendered")
        same = (_same(one.path, two.path), _same(one.path, killed.path))
        crossing = _crossing(one.path)
        judged = judge(self._chats, one.path)
        return [
            self._rates(one, rendered),
            self._memory(one, two, rendered),
            _cores(one, two),
            _repeated(same, crossing),
            *quality(judged),
        ]

    def _harvest(self, name: str, processes: int, form: str = "raw", store: Path | None = None) -> Ran:
        child = self._begin(name, processes, form, store)
        busy = os.getloadavg()[0]
        told, _ = child.communicate()
        if child.returncode:
            raise RuntimeError(f"the harvest {name!r} failed")
        return Ran(**{**_told(told), "path": Path(_told(told)["path"]), "busy": busy})  # type: ignore[arg-type]

    def _begin(self, name: str, processes: int, form: str, store: Path | None = None) -> subprocess.Popen[str]:
        words = [str(store or self._store), str(self._folder / name), str(processes), form]
        child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.harvest_run", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        child.stdout.readline()  # it has begun
        return child

    def _killed(self, wall_s: float) -> Ran:
        """A harvest that was killed twice at instants that nobody chose, and then ran to its end."""
        for _ in range(2):
            child = self._begin("killed", 2, "raw")
            family = psutil.Process(child.pid).children(recursive=True)
            try:
                child.wait(random.uniform(0.05, 0.6) * wall_s)
            except subprocess.TimeoutExpired:
                family = psutil.Process(child.pid).children(recursive=True)
                child.kill()
            child.communicate()
            psutil.wait_procs(family, timeout=20)
        return self._harvest("killed", 2)

    def _rates(self, raw: Ran, rendered: Ran) -> Table:
        rows = [
            Row("without rendering", self._number / raw.cpu_s, reach=_REACH_RAW, at_least=True),
            Row(
                "with one rendered row per exchange",
                self._number / rendered.cpu_s,
                reach=_REACH_RENDERED,
                at_least=True,
            ),
        ]
        title = f"harvest: {self._number:,} conversations of 6 messages, from the store to files"
        pace = pace_of_the_core()
        return Table(title, "conversations per CPU second", tuple(rows), (_load(raw, rendered), pace))

    def _memory(self, raw: Ran, two: Ran, rendered: Ran) -> Table:
        """The largest process; and how much more it took than with a tenth of the log."""
        store = self._folder / "tenth.db"
        fill(store, Chats(max(100, self._number // 10)))
        small = self._harvest("tenth", 1, "raw", store)
        rows = (
            Row("without rendering, one process", raw.own_mb, reach=_REACH_MB),
            Row("with one rendered row per exchange, one process", rendered.own_mb, reach=_REACH_MB),
            Row("without rendering, two processes: the first one", two.own_mb, reach=_REACH_MB),
            Row("without rendering, two processes: the larger of the two it starts", two.others_mb, reach=_REACH_MB),
            Row("more than with a tenth of the conversations", raw.own_mb - small.own_mb, reach=_REACH_GROWTH_MB),
        )
        return Table("harvest: resident memory at its highest", "MB", rows)


def quality(judged: Judged) -> list[Table]:
    """The tables of what was found, and of what was taken for something that it is not."""
    copies = [
        Row(f"planted, {name}", count.found, reach=_COPIES, at_least=True)
        for name, count in sorted(judged.copies.items())
    ]
    wrong = _together(count for name, count in judged.kept.items() if name.endswith(": duplicate"))
    copies += [
        Row("all that were planted", _together(judged.copies.values()).found, reach=_COPIES, at_least=True),
        Row(f"wrongly dropped, of {wrong.total:,} that are like no other", wrong.lost, reach=_WRONG_COPIES),
    ]
    return [
        Table("harvest: duplicates found", "percent", tuple(copies)),
        Table("harvest: contradictions found", "percent", tuple(_contradictions(judged))),
        Table("harvest: personal data found", "percent", tuple(_private(judged))),
        Table("harvest: clean messages that were changed", "in a thousand", (_alarms(judged.clean),)),
    ]


def _contradictions(judged: Judged) -> Iterable[Row]:
    for name, count in sorted(judged.contradictions.items()):
        if name == _WORD:
            yield Row("planted, in a word that nothing declares", count.found, "beside")
        else:
            yield Row(f"planted, in a {name}", count.found, reach=_CONTRADICTIONS, at_least=True)
    every = _together(count for name, count in judged.contradictions.items() if name != _WORD)
    yield Row(f"all {every.total:,} pairs", every.found, reach=_CONTRADICTIONS, at_least=True)
    named = {
        "agreement: dropped": "replies that agree in other words, wrongly dropped",
        "alike: contradicts": "the same words about two products, wrongly dropped",
        "follow-up: contradicts": "questions that mean nothing alone, wrongly dropped",
        "plain: contradicts": "any others, wrongly dropped",
    }
    for name, what in named.items():
        yield Row(what, judged.kept[name].lost, reach=_AGREEMENTS)


def _private(judged: Judged) -> Iterable[Row]:
    for kind in KINDS:
        count = judged.private[kind]
        if kind in BESIDE:
            yield Row(kind, count.found, "beside")
        else:
            yield Row(f"{kind} ({count.total:,})", count.found, reach=_PRIVATE, at_least=True)


def _alarms(clean: Count) -> Row:
    return Row(f"of {clean.total:,} with order numbers, dates, versions, sums", 10 * clean.lost, reach=_ALARMS)


def _together(counts: Iterable[Count]) -> Count:
    several = list(counts)
    return Count(sum(one.total for one in several), sum(one.good for one in several))


def _cores(one: Ran, two: Ran) -> Table:
    what = Row("two processes against one, by the clock", one.wall_s / two.wall_s, reach=_REACH_CORES, at_least=True)
    beside = Row("CPU time of two against that of one", two.cpu_s / one.cpu_s, "beside")
    return Table("harvest: two cores", "times", (what, beside), (_load(one, two),))


def _repeated(same: tuple[bool, bool], crossing: int) -> Table:
    rows = (
        Row("two processes: files unlike those of one", float(not same[0]), reach=0.0),
        Row("killed twice at any moment, then resumed: files unlike those of one", float(not same[1]), reach=0.0),
        Row("users and like examples on two sides of the split", float(crossing), reach=0.0),
    )
    return Table("harvest: the same bytes, and nothing across the split", "number", rows)


def _load(*runs: Ran) -> str:
    loads = " and ".join(f"{one.busy:.1f}" for one in runs)
    return f"the machine has {os.cpu_count()} cores; its load was {loads}"


def _told(lines: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(lines.splitlines()[-1])
    return {name: told[name] for name in ("cpu_s", "wall_s", "own_mb", "others_mb", "path")}


def _same(first: Path, second: Path) -> bool:
    """Whether two folders hold the same files with the same bytes, under the same id."""
    return first.name == second.name and _digests(first) == _digests(second)


def _digests(folder: Path) -> Sequence[tuple[str, str]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), sha256(path.read_bytes()).hexdigest()) for path in files]


def _crossing(folder: Path) -> int:
    """What the script that looks for what crosses the split finds; it shares no code with what splits."""
    script = ROOT / "tests" / "harvest" / "boundary.py"
    told = subprocess.run([sys.executable, script, folder], check=False, stdout=subprocess.PIPE, text=True).stdout
    users, pairs = (int(word) for word in told.split() if word.isdigit())
    return users + pairs
