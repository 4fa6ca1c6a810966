"""The folder of a harvest that is under way: what is done stays there, so that the same call goes on from it."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from persona.errors import DatasetError, InvalidInput, NoRoom
from persona.harvest.recipe import Recipe
from persona.store.datasets import Standing

WORK = ".work"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None)  # numpy tells no number when it wrote a part of a column


@dataclass(frozen=True, slots=True)
class Begun:
    """How a harvest began: until when it reads the log, which chunks there are, and what was erased before it."""

    until_us: int
    first: int
    last: int
    receipts: int
    withdrawn_us: int

    @property
    def chunks(self) -> range:
        """The numbers of the chunks."""
        return range(self.first, self.last + 1)

    def stands(self, now: Standing) -> bool:
        """Whether nothing was erased, and nobody has withdrawn, since."""
        return (self.receipts, self.withdrawn_us) == (now.receipts, now.withdrawn_us)


def folder_of(out: Path, recipe: Recipe) -> Path:
    """Where the work on this recipe lies. Raises InvalidInput where no folder can be made."""
    work = out / WORK / recipe.digest
    try:
        work.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidInput(f"{str(out)!r} is a file", hint="name a folder for the datasets with --out") from None
    except OSError as error:
        raise InvalidInput(f"cannot write into {str(out)!r}: {error.strerror}", hint="name another folder") from error
    return work


def begun(work: Path, chunk_keys: int) -> Begun | None:
    """How the work in this folder began; None where none did, or where it began with other chunks."""
    try:
        told = json.loads((work / "begun.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Begun(**told["begun"]) if told["chunk_keys"] == chunk_keys else None


def begin(work: Path, how: Begun, chunk_keys: int) -> None:
    """Takes away whatever lies in the folder, and begins."""
    for one in work.iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name != "lock":
            one.unlink()
    (work / "chunks").mkdir()
    write_whole(work / "begun.json", json.dumps({"begun": asdict(how), "chunk_keys": chunk_keys}))


def end(work: Path) -> None:
    """Takes the work away, and the folder of all work when nothing else is in it."""
    shutil.rmtree(work)
    try:
        work.parent.rmdir()
    except OSError:
        return  # another harvest is under way


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is there when it is whole."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


@contextmanager
def alone(work: Path) -> Iterator[None]:
    """Keeps another process from the same work meanwhile. Raises DatasetError when one is at it."""
    try:
        import fcntl
    except ImportError:  # Windows: chunks are made under names of their own, and end up the same
        yield
        return
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DatasetError("the same harvest is under way in another process", hint="wait for it") from None
        yield


@contextmanager
def room(where: str = "on the disk; what is done stays") -> Iterator[None]:
    """Names a disk that is full, and where that is."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise NoRoom(f"there is no room left {where}", hint="make room, and run the same command again") from error
