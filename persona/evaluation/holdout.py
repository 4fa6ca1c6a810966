"""The rows of a test file, and which logged exchange each was made of, when it is of a dataset of our own."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from persona.adapter import Adapter, DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.formats import available
from persona.harvest.formats.detect import detect
from persona.harvest.formats.reading import container_of, lines
from persona.harvest.manifest import NAME as MANIFEST
from persona.harvest.write import ROWS
from persona.values.example import Example


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row is from: the exchange that it was made of, the key of its conversation, and that of its owner."""

    exchange_id: str
    conversation_key: int
    owner_key: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `origin` is None in a file of somebody else's; `problem` says why it cannot be asked."""

    id: str
    example: Example | None
    origin: Origin | None = None
    topic: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Holdout:
    """The files of a holdout in one format, with a digest of all their bytes. `ours` says that they are a dataset's."""

    name: str
    files: tuple[Path, ...]
    form: DatasetFormat
    digest: str
    ours: bool

    def rows(self) -> Iterator[Row]:
        """Its rows in order. Raises InvalidInput where a dataset's own list does not name them all."""
        origins = self._origins() if self.ours else iter(())
        for path in self.files:
            for line in lines(path, container_of(path)):
                told = next(origins, None)
                if self.ours and told is None:
                    raise InvalidInput(f"{ROWS} names fewer examples than {path.name} has", hint="harvest it again")
                yield self._row(path, line.number, line.row, told or {})

    def _row(self, path: Path, number: int, row: Mapping[str, Any] | None, told: Mapping[str, Any]) -> Row:
        id = str(told.get("example") or f"{path.name}:{number}")
        origin = None
        if told:
            origin = Origin(id.partition("/")[0], int(told["conversation"]), int(told["owner"]))
        faults = [one for one in self.form.problems(row) if one.error] if row is not None else []
        if row is None or faults:
            return Row(id, None, origin, problem=faults[0].reason if faults else "the line cannot be read")
        topic = told.get("topic") or row.get("topic") or ""
        return Row(id, self.form.example(row, id), origin, str(topic))

    def _origins(self) -> Iterator[Mapping[str, Any]]:
        """What the dataset says of the examples in these files, in their order."""
        folder, side = self.files[0].parent, _side(self.files[0])
        with (folder.parent / ROWS).open(encoding="utf-8") as listed:
            for line in listed:
                told = json.loads(line)
                if told.get("side") == side and folder.name in told.get("formats", ()):
                    yield told


def holdout_of(path: Path, extra: tuple[Adapter, ...] = ()) -> Holdout:
    """The holdout that a path names: a file, files without their ending (`datasets/d/trl/test`), or a dataset's folder.

    Raises InvalidInput.
    """
    files = _files(path)
    formats = available(extra)
    ours = (files[0].parent.parent / MANIFEST).is_file() and files[0].parent.name in formats
    name = files[0].parent.name if ours else detect(files[0], formats)[0]
    digest = sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(file_digest(opened, "sha256").digest())
    if ours and not (files[0].parent.parent / ROWS).is_file():
        raise InvalidInput(f"{ROWS} is missing beside {MANIFEST}", hint="harvest the dataset again")
    return Holdout(str(path), files, formats[name], digest.hexdigest()[:24], ours)


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    if (path / MANIFEST).is_file():
        for folder in sorted(one for one in path.iterdir() if one.is_dir()):
            if found := _named(folder / "test"):
                return found
    elif found := _named(path):
        return found
    raise InvalidInput(f"there is no holdout at {str(path)!r}", hint="name a dataset's folder, or a test file")


def _named(path: Path) -> tuple[Path, ...]:
    """The file of this name whatever its ending, or its pieces."""
    whole = [*path.parent.glob(f"{path.name}.*"), *path.parent.glob(f"{path.name}-*-of-*.*")]
    return tuple(sorted(one for one in whole if one.is_file()))


def _side(path: Path) -> str:
    return path.name.partition(".")[0].partition("-")[0]
