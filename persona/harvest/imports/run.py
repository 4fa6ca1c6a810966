"""Imports a file: some hundred rows in a transaction, in bounded memory, and goes on where an earlier run was.

What is no conversation is set aside in FILE.rejected.jsonl, with its line and the reason.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.formats.reading import Line, Place, container_of, lines
from persona.harvest.imports.conversations import Importing, conversation_of
from persona.harvest.imports.tables import ChatTable, conversations
from persona.store import imports
from persona.store.engine import Database
from persona.store.imports import Batch, Progress
from persona.store.transaction import Transaction
from persona.values.imported import ImportedConversation

BATCH = 1_000
"""Messages in a transaction, or a row's more."""

_PIECE = 1024**2


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is imported. `tenant` and `user` count where a row names none; a row without any user is somebody of
    its own. With `remembers` what users said becomes memories.
    """

    form: DatasetFormat
    route: str
    tenant: str = ""
    user: str = ""
    remembers: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """How far a running import is; bytes of the file."""

    read: int
    size: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: how far the file is (all runs together), what this run refused, by reason, and where it is.

    `resumed` is the line after which this run began; `before` says that the file was imported already.
    """

    form: str
    progress: Progress
    reasons: dict[str, int]
    rejected_file: Path | None
    resumed: int = 0
    before: bool = False


@dataclass(slots=True)
class _Pending:
    """What the next transaction will keep."""

    rows: list[ImportedConversation] = field(default_factory=list)
    refused: list[tuple[Line, str]] = field(default_factory=list)
    raw: dict[int, Line] = field(default_factory=dict)
    messages: int = 0
    line: int = 0


def import_file(
    database: Database,
    path: Path,
    options: Options,
    now_us: Callable[[], int],
    say: Callable[[Running], None] = lambda running: None,
) -> ImportReport:
    """Imports a file, or the rest of it. The same file twice imports nothing twice.

    Raises InvalidInput for a file that cannot be read, BusyError when it is being imported elsewhere, and StoreError.
    """
    mark = _digest(path, options)
    began = now_us()
    progress = database.run_now(lambda tx: imports.begin(tx, mark, options.form.name, began))
    aside = _Aside(path, progress)
    if progress.done:
        return ImportReport(options.form.name, progress, {}, aside.file, before=True)
    resumed, place, size = progress.line, Place(), path.stat().st_size
    importing = Importing(options.form, options.tenant, options.user, mark, began)
    for pending, last in _batches(_rows(path, options, resumed, place), importing):
        aside.add(pending.refused)
        progress = _keep(database, mark, pending, progress, last, options, aside, now_us)
        say(Running(place.bytes or size, size, progress))
    return ImportReport(options.form.name, progress, dict(aside.reasons.most_common()), aside.file, resumed)


def _keep(
    database: Database,
    mark: str,
    pending: _Pending,
    progress: Progress,
    last: bool,
    options: Options,
    aside: "_Aside",
    now_us: Callable[[], int],
) -> Progress:
    line = max(pending.line, progress.line)
    batch = Batch(
        *(mark, pending.rows, progress, line, len(pending.refused), last),
        *(options.route, options.remembers, now_us()),
    )

    def write(tx: Transaction) -> tuple[Progress, dict[int, str]]:
        return imports.keep(tx, batch)

    kept, refused = database.run_now(write)
    aside.add([(pending.raw[number], reason) for number, reason in refused.items()])
    return kept


def _rows(path: Path, options: Options, after: int, place: Place) -> Iterator[Line]:
    found = lines(path, container_of(path), after, place)
    return conversations(found) if isinstance(options.form, ChatTable) else found


def _batches(found: Iterator[Line], importing: Importing) -> Iterator[tuple[_Pending, bool]]:
    """The rows in batches, and whether a batch is the last one, which may be empty."""
    pending = _Pending()
    for line in found:
        pending.line = line.number
        if line.row is None:
            problem = line.problem
            pending.refused.append((line, f"{problem.reason}; {problem.hint}" if problem else "no row"))
        else:
            try:
                row = conversation_of(line.row, line.number, importing)
            except InvalidInput as error:
                pending.refused.append((line, str(error)))
            else:
                pending.rows.append(row)
                pending.raw[line.number] = line
                pending.messages += sum(map(len, row.turns))
        if pending.messages + len(pending.refused) >= BATCH:
            yield pending, False
            pending = _Pending()
    yield pending, True


class _Aside:
    """The file of rows that are set aside, made with the first one; what a cut run wrote too early is taken out."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path = path.with_name(f"{path.name}.rejected.jsonl")
        self.reasons: Counter[str] = Counter()
        if self._path.exists() and not progress.done:
            self._keep_up_to(progress.line)

    @property
    def file(self) -> Path | None:
        """The file, when there is one."""
        return self._path if self._path.exists() else None

    def add(self, refused: Sequence[tuple[Line, str]]) -> None:
        """Writes rows before the store counts them: a cut between the two loses none."""
        if not refused:
            return
        self.reasons.update(reason for _, reason in refused)
        with self._path.open("a", encoding="utf-8", errors="replace") as file:
            for line, reason in refused:
                what = {"row": line.row} if line.row is not None else {"text": line.text}
                file.write(f"{json.dumps({'line': line.number, 'reason': reason, **what}, ensure_ascii=False)}\n")
            file.flush()
            os.fsync(file.fileno())

    def _keep_up_to(self, last: int) -> None:
        new = self._path.with_suffix(".part")
        with self._path.open(encoding="utf-8", errors="replace") as old, new.open("w", encoding="utf-8") as file:
            for text in old:
                if _line_of(text) <= last:
                    file.write(text)
        if last and new.stat().st_size:
            new.replace(self._path)
        else:
            new.unlink()
            self._path.unlink()


def _line_of(text: str) -> int:
    try:
        return int(json.loads(text)["line"])
    except (ValueError, KeyError, TypeError):
        return 1 << 62  # a line that a kill cut


def _digest(path: Path, options: Options) -> str:
    """Tells this file, for these owners, from every other: 32 hexadecimal digits."""
    digest = hashlib.sha256(json.dumps([options.tenant, options.user]).encode())
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise InvalidInput(f"cannot read {str(path)!r}: {error.strerror}", hint="name a file that is there") from error
    return digest.hexdigest()[:32]
