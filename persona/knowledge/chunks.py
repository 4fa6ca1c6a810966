"""Cutting a document into pieces that can be found, and read, on their own."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from persona.knowledge.blocks import Block, items, rows
from persona.knowledge.documents import Document
from persona.values import words

LONGEST = 600
"""The most characters of a chunk: about 150 tokens, so that several fit beside a conversation."""

_LONGEST_INTRO = 200
_STEP = " > "


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a document. `heading` is the path to it ("Horaires > Samedi"); `page` counts from 1, 0 without.

    Where a list is longer than a chunk, the path of its later pieces ends with the line that introduces it; a
    table's ends with the names of its columns.
    """

    text: str
    heading: str
    page: int = 0


@dataclass(slots=True)
class _Section:
    """A heading and the blocks right under it. `level` is 0 before the first heading."""

    path: tuple[str, ...]
    level: int = 0
    page: int = 0
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is not cut any more: how it joins the part before it, and the intro it needs where it does not."""

    text: str
    joint: str = "\n\n"
    intro: str = ""


def chunks(document: Document) -> tuple[Chunk, ...]:
    """The chunks of a document in order, each of at most `LONGEST` characters and never empty.

    They follow the headings and the pages, and join what is under one heading on one page as long as it fits.
    What does not fit is cut between items, rows, sentences or lines of code, and at last between words or in one.
    No text is lost: what is not in a chunk's text is in its heading.
    """
    found: list[Chunk] = []
    for section, path, parts in _by_heading(document.blocks):
        for text, intro in _pack(parts):
            heading = _STEP.join((*path, intro.rstrip(" \u00a0\u202f:")) if intro else path)
            found.append(Chunk(text, heading, section.page))
    return tuple(found)


def _by_heading(found: Sequence[Block]) -> Iterator[tuple[_Section, tuple[str, ...], list[_Part]]]:
    for section, following in pairwise([*_sections(found), _Section(())]):
        if section.blocks:
            yield section, section.path, list(_parts(section.blocks))
        elif section.path and following.level <= section.level:  # a heading with nothing under it is a text
            yield section, section.path[:-1], [_Part(piece) for piece in _cut(section.path[-1], ())]


def _sections(found: Iterable[Block]) -> list[_Section]:
    sections = [_Section(())]
    open_headings: list[Block] = []
    for block in found:
        here = sections[-1]
        if block.kind == "heading":
            if block.text:
                open_headings = [above for above in open_headings if above.level < block.level] + [block]
                sections.append(_Section(tuple(above.text for above in open_headings), block.level, block.page))
            continue
        if here.page != block.page:
            if here.blocks:
                sections.append(here := _Section(here.path, here.level))
            here.page = block.page
        here.blocks.append(block)
    return sections


def _parts(found: Sequence[Block]) -> Iterator[_Part]:
    """The parts of the blocks; a line that introduces a list or a table goes with it."""
    intro = ""
    for block, following in pairwise([*found, Block("paragraph", "")]):
        text = block.text
        if block.kind == "paragraph" and following.kind in ("list", "table"):
            text, intro = _without_intro(text)
            yield from _parts_of(replace(block, text=text), "")
        else:
            yield from _parts_of(block, intro)
            intro = ""


def _without_intro(text: str) -> tuple[str, str]:
    """A paragraph before a list, apart from the sentence at its end that introduces the list."""
    start = ([0, *_sentence_starts(text)])[-1]
    intro = text[start:].strip()
    if not intro.endswith(":") or len(intro) > _LONGEST_INTRO:
        return text, ""
    return text[:start], intro


def _parts_of(block: Block, intro: str) -> Iterator[_Part]:
    whole = f"{intro}\n{block.text}" if intro else block.text.strip("\n")
    if not whole.strip():
        return
    if len(whole) <= LONGEST:
        yield _Part(whole)
    elif block.kind == "list":
        yield from _entry_parts(items(block.text), intro, intro)
    elif block.kind == "table":
        entries = rows(block.text)
        yield from _entry_parts(entries, intro, _columns(entries[0]))
    else:
        cuts = _line_starts(whole) if block.kind == "fence" else _sentence_starts(whole)
        joint = "\n" if block.kind == "fence" else " "
        for at, piece in enumerate(_cut(whole, cuts)):
            yield _Part(piece, joint if at else "\n\n")


def _entry_parts(entries: Sequence[str], intro: str, named: str) -> Iterator[_Part]:
    """The items of a list or the rows of a table; those parted from the first need `named` in their heading."""
    first, *others = entries
    opening = f"{intro}\n{first}" if intro else first
    for at, piece in enumerate(_cut(opening, _sentence_starts(opening))):
        yield _Part(piece, " " if at else "\n\n", named if at else "")
    for entry in others:
        for at, piece in enumerate(_cut(entry, _sentence_starts(entry))):
            yield _Part(piece, " " if at else "\n", named)


def _columns(first: str) -> str:
    """The names of a table's columns, where they are short enough to stand in a heading."""
    cells = [cell.strip() for cell in first.partition("\n")[0].strip().strip("|").split("|")]
    named = " | ".join(cells)
    return named if any(cells) and len(named) <= _LONGEST_INTRO else ""


def _pack(parts: Iterable[_Part]) -> Iterator[tuple[str, str]]:
    """The texts of the chunks, each with the intro it needs."""
    text = intro = ""
    for part in parts:
        fits = len(text) + len(part.joint) + len(part.text) <= LONGEST
        if text and fits and intro in ("", part.intro):
            text += part.joint + part.text
            continue
        if text:
            yield text, intro
        text, intro = part.text, part.intro
    if text:
        yield text, intro


def _cut(text: str, cuts: Sequence[int]) -> Iterator[str]:
    """Pieces of at most `LONGEST` characters, cut at the last of `cuts` that fits, or between words."""
    start = 0
    while len(text) - start > LONGEST:
        furthest = start + LONGEST
        at = bisect_right(cuts, furthest) - 1
        end = cuts[at] if at >= 0 and cuts[at] > start else _last_space(text, start, furthest)
        if piece := text[start:end].strip():
            yield piece
        start = end
    if piece := text[start:].strip():
        yield piece


def _last_space(text: str, start: int, end: int) -> int:
    spaces = (at for at in range(end, start, -1) if text[at].isspace())
    return next(spaces, end)


def _line_starts(text: str) -> list[int]:
    return list(accumulate(len(line) for line in text.splitlines(keepends=True)))


def _sentence_starts(text: str) -> list[int]:
    """Where the sentences begin, and the marks of an item with the item."""
    starts = []
    end = 0
    for sentence in words.sentences(text):
        start = text.find(sentence, end)
        end = start + len(sentence)
        line = text.rfind("\n", 0, start) + 1
        starts.append(start if any(sign.isalnum() for sign in text[line:start]) else line)
    return starts
