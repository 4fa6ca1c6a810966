"""Bytes as text, and what was guessed."""

import codecs
import re
from pathlib import Path

from persona.knowledge.unreadable import Unreadable

_MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"<(?:meta\b[^>]{0,200}?\bcharset|\?xml\b[^>]{0,200}?\bencoding)\s*=\s*[\"']?([\w.:-]{2,40})", re.I
)
_DECLARED_WITHIN = 2048


def decoded(path: Path, raw: bytes, *, html: bool = False) -> tuple[str, str]:
    """The text with "\\n" line ends and no mark, and a remark where it had to be guessed.

    UTF-8, UTF-16 and UTF-32 by their mark, what HTML declares, and at last Windows-1252, in which every byte is a
    letter. Raises Unreadable for what is no text.
    """
    text, remark = _decoded(path, raw, html)
    return text.replace("\r\n", "\n").replace("\r", "\n"), remark


def _decoded(path: Path, raw: bytes, html: bool) -> tuple[str, str]:
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), "")
    if marked:
        text = raw.decode(marked, "replace")
        if "\0" not in text:
            return text, f"read as {marked.upper()}" + _lost(text)
    if b"\0" in raw:
        raise Unreadable(path, "is not text (it holds a zero byte)", "save it as UTF-8 text")
    text = raw.decode("utf-8-sig", "replace")
    if "\ufffd" not in text:
        return text, ""
    declared = _declared(raw) if html else ""
    if declared:
        text = raw.decode(declared, "replace")
        return text, _lost(text).removeprefix(", ")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    if good > bad:  # a few broken letters among many good ones: it is UTF-8 all the same
        return text, _lost(text).removeprefix(", ")
    return raw.decode("cp1252", "replace"), "is not UTF-8: read as Windows-1252"


def _declared(raw: bytes) -> str:
    """The encoding that an HTML page names, as browsers take it; empty when it names none that is known."""
    match = _DECLARED.search(raw[:_DECLARED_WITHIN])
    try:
        name = codecs.lookup(match[1].decode("ascii")).name if match else ""
    except LookupError:
        return ""
    if name in ("ascii", "iso8859-1"):
        return "cp1252"
    return "" if name.startswith(("utf-8", "utf-16", "utf-32")) or not _of_text(name) else name


def _of_text(name: str) -> bool:
    try:
        return isinstance(b"".decode(name), str)  # some codecs turn bytes into bytes
    except (LookupError, ValueError):
        return False


def _lost(text: str) -> str:
    bad = text.count("\ufffd")
    return f", {bad} bytes are no letters" if bad else ""
