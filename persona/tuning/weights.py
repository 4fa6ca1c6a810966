"""The weights of a model as they lie in safetensors files, read and written a piece at a time.

Source: the format's page (huggingface.co/docs/safetensors): 8 bytes, little-endian, with the length of a JSON header;
the header, with each tensor's type, shape and place; the bytes. A piece at a time the memory does not grow with the
model, which a library that hands out whole tensors cannot do; and numpy has no bfloat16.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from persona.errors import InvalidInput

PIECE = 1 << 22
"""Numbers that are worked on at once: 16 MB of them in single precision."""

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_LONGEST_HEADER = 100_000_000
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
MERGED = frozenset({"F64", "F32", "F16", "BF16"})
"""The types that are merged; a tensor of any other is the same in every model, or they are not of one base."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: its type, its shape, and the bytes from `start` on in a file."""

    type: str
    shape: tuple[int, ...]
    file: Path
    start: int

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def width(self) -> int:
        """Bytes of a number."""
        return _WIDTHS[self.type]


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a model by name, and its files' headers, as they are written, by the files' names."""

    folder: Path
    tensors: Mapping[str, Tensor]
    headers: Mapping[str, bytes]

    @property
    def bytes(self) -> int:
        """How much room they take."""
        written = sum(one.numbers * one.width for one in self.tensors.values())
        return written + sum(8 + len(header) for header in self.headers.values())

    def in_file(self, name: str) -> list[tuple[str, Tensor]]:
        """The tensors of one file, in the order they lie in."""
        there = [(tensor, one) for tensor, one in self.tensors.items() if one.file.name == name]
        return sorted(there, key=lambda one: one[1].start)


def weights_of(folder: Path) -> Weights:
    """The weights of a whole model in a folder. Raises InvalidInput for none, an adapter, or broken files."""
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {str(folder)!r}", hint="name the folder of a model, or a job")
    if (folder / "adapter_config.json").is_file():
        hint = "write it as a whole model first: `persona tune resume JOB --option merge=true`"
        raise InvalidInput(f"{str(folder)!r} holds a LoRA adapter, which is no model", hint=hint)
    tensors, headers = dict[str, Tensor](), dict[str, bytes]()
    for file in _files(folder):
        header, found = _read_header(file)
        headers[file.name] = header
        for name in found.keys() & tensors.keys():
            raise InvalidInput(f"{str(folder)!r} has the tensor {name!r} twice", hint="look at its index")
        tensors |= found
    return Weights(folder, tensors, headers)


def pieces(tensor: Tensor) -> Iterator[tuple[int, int]]:
    """The pieces of a tensor: their first number and how many they have."""
    for first in range(0, tensor.numbers, PIECE):
        yield first, min(PIECE, tensor.numbers - first)


def read(tensor: Tensor, file: BinaryIO, first: int, count: int) -> NDArray[Any]:
    """Numbers of a tensor: shape (count,), float64 for F64, else float32. Raises InvalidInput for a file cut short."""
    raw = read_raw(tensor, file, first, count)
    if tensor.type == "BF16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    kind = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[tensor.type]
    return np.frombuffer(raw, kind).astype(np.float64 if tensor.type == "F64" else np.float32, copy=False)


def read_raw(tensor: Tensor, file: BinaryIO, first: int, count: int) -> bytes:
    """The bytes of numbers of a tensor. Raises InvalidInput for a file that is cut short."""
    file.seek(tensor.start + first * tensor.width)
    raw = file.read(count * tensor.width)
    if len(raw) != count * tensor.width:
        raise InvalidInput(f"{str(tensor.file)!r} ends in the middle of a tensor", hint="fetch the model again")
    return raw


def encode(numbers: NDArray[Any], type: str) -> bytes:
    """Numbers as a type has them, rounded to the nearest, ties to even."""
    if type == "BF16":
        return _bfloat16(numbers.astype(np.float32, copy=False)).tobytes()
    with np.errstate(over="ignore"):  # beyond the largest number there is infinity, in every type
        return numbers.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[type], copy=False).tobytes()


def _bfloat16(numbers: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The upper half of each number, rounded; what is not a number stays none."""
    bits = np.ascontiguousarray(numbers).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(numbers), (bits >> np.uint32(16)) | np.uint32(0x40), rounded).astype("<u2")


def _files(folder: Path) -> list[Path]:
    index = folder / INDEX
    if not index.is_file():
        if (folder / SINGLE).is_file():
            return [folder / SINGLE]
        hint = "only weights as safetensors are merged: save the model so"
        raise InvalidInput(f"{str(folder)!r} holds neither {SINGLE} nor {INDEX}", hint=hint)
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{str(index)!r} is no index of weights", hint="fetch the model again") from error
    if bad := next((name for name in names if Path(name).name != name or not (folder / name).is_file()), None):
        raise InvalidInput(f"{str(folder)!r} has no file {bad!r}", hint="fetch the model again")
    return [folder / name for name in names]


def _read_header(file: Path) -> tuple[bytes, dict[str, Tensor]]:
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        header = opened.read(length) if length <= min(size, _LONGEST_HEADER) else b""
    try:
        told = {name: one for name, one in json.loads(header).items() if name != "__metadata__"}
        tensors = {name: _tensor(file, 8 + length, one) for name, one in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{str(file)!r} is no safetensors file", hint="fetch the model again") from error
    if any(one.start + one.numbers * one.width > size for one in tensors.values()):
        raise InvalidInput(f"{str(file)!r} is cut short", hint="fetch the model again")
    return header, tensors


def _tensor(file: Path, bodies: int, told: Mapping[str, Any]) -> Tensor:
    start, end = told["data_offsets"]
    tensor = Tensor(str(told["dtype"]), tuple(int(one) for one in told["shape"]), file, bodies + int(start))
    if tensor.type not in _WIDTHS:
        hint = "quantised weights cannot be merged: take the model as it was before"
        raise InvalidInput(f"{str(file)!r} has weights of the type {tensor.type}", hint=hint)
    if start < 0 or min(tensor.shape, default=0) < 0 or end - start != tensor.numbers * tensor.width:
        raise ValueError(told)
    return tensor
