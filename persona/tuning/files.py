"""The files that a backend trains on: those of a dataset in its format, or written into it from another one."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.formats import find
from persona.harvest.formats.containers import SUFFIXES, RowWriter
from persona.harvest.formats.detect import detect
from persona.harvest.formats.reading import container_of, lines
from persona.values.example import Shape
from persona.values.tuning import Method

MANIFEST = "manifest.json"
_SHAPES: dict[Method, Shape] = {"sft": "chat", "dpo": "preference"}
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Files:
    """A training file, the one for validation where there is one, and the format they are in; the dataset's id."""

    train: Path
    validation: Path | None
    form: DatasetFormat
    dataset_id: str = ""

    def both(self) -> list[Path]:
        """The files that there are."""
        return [self.train, *([self.validation] if self.validation else [])]


def found(
    dataset: Path, validation: Path | None, wanted: DatasetFormat, method: Method, formats: Mapping[str, DatasetFormat]
) -> Files:
    """The files of a dataset's folder, or a file that was named: in the wanted format if they are there in it.

    Else in the first other one that holds what the method learns from. Raises InvalidInput.
    """
    if dataset.is_dir():
        if validation:
            raise InvalidInput("a folder has its own validation file", hint="name a training file, or the folder alone")
        return _in_folder(dataset, wanted, method, formats)
    if not dataset.is_file():
        raise InvalidInput(
            f"there is no dataset {str(dataset)!r}", hint="name a folder of `persona harvest`, or a file"
        )
    if validation and not validation.is_file():
        raise InvalidInput(f"there is no file {str(validation)!r}", hint="name the validation file")
    form = _format_of(dataset, wanted, formats)
    if form.shape != _SHAPES[method]:
        hint = "pass a file of preferences" if method == "dpo" else "pass a file of conversations"
        raise InvalidInput(
            f"{dataset.name} is in the format {form.name}, which {method} does not learn from", hint=hint
        )
    return Files(dataset.absolute(), validation.absolute() if validation else None, form)


def converted(files: Files, wanted: DatasetFormat, folder: Path) -> Files:
    """The same rows in the wanted format, written into a folder; the files themselves when they lie so already.

    Raises InvalidInput for a row that cannot be read, or that the format cannot say.
    """
    if files.form.name == wanted.name and all(_lies_as(path, wanted) for path in files.both()):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    train = _written(files.train, files.form, wanted, folder / f"train{SUFFIXES[wanted.container]}")
    validation = files.validation
    if validation:
        validation = _written(validation, files.form, wanted, folder / f"validation{SUFFIXES[wanted.container]}")
    return Files(train, validation, wanted, files.dataset_id)


def digest_of(files: Files) -> str:
    """The SHA-256 of what is trained on: the training file's, or that of both files' digests."""
    if files.validation is None:
        return _sha256(files.train)
    return hashlib.sha256(f"{_sha256(files.train)} {_sha256(files.validation)}".encode()).hexdigest()


def check_unchanged(files: Files, digest: str) -> None:
    """Raises InvalidInput where a file is gone, or is not what it was when the job was written down."""
    for path in files.both():
        if not path.is_file():
            raise InvalidInput(f"{str(path)!r} is not there any more", hint="bring it back, or start a new job")
    if digest_of(files) != digest:
        raise InvalidInput("the files were changed since the job was made", hint="start a new job with them")


def _format_of(path: Path, wanted: DatasetFormat, formats: Mapping[str, DatasetFormat]) -> DatasetFormat:
    """The wanted format, where the file's rows fit it or none at all: its validator says then what is wrong."""
    try:
        names = detect(path, formats)
    except InvalidInput:
        return wanted
    return wanted if wanted.name in names else formats[names[0]]


def _in_folder(folder: Path, wanted: DatasetFormat, method: Method, formats: Mapping[str, DatasetFormat]) -> Files:
    manifest = _manifest(folder)
    if "replaced_by" in manifest:
        instead = manifest["replaced_by"] or "a new harvest"
        raise InvalidInput("the dataset was replaced after an erasure", hint=f"use {instead}")
    there = {path.partition("/")[0] for path in manifest["files"] if "/" in path}
    suited = [name for name in sorted(there) if name in formats and formats[name].shape == _SHAPES[method]]
    if not suited:
        raise InvalidInput(f"the dataset has nothing that {method} learns from", hint="harvest it in another format")
    form = find(wanted.name if wanted.name in suited else suited[0], formats)
    suffix = SUFFIXES[form.container]
    train, validation = (folder / form.name / f"{side}{suffix}" for side in ("train", "validation"))
    if f"{form.name}/{train.name}" not in manifest["files"]:
        parted = any(path.startswith(f"{form.name}/train-") for path in manifest["files"])
        hint = "harvest it into one file a side" if parted else "nothing in it is for training: see harvest.split"
        raise InvalidInput(f"the dataset has no {form.name}/{train.name}", hint=hint)
    _check_digests(folder, manifest, form.name)
    beside = validation.absolute() if validation.is_file() else None
    return Files(train.absolute(), beside, form, str(manifest.get("id", "")))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{str(folder)!r} has no manifest", hint="name a folder of `persona harvest`") from error
    if not isinstance(told, dict) or not isinstance(told.get("files"), dict):
        raise InvalidInput(f"the manifest of {str(folder)!r} names no files", hint="harvest it again")
    return told


def _check_digests(folder: Path, manifest: Mapping[str, Any], form: str) -> None:
    for path, told in manifest["files"].items():
        if not path.startswith(f"{form}/") or path.rpartition("/")[2].startswith("test"):
            continue
        try:
            digest = _sha256(folder / path)
        except OSError as error:
            raise InvalidInput(f"{path} of the dataset is not there", hint="harvest it again") from error
        if digest != told["sha256"]:
            raise InvalidInput(f"{path} of the dataset was changed", hint="harvest it again")


def _lies_as(path: Path, wanted: DatasetFormat) -> bool:
    """Whether a file can be sent as it is: unpacked, and its rows as the format's reader expects them."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return not packed and container_of(path) in (wanted.container, *wanted.also)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _written(source: Path, form: DatasetFormat, wanted: DatasetFormat, path: Path) -> Path:
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        writer = RowWriter(file, wanted.container)
        for line in lines(source, container_of(source)):
            found = [line.problem] if line.problem else [one for one in form.problems(line.row or {}) if one.error]
            if found or line.row is None:
                reason = found[0].reason if found else "no row"
                raise InvalidInput(f"{source.name}, line {line.number}: {reason}", hint="see `persona check`")
            writer.write(wanted.row(form.example(line.row, str(line.number))))
        writer.finish()
    beside.replace(path)
    return path
