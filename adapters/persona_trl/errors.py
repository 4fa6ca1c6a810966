"""Why a run failed, in a person's words. No message quotes a row: what the libraries say is in the run's log."""

import errno
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage

from persona.errors import PersonaError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_SAID = ("No space left on device", "PytorchStreamWriter failed writing file")
_MEMORY_SAID = ("can't allocate memory", "CUDA out of memory")
_LITTLE = 1 << 20


def words(error: BaseException, folder: Path) -> str:
    """What went wrong, and what to do."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, PersonaError):
            return str(one)
    if any(_is_full(one) for one in chain) or disk_usage(folder).free < _LITTLE:
        return f"the disk that holds {folder} is full: make room"
    if any(_is_memory(one) for one in chain):
        return "it does not fit in memory: lower batch_size or max_length, or train with weights = 'lora'"
    return f"{type(error).__name__}: {folder / 'log.txt'} says more"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_full(error: BaseException) -> bool:
    """By the words where a library written in C++ or Rust gives no number."""
    return (isinstance(error, OSError) and error.errno in _FULL) or _says(error, _FULL_SAID)


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or _says(error, _MEMORY_SAID)


def _says(error: BaseException, said: tuple[str, ...]) -> bool:
    return any(words in str(error) for words in said)
