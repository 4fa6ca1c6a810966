"""One file as a document: its blocks, whatever it is made of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from persona.knowledge.blocks import Block
from persona.knowledge.content import Content, content_of
from persona.knowledge.files import Found, take
from persona.knowledge.kinds import BY_SUFFIX, Kind, check_suffix, kind_of
from persona.knowledge.unreadable import Unreadable
from persona.window.blocks import seen

_NAMES: dict[Kind, str] = {
    "text": "plain text",
    "markdown": "Markdown",
    "html": "HTML",
    "pdf": "a PDF",
    "docx": "a Word document",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was read: `key` is its name in the store, `title` names it to people.

    `sha256` is the hex digest of its `size` bytes; `mtime_ns` is when it was changed, 0 where that cannot be relied
    on. `remark` says what had to be guessed or was left out, and is mostly empty.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    sha256: str = ""
    size: int = 0
    mtime_ns: int = 0
    remark: str = ""

    @property
    def characters(self) -> int:
        """How much text it holds."""
        return sum(len(block.text) for block in self.blocks)


def read(found: Found, most_bytes: int, content: Callable[[Path, Kind, bytes, int], Content] = content_of) -> Document:
    """The document in a file, its bytes read by `content`.

    Text that no reader sees is not in it: hidden characters, comments, hidden elements.
    Raises Unreadable, naming the file and what to do, when it is missing, not readable, larger than `most_bytes`,
    or no document; Gone when it is not there.
    """
    check_suffix(found.path)
    raw = take(found.path, most_bytes)
    kind = kind_of(found.path, raw.data)
    written, remark = content(found.path, kind, raw.data, most_bytes)
    shown = tuple(replace(block, text=seen(block.text)) for block in written)
    remarks = [_misnamed(found.path, kind), remark, _hidden(written, shown)]
    document = Document(
        found.key,
        found.title,
        shown,
        sha256(raw.data).hexdigest(),
        len(raw.data),
        raw.mtime_ns,
        "; ".join(one for one in remarks if one),
    )
    if document.characters > most_bytes:
        what = f"holds more than {most_bytes:,} characters of text"
        raise Unreadable(found.path, what, "cut it into parts, or raise max_file_mb of its knowledge")
    return document


def _misnamed(path: Path, kind: Kind) -> str:
    return "" if BY_SUFFIX[path.suffix.lower()] == kind else f"is {_NAMES[kind]}, whatever its name says"


def _hidden(written: tuple[Block, ...], shown: tuple[Block, ...]) -> str:
    gone = sum(len(before.text) - len(after.text) for before, after in zip(written, shown, strict=True))
    return f"{gone} hidden characters were removed" if gone else ""
