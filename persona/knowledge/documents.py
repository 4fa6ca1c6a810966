"""The files of a knowledge base."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from persona.errors import InvalidInput, SettingsError

SUFFIXES = (".md", ".txt")


@dataclass(frozen=True, slots=True)
class Document:
    """One text file as it was read: `path` is its key in the store, `title` names it to people.

    `text` has "\\n" line ends and no byte order mark; `sha256` is the hex digest of the file's bytes.
    """

    path: str
    title: str
    text: str
    sha256: str


def read(path: Path, folder: Path | None = None) -> Document:
    """The document in the file at `path`, keyed by where it lies under `folder` when one is given.

    Raises InvalidInput, naming the file and what to do, when it is missing, not readable, or not UTF-8 text.
    """
    raw = _bytes(path)
    inside = folder is not None and path.is_relative_to(folder)
    key = path.relative_to(folder) if folder is not None and inside else path
    return Document(key.as_posix(), path.name, _decoded(path, raw), sha256(raw).hexdigest())


def expand(patterns: Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The files that the glob patterns match, sorted, each once; a relative pattern starts in `folder`.

    Raises SettingsError when a pattern matches no file: a typing mistake would empty a knowledge base.
    """
    found: set[Path] = set()
    for pattern in patterns:
        files = [path for path in _matches(pattern, folder) if path.is_file()]
        if not files:
            raise SettingsError(
                f"the knowledge pattern {pattern!r} matches no file in {str(folder)!r}",
                hint="check the path; 'docs/**/*.md' takes every Markdown file under docs",
            )
        found.update(files)
    return tuple(sorted(found))


def _matches(pattern: str, folder: Path) -> list[Path]:
    wanted = Path(pattern)
    if not pattern or wanted == Path(wanted.anchor):
        return []
    if wanted.is_absolute():
        return list(Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor))))
    try:
        return list(folder.glob(pattern))
    except ValueError as error:  # "**" glued to other letters
        raise SettingsError(
            f"the knowledge pattern {pattern!r} is not a glob ({error})", hint="write '**' between slashes"
        ) from error


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise _unreadable(path, "is a directory", f"name its files, as in {str(path / '*.md')!r}")
    if path.suffix.lower() not in SUFFIXES:
        raise _unreadable(path, f"is not one of {', '.join(SUFFIXES)}", "convert it to Markdown or plain text")
    if path.exists() and not path.is_file():  # reading a pipe could wait for ever
        raise _unreadable(path, "is not a regular file", "put its text in a file")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _unreadable(path, "is not there", "check the path in the knowledge settings") from error
    except OSError as error:
        raise _unreadable(path, f"cannot be read ({error.strerror})", "check its permissions") from error


def _decoded(path: Path, raw: bytes) -> str:
    if b"\0" in raw:
        raise _unreadable(path, "is not text (it holds a zero byte)", "save it as UTF-8 text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(
            path, f"is not UTF-8 (line {line}, byte 0x{raw[error.start]:02x})", "save it as UTF-8 text"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unreadable(path: Path, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"the document {str(path)!r} {what}", hint=hint)
