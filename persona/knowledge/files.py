"""Finding files and taking their bytes: whatever a folder holds, nothing here waits for ever or fills the memory."""

import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona.errors import SettingsError
from persona.knowledge.unreadable import Gone, Unreadable

SETTLED_NS = 2_000_000_000
"""A file changed less than this before it was read may change again within the same tick of its file system's clock,
so the time of such a change is not trusted: the file is read again next time, and compared by its hash."""

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a document: where it is, its key in the store, and its name for people."""

    path: Path
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds. `refused` is what is not looked into, `unseen` the keys of folders that cannot be listed."""

    files: tuple[Found, ...]
    refused: tuple[tuple[Found, Unreadable], ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """A file's bytes. `mtime_ns` is when it was changed, 0 where that cannot be relied on."""

    data: bytes
    mtime_ns: int


def found_at(path: Path, folder: Path, root: Path | None = None) -> Found:
    """A file with its key, which is relative for what lies under `folder`, and its name, relative to `root`."""
    title = path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
    return Found(path, key_of(path, folder), _storable(title))


def key_of(path: Path, folder: Path) -> str:
    """What a file is called in the store."""
    whole, base = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    return _storable((whole.relative_to(base) if whole.is_relative_to(base) else whole).as_posix())


def expand(patterns: Sequence[str], folder: Path) -> tuple[Found, ...]:
    """The files that the glob patterns match, sorted, each once; a relative pattern starts in `folder`.

    Raises SettingsError when a pattern matches no file: a typing mistake would empty a knowledge base.
    """
    found: dict[Path, Found] = {}
    for pattern in patterns:
        root = _root(pattern, folder)
        files = [path for path in _matches(pattern, folder) if not path.is_dir()]
        if not files:
            raise SettingsError(
                f"the knowledge pattern {pattern!r} matches no file in {str(folder)!r}",
                hint="check the path; 'docs/**/*.md' takes every Markdown file under docs",
            )
        for path in files:
            found.setdefault(path, found_at(path, folder, root))
    return tuple(found[path] for path in sorted(found))


def walk(root: Path, folder: Path) -> Listing:
    """The files under `root`, sorted. Hidden ones (".git") are passed over, and links are not followed out of it."""
    files: list[Found] = []
    refused: list[tuple[Found, Unreadable]] = []
    unseen: list[str] = []

    def blind(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # which went away since it was listed
            one = found_at(Path(error.filename), folder, root)
            unseen.append(one.key)
            refused.append((one, Unreadable(one.path, f"cannot be listed ({error.strerror})", "check its permissions")))

    real = Path(os.path.realpath(root))
    for place, folders, names in os.walk(root, onerror=blind):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in links)
        for name in sorted([*names, *links]):
            if name.startswith("."):
                continue
            one = found_at(Path(place, name), folder, root)
            why = _not_followed(one.path, real)
            if why is None:
                files.append(one)
            else:
                refused.append((one, why))
    return Listing(tuple(files), tuple(refused), tuple(unseen))


def stamp(path: Path) -> tuple[int, int] | None:
    """The size of a file in bytes and when it was changed; None where there is no file to be read."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return (state.st_size, state.st_mtime_ns) if stat.S_ISREG(state.st_mode) else None


def take(path: Path, most_bytes: int) -> Raw:
    """The bytes of a regular file. Nothing else is opened: reading a pipe could wait for ever.

    Raises Unreadable, and Gone.
    """
    try:
        _check(path, os.stat(path), most_bytes)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            before = os.fstat(file.fileno())
            _check(path, before, most_bytes)  # it may have become something else since it was looked at
            data = file.read(before.st_size + 1)
            if len(data) > before.st_size:  # it grows while it is read
                data += file.read(most_bytes + 1 - len(data))
            after = os.fstat(file.fileno())
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            raise _leads_nowhere(path) from error
        raise Gone(path, "is not there", "check the path in the knowledge settings") from error
    except (OSError, ValueError) as error:  # ValueError: a name that holds a zero byte
        why = getattr(error, "strerror", None) or error
        raise Unreadable(path, f"cannot be read ({why})", "check its permissions") from error
    if len(data) > most_bytes:
        raise _too_large(path, len(data), most_bytes)
    still = (after.st_size, after.st_mtime_ns) == (len(data), before.st_mtime_ns)
    settled = still and after.st_mtime_ns < time.time_ns() - SETTLED_NS
    return Raw(data, after.st_mtime_ns if settled else 0)


def _check(path: Path, state: os.stat_result, most_bytes: int) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise Unreadable(path, "is a directory", f"name its files, as in {str(path / '*.md')!r}")
    if not stat.S_ISREG(state.st_mode):
        raise Unreadable(path, "is not a regular file", "put its text in a file")
    if state.st_size > most_bytes:
        raise _too_large(path, state.st_size, most_bytes)


def _too_large(path: Path, size: int, most_bytes: int) -> Unreadable:
    said = f"is too large ({size / 1e6:,.1f} MB, and max_file_mb is {most_bytes // 1_000_000})"
    return Unreadable(path, said, "cut it into parts, or raise max_file_mb of its knowledge")


def _not_followed(path: Path, root: Path) -> Unreadable | None:
    """Why a link is not followed; None for what is no link, or one to a file under `root`."""
    if not path.is_symlink():
        return None
    if not path.exists():
        return _leads_nowhere(path)
    if path.is_dir():
        return Unreadable(path, "is a link to a folder", "add that folder itself")
    if not Path(os.path.realpath(path)).is_relative_to(root):
        return Unreadable(path, "is a link that leads out of the folder", "add the file itself")
    return None


def _leads_nowhere(path: Path) -> Unreadable:
    return Unreadable(path, "is a link that leads nowhere", "mend it or remove it")


def _storable(name: str) -> str:
    """A name without the bytes that are no UTF-8, which no database keeps."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _root(pattern: str, folder: Path) -> Path:
    """The folder in which a pattern begins to be wild: "docs" of "docs/**/*.md"."""
    parts = Path(pattern).parts
    wild = next((at for at, part in enumerate(parts) if _WILD & set(part)), max(0, len(parts) - 1))
    return folder.joinpath(*parts[:wild])


def _matches(pattern: str, folder: Path) -> Iterator[Path]:
    wanted = Path(pattern)
    if not pattern or wanted == Path(wanted.anchor):
        return iter(())
    if wanted.is_absolute():
        return Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor)))
    try:
        return iter(list(folder.glob(pattern)))
    except ValueError as error:  # "**" glued to other letters
        raise SettingsError(
            f"the knowledge pattern {pattern!r} is not a glob ({error})", hint="write '**' between slashes"
        ) from error
