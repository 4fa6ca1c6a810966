"""Cutting a document into pieces that can be found, and read, on their own."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from persona.knowledge.blocks import Block, blocks, items
from persona.knowledge.documents import Document
from persona.values import words

LONGEST = 600
"""The most characters of a chunk: about 150 tokens, so that several fit beside a conversation."""

_LONGEST_INTRO = 200
_STEP = " > "


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a document. `heading` is the path to it ("Horaires > Samedi"); `ordinal` counts from 0.

    Where a list is longer than a chunk, the path of its later pieces ends with the line that introduces it.
    """

    text: str
    heading: str
    ordinal: int


@dataclass(slots=True)
class _Section:
    """A heading and the blocks right under it. `level` is 0 before the first heading."""

    path: tuple[str, ...]
    level: int = 0
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is not cut any more: how it joins the part before it, and the intro it needs where it does not."""

    text: str
    joint: str = "\n\n"
    intro: str = ""


def chunks(document: Document) -> tuple[Chunk, ...]:
    """The chunks of a document in order, each of at most `LONGEST` characters and never empty.

    They follow the headings, and join the paragraphs, lists and code under one heading as long as they fit.
    What does not fit is cut between items, sentences or lines of code, and at last between words or in one.
    No text is lost: what is not in a chunk's text is in its heading.
    """
    found: list[Chunk] = []
    for path, parts in _by_heading(document):
        for text, intro in _pack(parts):
            heading = _STEP.join((*path, intro.rstrip(" \u00a0\u202f:")) if intro else path)
            found.append(Chunk(text, heading, len(found)))
    return tuple(found)


def _by_heading(document: Document) -> Iterator[tuple[tuple[str, ...], list[_Part]]]:
    sections = _sections(blocks(document.text, markdown=document.path.lower().endswith(".md")))
    for section, following in pairwise([*sections, _Section(())]):
        if section.blocks:
            yield section.path, list(_parts(section.blocks))
        elif section.path and following.level <= section.level:  # a heading with nothing under it is a text
            yield section.path[:-1], [_Part(piece) for piece in _cut(section.path[-1], ())]


def _sections(found: Iterable[Block]) -> list[_Section]:
    sections = [_Section(())]
    open_headings: list[Block] = []
    for block in found:
        if block.kind != "heading":
            sections[-1].blocks.append(block)
        elif block.text:
            open_headings = [above for above in open_headings if above.level < block.level] + [block]
            sections.append(_Section(tuple(above.text for above in open_headings), block.level))
    return sections


def _parts(found: Sequence[Block]) -> Iterator[_Part]:
    """The parts of the blocks; a line that introduces a list goes with the list."""
    intro = ""
    for block, following in pairwise([*found, Block("paragraph", "")]):
        text = block.text
        if block.kind == "paragraph" and following.kind == "list":
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
        yield from _item_parts(block.text, intro)
    else:
        cuts = _line_starts(whole) if block.kind == "fence" else _sentence_starts(whole)
        joint = "\n" if block.kind == "fence" else " "
        for at, piece in enumerate(_cut(whole, cuts)):
            yield _Part(piece, joint if at else "\n\n")


def _item_parts(text: str, intro: str) -> Iterator[_Part]:
    first, *others = items(text)
    opening = f"{intro}\n{first}" if intro else first
    for at, piece in enumerate(_cut(opening, _sentence_starts(opening))):
        yield _Part(piece, " " if at else "\n\n", intro if at else "")
    for item in others:
        for at, piece in enumerate(_cut(item, _sentence_starts(item))):
            yield _Part(piece, " " if at else "\n", intro)


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
