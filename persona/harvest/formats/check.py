"""What is wrong with somebody's training file, and with the one for validation beside it: one pass, bounded memory.

A row costs 16 bytes, whatever is in it: its digest, its line and its length in tokens.
"""

import hashlib
import json
from array import array
from collections import Counter as Numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from persona.adapter import Container, DatasetFormat
from persona.harvest.formats.reading import Line, container_of, lines
from persona.harvest.formats.sizes import advice
from persona.values.example import DatasetLimits, Problem
from persona.values.plan import Label
from persona.window.counting import Counter

KEPT = 1_000
"""Most problems of a report that come with their line; all are counted."""

_ALL_COUNTED = 10_000  # rows; of those after them one in _ONE_IN: counting costs ten times the rest
_ONE_IN = 16
_SAY_EVERY = 1_000  # rows
_TOLD = 20  # duplicates that come with their line
_CONTAINERS: dict[Container, str] = {
    "jsonl": "JSON lines",
    "json": "one JSON array",
    "csv": "comma-separated values",
    "text": "plain text",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A problem, and where: the file's name, and the line (0: the file as a whole)."""

    file: str
    line: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Tokens:
    """How long the rows are in tokens of `counter`; `over` counts those above the limit.

    Of a long file `counted` rows, chosen by their digest, stand for all; what may be above the limit is always counted.
    """

    counter: str
    label: Label
    median: int
    p95: int
    longest: int
    total: int
    limit: int | None
    over: int
    counted: int


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file in numbers. `good` counts the rows without an error."""

    name: str
    container: Container
    size: int
    rows: int
    good: int
    tokens: Tokens | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found: the first problems with their lines, and all of them counted by reason."""

    format: str
    files: tuple[FileReport, ...]
    problems: tuple[Found, ...]
    errors: Mapping[str, int]
    warnings: Mapping[str, int]
    limits: DatasetLimits
    advice: str

    @property
    def clean(self) -> bool:
        """Whether there is no error; warnings are for a person to judge."""
        return not self.errors


@dataclass(slots=True)
class _Tally:
    problems: list[Found] = field(default_factory=list)
    errors: Numbers[str] = field(default_factory=Numbers)
    warnings: Numbers[str] = field(default_factory=Numbers)

    def add(self, file: str, line: int, problem: Problem) -> None:
        (self.errors if problem.error else self.warnings)[problem.reason] += 1
        if len(self.problems) < KEPT:
            self.problems.append(Found(file, line, problem))


@dataclass(slots=True)
class _Rows:
    """What is kept of each row: compact, for millions of them."""

    digests: "array[int]" = field(default_factory=lambda: array("Q"))
    numbers: "array[int]" = field(default_factory=lambda: array("I"))
    lengths: "array[int]" = field(default_factory=lambda: array("I"))
    over: int = 0
    longest: int = 0


def check(
    paths: Sequence[Path],
    form: DatasetFormat,
    counter: Counter,
    label: Label,
    max_tokens: int | None = None,
    say: Callable[[int], None] = lambda rows: None,
) -> CheckReport:
    """Checks a file, and the one for validation if there is a second. `say` is told how many rows are read.

    `max_tokens` bounds a row beside the format's own limit. Raises InvalidInput for a file that cannot be opened.
    """
    tally, kept = _Tally(), [_Rows() for _ in paths]
    limit = min((most for most in (form.limits.max_tokens, max_tokens) if most), default=None)
    files = []
    for path, rows in zip(paths, kept, strict=True):
        container = container_of(path)
        good = _read(path, container, form, counter, limit, rows, tally, say)
        files.append(_report(path, container, rows, good, counter, label, limit))
        for problem in past_limits(form, *files):
            tally.add(path.name, 0, problem)
        _repeated(path.name, rows, tally)
    if len(paths) > 1:
        _shared(paths[1].name, kept[0], kept[1], tally)
    numbers = (dict(tally.errors.most_common()), dict(tally.warnings.most_common()))
    return CheckReport(form.name, tuple(files), tuple(tally.problems), *numbers, form.limits, advice(files[0].good))


def _read(
    path: Path,
    container: Container,
    form: DatasetFormat,
    counter: Counter,
    limit: int | None,
    rows: _Rows,
    tally: _Tally,
    say: Callable[[int], None],
) -> int:
    good = 0
    for line in lines(path, container):
        found = [line.problem] if line.problem else list(_of_row(line, form, counter, limit, rows))
        for problem in found:
            tally.add(path.name, line.number, problem)
        good += not any(problem.error for problem in found)
        rows.numbers.append(line.number)
        if len(rows.numbers) % _SAY_EVERY == 0:
            say(len(rows.numbers))
        if line.row is None:
            rows.digests.append(0)
    return good


def _of_row(line: Line, form: DatasetFormat, counter: Counter, limit: int | None, rows: _Rows) -> Iterator[Problem]:
    row = line.row or {}
    text = json.dumps(row, sort_keys=True)
    digest = _digest(text)
    rows.digests.append(digest)
    found = form.problems(row)
    yield from found
    if any(problem.error for problem in found):
        return
    sampled = len(rows.lengths) < _ALL_COUNTED or digest % _ONE_IN == 0
    if not sampled and not (limit and len(text) > limit):  # no token is shorter than a character that JSON escapes
        return
    example = form.example(row, "")
    rejected = (example.rejected,) if example.rejected else ()
    tokens = counter.request((*example.messages, *rejected), example.tools)
    rows.longest = max(rows.longest, tokens)
    if sampled:
        rows.lengths.append(tokens)
    if limit and tokens > limit:
        rows.over += 1
        hint = f"shorten it to {limit:,} tokens, or drop it"
        yield Problem("a row is longer than the limit", hint, where=f"{tokens:,} tokens")


def _digest(text: str) -> int:
    """64 bits that are the same for the same row, whatever the order of its keys; 0 stands for no row."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) or 1


def _report(
    path: Path, container: Container, rows: _Rows, good: int, counter: Counter, label: Label, limit: int | None
) -> FileReport:
    tokens = None
    if rows.lengths:
        lengths = np.frombuffer(rows.lengths, dtype=np.uint32)
        median, p95 = np.percentile(lengths, (50, 95), method="nearest").astype(int)
        total = round(float(lengths.mean()) * good)
        tokens = Tokens(
            *(counter.name, label, int(median), int(p95), rows.longest, total, limit, rows.over, len(lengths))
        )
    return FileReport(path.name, container, path.stat().st_size, len(rows.numbers), good, tokens)


def past_limits(form: DatasetFormat, train: FileReport, validation: FileReport | None = None) -> Iterator[Problem]:
    """What a consumer would refuse the training file for as a whole, or the one for validation when there is one."""
    limits, file = form.limits, validation or train
    if not file.rows:
        yield Problem("the file has no rows", "write at least one")
    if file.container not in (form.container, *form.also):
        hint = f"{form.name} is written as {_CONTAINERS[form.container]}"
        yield Problem(f"the file is {_CONTAINERS[file.container]}", hint)
    if limits.max_bytes and file.size > limits.max_bytes:
        hint = f"at most {limits.max_bytes / 1024**2:,.0f} MB are taken: part it, or drop rows"
        yield Problem("the file is too large", hint, where=f"{file.size / 1024**2:,.0f} MB")
    if validation:
        yield from _of_validation(limits, train, validation)
        return
    if limits.min_examples and file.good < limits.min_examples:
        hint = f"at least {limits.min_examples:,} are wanted"
        yield Problem("the file has too few good rows", hint, where=f"{file.good:,} rows")
    if limits.max_examples and file.rows > limits.max_examples:
        yield Problem(
            "the file has too many rows", f"at most {limits.max_examples:,} are taken", where=f"{file.rows:,} rows"
        )


def _of_validation(limits: DatasetLimits, train: FileReport, validation: FileReport) -> Iterator[Problem]:
    if limits.max_validation_examples and validation.rows > limits.max_validation_examples:
        hint = f"at most {limits.max_validation_examples:,} are taken"
        yield Problem("the validation file has too many rows", hint, where=f"{validation.rows:,} rows")
    most = limits.max_validation_bytes and min(limits.max_validation_bytes, train.size // 20)
    if most and validation.size > most:
        hint = f"at most {most:,} bytes are taken (1 MB, and a twentieth of the training file)"
        yield Problem("the validation file is too large", hint, where=f"{validation.size:,} bytes")


def _repeated(name: str, rows: _Rows, tally: _Tally) -> None:
    digests = np.frombuffer(rows.digests, dtype=np.uint64)
    order = np.argsort(digests, kind="stable")
    held = digests[order]
    again = np.flatnonzero((held[1:] == held[:-1]) & (held[1:] != 0)) + 1
    again = again[np.argsort(order[again])]  # as they lie in the file
    problem = Problem("a row is there more than once", "keep one: the others teach nothing new", error=False)
    _tell(
        name,
        [(rows.numbers[order[at]], rows.numbers[order[at - 1]]) for at in again[:_TOLD]],
        len(again),
        problem,
        tally,
    )


def _shared(name: str, train: _Rows, validation: _Rows, tally: _Tally) -> None:
    ours = np.frombuffer(train.digests, dtype=np.uint64)
    theirs = np.frombuffer(validation.digests, dtype=np.uint64)
    both, first, second = np.intersect1d(ours, theirs, return_indices=True)
    places = [(validation.numbers[b], train.numbers[a]) for row, a, b in zip(both, first, second, strict=True) if row]
    hint = "remove it from one: the validation would measure what was learnt by heart"
    _tell(
        name, places[:_TOLD], len(places), Problem("a row of the training file is in the validation file", hint), tally
    )


def _tell(name: str, places: Sequence[tuple[int, int]], number: int, problem: Problem, tally: _Tally) -> None:
    for line, other in places:
        tally.add(name, line, replace(problem, where=f"as in line {other}"))
    if number > len(places):
        (tally.errors if problem.error else tally.warnings)[problem.reason] += number - len(places)
