"""What a file is, by what it holds: names lie."""

import io
import zipfile
from pathlib import Path
from typing import Literal

from persona.knowledge.unreadable import Unreadable

Kind = Literal["text", "markdown", "html", "pdf", "docx"]

BY_SUFFIX: dict[str, Kind] = {
    **dict.fromkeys((".txt", ".text", ".log", ".rst"), "text"),
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".pdf": "pdf",
    ".docx": "docx",
}
_HEAD = 1024  # bytes in which a PDF may begin, as its readers allow
_FOREIGN = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"{\\rtf", "an RTF file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file, or one with a password"),
)
_ZIPPED = (("xl/workbook.xml", "an Excel workbook"), ("ppt/presentation.xml", "a PowerPoint file"))
_CONVERT = "save it as .docx, .pdf, .html, .md or .txt, without a password"


def check_suffix(path: Path) -> None:
    """Raises Unreadable for a file whose name says that it is no document, which need not be read."""
    if path.suffix.lower() not in BY_SUFFIX:
        raise Unreadable(path, f"is not one of {', '.join(BY_SUFFIX)}", "convert it to one of them")


def kind_of(path: Path, raw: bytes) -> Kind:
    """What the bytes are; the name only tells plain text from Markdown, and HTML that looks like neither.

    Raises Unreadable for what is no document.
    """
    named = BY_SUFFIX[path.suffix.lower()]
    start = raw[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"%PDF-") or (named == "pdf" and b"%PDF-" in raw[:_HEAD]):
        return "pdf"
    if raw.startswith(b"PK\x03\x04"):
        return _zipped(path, raw)
    for sign, what in _FOREIGN:
        if raw.startswith(sign):
            raise Unreadable(path, f"is {what}", _CONVERT)
    if start[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "html"
    return "text" if named in ("pdf", "docx") else named


def _zipped(path: Path, raw: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Unreadable(path, "is a damaged ZIP archive", "save it again") from error
    if "word/document.xml" in names:
        return "docx"
    what = next((what for name, what in _ZIPPED if name in names), "a ZIP archive")
    raise Unreadable(path, f"is {what}", _CONVERT)
