"""What a file holds, read as the kind that it is."""

from pathlib import Path

from persona.knowledge import html, pdf, word
from persona.knowledge.blocks import Block, blocks
from persona.knowledge.decoding import decoded
from persona.knowledge.kinds import Kind

Content = tuple[tuple[Block, ...], str]
"""The blocks of a document, and a remark on what had to be guessed or was left out."""


def content_of(path: Path, kind: Kind, raw: bytes, most_bytes: int) -> Content:
    """The content of a file's bytes. Raises Unreadable: damaged, or of more than `most_bytes` once unpacked."""
    if kind == "pdf":
        return pdf.blocks_of(path, raw, most_bytes)
    if kind == "docx":
        return word.blocks_of(path, raw, most_bytes), ""
    text, remark = decoded(path, raw, html=kind == "html")
    if kind == "html":
        return html.blocks_of(path, text), remark
    return tuple(blocks(text, markdown=kind == "markdown")), remark
