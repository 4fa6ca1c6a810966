"""The blocks of a text: headings, paragraphs, lists, tables and fenced code, as much of Markdown as chunks follow.

Our own reader rather than a renderer's: chunks show the text as it was written, and plain text has lists too.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "paragraph", "list", "table", "fence"]

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r" {0,3}(?:[-*+•–—]|\d{1,3}[.)])[ \t]+\S")
_INDENTED = re.compile(r"[ \t]+\S")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_MARK = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n?|(?P<code>`+)|(?P<comment><!--)", re.MULTILINE)
_LONGEST_CODE = 1_000  # characters between two backticks
_LONGEST_HEADING = 200  # characters; a longer line is a paragraph, whatever its marks


@dataclass(frozen=True, slots=True)
class Block:
    """One block as written. `level` (1 to 6) is a heading's, and its `text` has no marks; `page` counts from 1.

    The first line of a table names its columns.
    """

    kind: Kind
    text: str
    level: int = 0
    page: int = 0


def blocks(text: str, *, markdown: bool) -> Iterator[Block]:
    """The blocks of `text` in order; without `markdown` only paragraphs and lists, with it none of its comments."""
    lines = (_without_comments(text) if markdown else text).split("\n")
    at = _front_matter_end(lines) if markdown else 0
    if at:
        yield Block("paragraph", "\n".join(lines[:at]))
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        heading = _heading(lines, at) if markdown else None
        if heading:
            block, end = heading
        else:
            kind, end = _extent(lines, at, markdown)
            block = Block(kind, "\n".join(lines[at:end]).rstrip())
        yield block
        at = end


def items(text: str) -> list[str]:
    """The items of a list block, each with its mark and all the lines that belong to it."""
    found: list[list[str]] = []
    indent = len(text) - len(text.lstrip())
    for line in text.split("\n"):
        if not found or (_ITEM.match(line) and len(line) - len(line.lstrip()) <= indent):
            found.append([])
        found[-1].append(line)
    return ["\n".join(lines).rstrip() for lines in found]


def rows(text: str) -> list[str]:
    """The rows of a table block, the line under its first one with that."""
    first, *others = text.split("\n")
    if others and _RULE.match(others[0]):
        first, others = f"{first}\n{others[0]}", others[1:]
    return [first, *others]


def _without_comments(text: str) -> str:
    """The text without `<!-- … -->`, which no reader sees but a model would, except in code."""
    kept: list[str] = []
    at = 0
    while mark := _MARK.search(text, at):
        end = mark.end()
        if mark["fence"]:
            closing = re.compile(rf"^ {{0,3}}{mark['fence']}{mark['fence'][0]}*[ \t]*$", re.MULTILINE).search(text, end)
            end = closing.end() if closing else len(text)
        elif mark["code"]:
            closed = text.find(mark["code"], end, end + _LONGEST_CODE)
            end = closed + len(mark["code"]) if closed >= 0 else end
        else:
            kept.append(text[at : mark.start()])
            closed = text.find("-->", end)
            if closed < 0:  # an open comment hides all that follows
                return "".join(kept)
            at = closed + len("-->")
            continue
        kept.append(text[at:end])
        at = end
    return "".join([*kept, text[at:]])


def _front_matter_end(lines: Sequence[str]) -> int:
    """Where the settings between two "---" at the top of a Markdown file end; 0 without them."""
    if lines[0].rstrip() != "---":
        return 0
    return next((at + 1 for at, line in enumerate(lines) if at and line.rstrip() == "---"), 0)


def _heading(lines: Sequence[str], at: int) -> tuple[Block, int] | None:
    if len(lines[at]) > _LONGEST_HEADING:
        return None
    if marked := _ATX.match(lines[at]):
        return Block("heading", (marked[2] or "").strip(), len(marked[1])), at + 1
    if at + 1 < len(lines) and not _ITEM.match(lines[at]) and (line := _UNDERLINE.match(lines[at + 1])):
        return Block("heading", lines[at].strip(), 1 if line[1][0] == "=" else 2), at + 2
    return None


def _extent(lines: Sequence[str], at: int, markdown: bool) -> tuple[Kind, int]:
    """The kind of the block that begins at a line, and the line after its last."""
    if markdown and (fence := _FENCE.match(lines[at])):
        return "fence", _fence_end(lines, at, fence[1])
    if _ITEM.match(lines[at]):
        return "list", _list_end(lines, at, markdown)
    table = markdown and _begins_table(lines, at)
    end = at + (2 if table else 1)
    while end < len(lines) and lines[end].strip() and not _begins(lines[end], markdown):
        if table and "|" not in lines[end]:
            break
        if markdown and not table and _begins_table(lines, end):
            break
        end += 1
    return ("table" if table else "paragraph"), end


def _begins_table(lines: Sequence[str], at: int) -> bool:
    """Whether a row of names and the line that rules it off from the others begin here."""
    return "|" in lines[at] and at + 1 < len(lines) and "|" in lines[at + 1] and bool(_RULE.match(lines[at + 1]))


def _begins(line: str, markdown: bool) -> bool:
    return bool(_ITEM.match(line) or (markdown and (_ATX.match(line) or _FENCE.match(line))))


def _fence_end(lines: Sequence[str], at: int, mark: str) -> int:
    for end in range(at + 1, len(lines)):
        line = lines[end].strip()
        if len(line) >= len(mark) and set(line) == {mark[0]}:
            return end + 1
    return len(lines)


def _list_end(lines: Sequence[str], at: int, markdown: bool) -> int:
    """After a list: its items, what is indented under them, and lines wrapped without an indent."""
    end = at + 1
    while end < len(lines):
        line = lines[end]
        belongs = bool(_ITEM.match(line) or _INDENTED.match(line))
        wrapped = bool(lines[end - 1].strip() and line.strip() and not _begins(line, markdown))
        if line.strip() and not belongs and not wrapped:
            break
        end += 1
    return end
