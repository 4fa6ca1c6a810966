"""One file as a document: its blocks, whatever it is made of."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from persona.knowledge import html, pdf, word
from persona.knowledge.blocks import Block, blocks
from persona.knowledge.decoding import decoded
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


def read(found: Found, most_bytes: int) -> Document:
    """The document in a file. Text that no reader sees is not in it: hidden characters, comments, hidden elements.

    Raises Unreadable, naming the file and what to do, when it is missing, not readable, larger than `most_bytes`,
    or no document; Gone when it is not there.
    """
    check_suffix(found.path)
    raw = take(found.path, most_bytes)
    kind = kind_of(found.path, raw.data)
    content, remark = _content(found.path, kind, raw.data, most_bytes)
    shown = tuple(replace(block, text=seen(block.text)) for block in content)
    remarks = [_misnamed(found.path, kind), remark, _hidden(content, shown)]
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


def _content(path: Path, kind: Kind, raw: bytes, most: int) -> tuple[tuple[Block, ...], str]:
    if kind == "pdf":
        return pdf.blocks_of(path, raw, most)
    if kind == "docx":
        return word.blocks_of(path, raw, most), ""
    text, remark = decoded(path, raw, html=kind == "html")
    if kind == "html":
        return html.blocks_of(path, text), remark
    return tuple(blocks(text, markdown=kind == "markdown")), remark


def _misnamed(path: Path, kind: Kind) -> str:
    return "" if BY_SUFFIX[path.suffix.lower()] == kind else f"is {_NAMES[kind]}, whatever its name says"


def _hidden(content: tuple[Block, ...], shown: tuple[Block, ...]) -> str:
    gone = sum(len(before.text) - len(after.text) for before, after in zip(content, shown, strict=True))
    return f"{gone} hidden characters were removed" if gone else ""
