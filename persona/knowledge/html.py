"""The blocks of an HTML page: what a reader of it sees."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persona.knowledge.blocks import Block
from persona.knowledge.extras import library
from persona.knowledge.unreadable import Unreadable

_UNSEEN = "head, script, style, noscript, template, iframe, object, svg, [hidden], input, select, textarea"
_STYLE = re.compile(
    r"(?:^|[;{\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*\.?0+(?![\d.])"
    r"|font-size\s*:\s*0+(?:\.0+)?(?:px|pt|em|rem|%)?(?![\d.]))",
    re.I,
)
_SOME_SCREENS = re.compile(
    r"@media\b[^@{};]{0,200}\b(?:print|width|height|orientation|prefers)\b[^@{};]{0,200}\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}",
    re.I,
)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BREAKING = frozenset(
    """
    address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form h1
    h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905 - forty names read better so
)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.I)
_UNNESTED = frozenset(  # what has no end, and what the next one of its kind ends
    "area base br col embed hr img input link meta param source track wbr p li dt dd option tr td th tbody".split()  # noqa: SIM905
)
_DEEPEST = 10_000  # the parser's time grows with the square of it: a second here
_LAYOUT = ", ".join(f"table {tag}" for tag in ("table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre"))
_MOST_RULES = 1_000  # that hide something: each is looked for in the whole page


def blocks_of(path: Path, text: str) -> tuple[Block, ...]:
    """The blocks of a page, without what its reader does not see: comments, scripts, and what its styles hide.

    Raises Unreadable when it is nested without end or hides without end, or when the library is not installed.
    """
    if _is_too_deep(text):
        raise Unreadable(path, f"has more than {_DEEPEST:,} elements that are not ended", "save it again")
    lexbor = library("selectolax.lexbor", path)
    tree = lexbor.LexborHTMLParser(text)
    selectors = dict.fromkeys((_UNSEEN, *_hiding_selectors(tree)))
    if len(selectors) > _MOST_RULES:
        raise Unreadable(path, f"has more than {_MOST_RULES:,} rules that hide something", "save it as plain text")
    hidden = {node.mem_id for selector in selectors for node in _selected(tree, selector, lexbor.SelectolaxError)}
    hidden |= {node.mem_id for node in tree.css("[style]") if _STYLE.search(node.attributes.get("style") or "")}
    page = _Page(hidden, _layouts(tree))
    if tree.body is not None:
        hidden.discard(tree.body.mem_id)  # scripts show it once they are loaded
        page.read(tree.body)
    return tuple(page.blocks)


def _is_too_deep(text: str) -> bool:
    depth = 0
    opened: Counter[str] = Counter()
    for end, name in (match.groups() for match in _TAG.finditer(text)) if text.count("<") > _DEEPEST else ():
        tag = name.lower()
        if tag in _UNNESTED or (end and not opened[tag]):
            continue
        opened[tag] += -1 if end else 1
        depth += -1 if end else 1
        if depth > _DEEPEST:
            return True
    return False


def _hiding_selectors(tree: Any) -> Iterator[str]:
    """The selectors under which the page's own style sheets hide something, and not only on some screens."""
    for sheet in tree.css("style"):
        plain = _SOME_SCREENS.sub("", _CSS_COMMENT.sub("", sheet.text()))
        for rule in plain.split("}"):
            selector, brace, declared = rule.rpartition("{")
            if brace and _STYLE.search(declared):
                yield selector.rpartition("{")[2].strip()


def _layouts(tree: Any) -> set[int]:
    """The tables that part a page rather than hold figures: with tables, headings, lists or code inside."""
    found: set[int] = set()
    passed: set[int] = set()
    for node in tree.css(_LAYOUT):
        above = node.parent
        while above is not None and above.mem_id not in passed:
            passed.add(above.mem_id)
            if above.tag == "table":
                found.add(above.mem_id)
                break
            above = above.parent
    return found


def _selected(tree: Any, selector: str, wrong: type[Exception]) -> list[Any]:
    try:
        return list(tree.css(selector))
    except wrong:  # a selector of the page that is none hides nothing
        return []


@dataclass(slots=True)
class _Page:
    """What was read so far. `lists` holds the next number of each open list, None where its items have none."""

    hidden: set[int]
    layouts: set[int]
    blocks: list[Block] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    lists: list[int | None] = field(default_factory=list)
    mark: str = ""
    lines: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    in_table: bool = False
    in_pre: bool = False

    def read(self, body: Any) -> None:
        """Goes through the nodes, however deep they are nested."""
        todo: list[tuple[Any, bool]] = [(body, False)]
        while todo:
            node, leaves = todo.pop()
            if leaves:
                self._leave(node)
            elif node.tag == "-text":
                self.inline.append(node.text_content or "")
            elif node.mem_id not in self.hidden and not node.tag.startswith("-"):
                self._enter(node)
                todo.append((node, True))
                todo.extend((child, False) for child in reversed(list(node.iter(include_text=True))))
        self._flush()

    def _enter(self, node: Any) -> None:
        tag = node.tag
        if tag == "br":
            self.inline.append("\n" if self.in_pre else " ")
        if tag not in _BREAKING or self.in_table:
            self._enter_cell(tag)
            return
        self._flush()
        if tag in ("ul", "ol"):
            self.lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self.mark = self._next_mark()
        elif tag == "table" and node.mem_id not in self.layouts:
            self.in_table = True
        elif tag == "pre":
            self.in_pre = True

    def _enter_cell(self, tag: str) -> None:
        if not self.in_table:
            return
        if tag == "tr":
            self.inline.clear()
            self.rows.append([])
        elif tag in ("td", "th", "caption"):
            self.inline.clear()
        elif tag in _BREAKING:
            self.inline.append(" ")

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if self.in_table:
            self._leave_cell(tag)
        elif tag in _BREAKING:
            level = int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else 0
            self._flush(level)
            if tag in ("ul", "ol") and self.lists:
                self.lists.pop()
                if not self.lists:
                    self._end_list()
            elif tag == "pre":
                self.in_pre = False

    def _leave_cell(self, tag: str) -> None:
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append(self._said())
        elif tag == "caption":
            self._add(Block("paragraph", self._said()))
        elif tag == "table":
            self.in_table = False
            self.inline.clear()
            rows, self.rows = [row for row in self.rows if any(row)], []
            if all(len(row) == 1 for row in rows):
                for (cell,) in rows:
                    self._add(Block("paragraph", cell))
            else:
                self._add(Block("table", "\n".join(" | ".join(row) for row in rows)))

    def _next_mark(self) -> str:
        number = self.lists[-1] if self.lists else None
        if number is None:
            return "- "
        self.lists[-1] = number + 1
        return f"{number}. "

    def _said(self) -> str:
        said = " ".join("".join(self.inline).split())
        self.inline.clear()
        return said

    def _flush(self, level: int = 0) -> None:
        """Ends the words that were being read: a heading, a line of a list, code or a paragraph."""
        if self.in_pre:
            code = "".join(self.inline).strip("\n")
            self.inline.clear()
            self._add(Block("fence", code))
            return
        said = self._said()
        if not said:
            return
        if self.lists and not level:
            indent = "  " * (len(self.lists) - 1)
            self.lines.append(f"{indent}{self.mark or '  '}{said}")
            self.mark = ""
            return
        self._end_list()
        self._add(Block("heading", said, level) if level else Block("paragraph", said))

    def _end_list(self) -> None:
        lines, self.lines = self.lines, []
        self._add(Block("list", "\n".join(lines)))

    def _add(self, block: Block) -> None:
        if block.text.strip():
            if block.kind != "list":
                lines, self.lines = self.lines, []
                if lines:
                    self.blocks.append(Block("list", "\n".join(lines)))
            self.blocks.append(block)
