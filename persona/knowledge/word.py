"""The blocks of a Word document: its paragraphs, lists and tables, under its headings."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona.knowledge.blocks import Block
from persona.knowledge.extras import library
from persona.knowledge.unreadable import Unreadable

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading (\d)$", re.I)
_SPACES = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_UNSEEN = {f"{_W}del", f"{_W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
_OFF = {"0", "false", "off", "none"}
_INNER = {f"{_W}sdt", f"{_W}sdtContent", f"{_W}smartTag", f"{_W}customXml", f"{_W}ins"}  # what only wraps


def blocks_of(path: Path, raw: bytes, most_bytes: int) -> tuple[Block, ...]:
    """The blocks of a document, without what was deleted with changes tracked and what is marked as hidden.

    Raises Unreadable: larger than `most_bytes` once unpacked, damaged, or when the library is not installed.
    """
    docx = library("docx", path)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())  # no more than that is unpacked
        if unpacked > most_bytes:
            what = f"unpacks to {unpacked / 1e6:,.0f} MB, and max_file_mb is {most_bytes // 1_000_000}"
            raise Unreadable(path, what, "remove its pictures, or raise max_file_mb of its knowledge")
        document = docx.Document(io.BytesIO(raw))
        styles = {style.style_id: (style.name or "") for style in document.styles}
        return tuple(_in_lists(_blocks(document.element.body, styles)))
    except Unreadable:
        raise
    except Exception as error:  # whatever a damaged file makes the library do
        raise Unreadable(path, f"is a damaged Word document ({type(error).__name__})", "save it again") from error


def _blocks(within: Any, styles: dict[str, str]) -> Iterator[Block]:
    for element in within:
        if element.tag == f"{_W}p":
            yield from _paragraph(element, styles)
        elif element.tag == f"{_W}tbl":
            yield from _table(element, styles)
        elif element.tag in _INNER:
            yield from _blocks(element, styles)


def _paragraph(element: Any, styles: dict[str, str]) -> Iterator[Block]:
    text = _text(element).strip("\n")
    if not text.strip():
        return
    settings = element.find(f"{_W}pPr")
    name = styles.get(_value(settings, "pStyle"), "")
    level = _level(name, _value(settings, "outlineLvl"))
    if level:
        yield Block("heading", " ".join(text.split()), level)
    elif name.startswith("List") or (settings is not None and settings.find(f"{_W}numPr") is not None):
        deep = _value(settings.find(f"{_W}numPr") if settings is not None else None, "ilvl")
        yield Block("list", f"{'  ' * int(deep if deep.isdigit() else 0)}- {' '.join(text.split())}")
    else:
        yield Block("paragraph", text)


def _level(style: str, outline: str) -> int:
    if style == "Title":
        return 1
    if named := _HEADING.match(style):
        return min(max(int(named[1]), 1), 6)
    return int(outline) + 1 if outline.isdigit() and int(outline) < 6 else 0


def _table(element: Any, styles: dict[str, str]) -> Iterator[Block]:
    rows = [[cell for cell in row.iter(f"{_W}tc") if _row_of(cell) is row] for row in element.iterchildren(f"{_W}tr")]
    if all(len(row) == 1 for row in rows):  # a frame around text
        for (cell,) in rows:
            yield from _blocks(cell, styles)
        return
    said = [[" ".join(" ".join(map(_text, cell.iter(f"{_W}p"))).split()) for cell in row] for row in rows]
    text = "\n".join(" | ".join(row) for row in said if any(row))
    if text:
        yield Block("table", text)


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(f"{_W}tr"), None)


def _text(paragraph: Any) -> str:
    """The words of a paragraph, those in links, fields and tracked insertions too."""
    said: list[str] = []
    todo = [paragraph]
    while todo:
        element = todo.pop()
        if element.tag in _UNSEEN or (element.tag == f"{_W}r" and _vanishes(element)):
            continue
        if element.tag == f"{_W}t":
            said.append(element.text or "")
        else:
            said.append(_SPACES.get(element.tag, ""))
            todo.extend(reversed(list(element)))
    return "".join(said)


def _vanishes(run: Any) -> bool:
    settings = run.find(f"{_W}rPr")
    mark = settings.find(f"{_W}vanish") if settings is not None else None
    return mark is not None and mark.get(f"{_W}val", "1").lower() not in _OFF


def _value(settings: Any, name: str) -> str:
    found = settings.find(f"{_W}{name}") if settings is not None else None
    return "" if found is None else (found.get(f"{_W}val") or "")


def _in_lists(found: Iterator[Block]) -> Iterator[Block]:
    """The blocks with the items that follow each other as one list."""
    lines: list[str] = []
    for block in found:
        if block.kind == "list":
            lines.append(block.text)
            continue
        if lines:
            yield Block("list", "\n".join(lines))
            lines = []
        yield block
    if lines:
        yield Block("list", "\n".join(lines))
