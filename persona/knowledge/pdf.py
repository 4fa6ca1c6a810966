"""The blocks of a PDF: the text of its pages, under the headings of its outline."""

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from persona.knowledge.blocks import Block, blocks
from persona.knowledge.extras import library
from persona.knowledge.unreadable import Unreadable

logging.getLogger("pypdf").addHandler(logging.NullHandler())  # its remarks are for those who ask, not for a terminal

_DEEPEST = 6


def blocks_of(path: Path, raw: bytes, most_chars: int) -> tuple[tuple[Block, ...], str]:
    """The blocks of all pages, each with its page, and a remark on pages without text.

    Reading ends once there are more than `most_chars` characters. Raises Unreadable: with a password, damaged,
    without any text, or when the library is not installed.
    """
    pypdf = library("pypdf", path)
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):  # many open without one, and only forbid changes
            raise Unreadable(path, "is a PDF with a password", "save it without one")
        number = len(reader.pages)
    except Unreadable:
        raise
    except Exception as error:  # whatever a damaged file makes the library do
        raise Unreadable(path, f"is a damaged PDF ({type(error).__name__})", "save it again") from error
    headings = _outline(reader)
    found: list[Block] = []
    read = broken = silent = 0
    for page in range(1, number + 1):
        try:
            text = reader.pages[page - 1].extract_text()
        except Exception:  # noqa: BLE001 - one damaged page does not take the others with it
            broken += 1
            continue
        silent += not text.strip()
        read += len(text)
        found += (replace(block, page=page) for block in _page(text, headings.get(page, ())))
        if read > most_chars:
            break
    if not read and number:
        what = "has no text: its pages are pictures" if silent else "is a damaged PDF"
        raise Unreadable(path, what, "run text recognition (OCR) on it" if silent else "save it again")
    return tuple(found), _remark(number, silent, broken)


def _remark(number: int, silent: int, broken: int) -> str:
    said = [f"{silent} of {number} pages have no text"] if silent else []
    return "; ".join([*said, f"{broken} of {number} pages are damaged"] if broken else said)


def _page(text: str, headings: Sequence[Block]) -> Iterator[Block]:
    """The blocks of a page. A heading of the outline takes its line's place, or else comes where the last one did."""
    lines = text.split("\n")
    at = 0
    for heading in headings:
        wanted = heading.text.casefold()
        line = next((n for n in range(at, len(lines)) if " ".join(lines[n].split()).casefold() == wanted), None)
        if line is not None:
            yield from blocks("\n".join(lines[at:line]), markdown=False)
            at = line + 1
        yield heading
    yield from blocks("\n".join(lines[at:]), markdown=False)


def _outline(reader: Any) -> dict[int, list[Block]]:
    """The headings of the outline by the page they begin on; none where it is damaged."""
    found: dict[int, list[Block]] = {}
    todo: list[tuple[Any, int]] = []
    try:
        todo = [(entry, 1) for entry in reversed(reader.outline)]
        while todo:
            entry, level = todo.pop()
            if isinstance(entry, list):
                todo.extend((inner, level + 1) for inner in reversed(entry))
                continue
            page = reader.get_destination_page_number(entry)
            title = " ".join(str(entry.title).split())
            if page is not None and page >= 0 and title:
                found.setdefault(page + 1, []).append(Block("heading", title, min(level, _DEEPEST), page + 1))
    except Exception:  # noqa: BLE001 - the text is worth more than its outline
        return found
    return found
