"""Combines tuned models of one base into a new one: weighted means, or what each has learnt, added to the base.

Sources: linear is "Model soups" (Wortsman et al., 2022), with the weights divided by their sum; task arithmetic is
"Editing models with task arithmetic" (Ilharco et al., 2023). SLERP and TIES are mergekit's.
"""

import errno
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from persona.errors import InvalidInput, NoRoom, WeightsDiffer
from persona.tuning.weights import MERGED, Tensor, Weights, encode, pieces, read, read_raw, weights_of

Method = Literal["linear", "task_arithmetic", "slerp", "ties"]

MANIFEST = "merge.json"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TOKENIZER = "tokenizer.json"

Advance = Callable[[int, int | None], None]
Combine = Callable[[Sequence[NDArray[Any]]], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """One model that goes into a merge, and how much of it; `model` is what it was called by."""

    folder: Path
    weight: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """What is to be merged. `base` is what the parts were tuned from; linear and SLERP do without."""

    method: Method
    parts: tuple[Part, ...]
    base: Path | None = None

    def check(self) -> None:
        """Raises InvalidInput for a merge that cannot be."""
        if self.method == "slerp" and len(self.parts) != 2:
            raise InvalidInput("slerp merges two models", hint="use linear for more")
        if not self.parts or (self.base is None and len(self.parts) < 2):
            raise InvalidInput("there is nothing to merge", hint="name two models or more")
        if self.method in ("task_arithmetic", "ties") and self.base is None:
            raise InvalidInput(f"{self.method} adds to the base model", hint="pass it as base")
        total = sum(part.weight for part in self.parts)
        if not np.isfinite(total) or (self.method != "task_arithmetic" and total <= 0):
            raise InvalidInput("the weights do not add up to more than 0", hint="write numbers above 0")

    @property
    def first(self) -> Path:
        """The model whose files, apart from the weights, the result takes over."""
        return self.parts[0].folder

    def sources(self) -> list[Path]:
        """The folders of all models, the base first where there is one."""
        return [*([self.base] if self.base else []), *(part.folder for part in self.parts)]


def merged(merge: Merge, out: Path, advance: Advance = lambda done, total: None) -> Mapping[str, Any]:
    """Writes the merged model into a new folder, and returns its manifest. All of it is there, or nothing.

    Raises InvalidInput, WeightsDiffer with the first tensor that does not match, and NoRoom.
    """
    merge.check()
    models = checked(merge)
    with fresh_folder(out, models[0].bytes) as folder:
        shape = models[-len(merge.parts)]
        _write_weights(shape, models, _combine(merge), folder, advance)
        copy_rest(merge.first, folder)
        return write_manifest(merge, folder)


def checked(merge: Merge) -> list[Weights]:
    """The weights of every model, the base first, once all tensors have one name, shape and type in all of them."""
    models = [weights_of(folder) for folder in merge.sources()]
    for other in models[1:]:
        _check_alike(models[0], other)
    _check_vocabularies(merge.sources())
    return models


@contextmanager
def fresh_folder(out: Path, needed: int) -> Iterator[Path]:
    """A folder beside `out` that takes its place once the block is through, and is gone when it is not."""
    if out.exists():
        raise InvalidInput(f"{str(out)!r} is there already", hint="name another folder")
    beside = out.with_name(f".{out.name}.new")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)  # what a merge that was killed has left
        beside.mkdir()
        if (free := shutil.disk_usage(beside).free) < needed:
            raise NoRoom(
                f"the merged model takes {needed:,} bytes, and {free:,} are free",
                hint="make room, or name a folder on another disk",
            )
        yield beside
        beside.replace(out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        if error.errno in _NO_ROOM:
            hint = "nothing was kept: make room, or name a folder on another disk"
            raise NoRoom("there is no room left on the disk", hint=hint) from error
        raise InvalidInput(f"cannot merge into {str(out)!r}: {error.strerror}", hint="name another folder") from error
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def copy_rest(source: Path, folder: Path) -> None:
    """Copies what a model has beside its weights: its config, tokenizer and chat template."""
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name != MANIFEST and path.suffix not in (".safetensors", ".bin", ".pt", ".pth"):
            shutil.copyfile(path, folder / path.name)


def write_manifest(merge: Merge, folder: Path) -> Mapping[str, Any]:
    """Writes what went into a merge, with the SHA-256 of every file of weights."""
    parts = [
        {"model": part.model or str(part.folder), "weight": part.weight, "weights": _digests(part.folder)}
        for part in merge.parts
    ]
    base = {"model": str(merge.base), "weights": _digests(merge.base)} if merge.base else None
    told = {"method": merge.method, "base": base, "parts": parts, "result": _digests(folder)}
    (folder / MANIFEST).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return told


def _combine(merge: Merge) -> Combine:
    """Numbers of every model, the base first, as one."""
    factors = [part.weight for part in merge.parts]
    if merge.method == "linear":
        total = sum(factors)
        means = [factor / total for factor in factors]
        skipped = 1 if merge.base else 0
        return lambda found: _sum(found[skipped:], means)
    return lambda found: found[0] + _sum([one - found[0] for one in found[1:]], factors)


def _sum(numbers: Sequence[NDArray[Any]], factors: Sequence[float]) -> NDArray[Any]:
    total: NDArray[Any] = numbers[0] * numbers[0].dtype.type(factors[0])
    for one, factor in zip(numbers[1:], factors[1:], strict=True):
        total += one * one.dtype.type(factor)
    return total


def _write_weights(shape: Weights, models: Sequence[Weights], combine: Combine, folder: Path, advance: Advance) -> None:
    """Writes the files of `shape` anew: the same headers, and every tensor out of those of all models."""
    done, total = 0, len(shape.tensors)
    for file, header in shape.headers.items():
        with (folder / file).open("wb") as out, ExitStack() as stack:
            opened = _Opened(stack)
            out.write(len(header).to_bytes(8, "little") + header)
            for name, place in shape.in_file(file):
                out.seek(place.start)
                _write_tensor(name, [model.tensors[name] for model in models], combine, opened, out)
                done += 1
                advance(done, total)


def _write_tensor(name: str, tensors: Sequence[Tensor], combine: Combine, opened: "_Opened", out: BinaryIO) -> None:
    for first, count in pieces(tensors[0]):
        if tensors[0].type in MERGED:
            found = [read(one, opened[one.file], first, count) for one in tensors]
            out.write(encode(combine(found), tensors[0].type))
            continue
        raw = [read_raw(one, opened[one.file], first, count) for one in tensors]
        if any(other != raw[0] for other in raw[1:]):
            raise WeightsDiffer(
                f"the tensor {name!r} is of whole numbers, and not the same in every model",
                hint="merge models that were tuned from one base",
            )
        out.write(raw[0])


class _Opened(dict[Path, BinaryIO]):
    """Files that are opened on first use, and closed together."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __missing__(self, path: Path) -> BinaryIO:
        self[path] = self._stack.enter_context(path.open("rb"))
        return self[path]


def _check_alike(one: Weights, other: Weights) -> None:
    """Raises WeightsDiffer with the first tensor that is not the same kind of thing in both."""
    hint = "merge models that were tuned from one base, saved in one precision"
    for name in sorted(one.tensors.keys() ^ other.tensors.keys()):
        where, lacking = (one, other) if name in one.tensors else (other, one)
        raise WeightsDiffer(
            f"the tensor {name!r} of {where.folder.name!r} is not in {lacking.folder.name!r}", hint=hint
        )
    for name, mine in sorted(one.tensors.items()):
        theirs = other.tensors[name]
        if (mine.type, mine.shape) != (theirs.type, theirs.shape):
            said = f"{mine.type} {list(mine.shape)} in {one.folder.name!r}, {theirs.type} {list(theirs.shape)} in"
            raise WeightsDiffer(f"the tensor {name!r} is {said} {other.folder.name!r}", hint=hint)


def _check_vocabularies(folders: Sequence[Path]) -> None:
    """Raises WeightsDiffer where the same number means different tokens: the rows of embeddings would be mixed up."""
    known = [(folder, vocabulary) for folder in folders if (vocabulary := _vocabulary(folder)) is not None]
    for folder, vocabulary in known[1:]:
        if vocabulary != known[0][1]:
            raise WeightsDiffer(
                f"{folder.name!r} and {known[0][0].name!r} number their tokens differently",
                hint="merge models that were tuned from one base",
            )


def _vocabulary(folder: Path) -> object:
    path = folder / _TOKENIZER
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{str(path)!r} is no tokenizer", hint="fetch the model again") from error


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            found[path.name] = file_digest(file, "sha256").hexdigest()
    return found
