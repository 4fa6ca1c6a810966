"""HTML that cannot be broken by what it shows: text is escaped wherever it is put in, and nowhere is it pasted."""

import re
from collections.abc import Sequence
from html import escape

from persona.reports.spans import harmless

_LONE = re.compile("[\ud800-\udfff]")  # halves of characters, which no file can hold
_ENDLESS = frozenset(("meta",))


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Markup | None


def tag(name: str, /, *children: Child, **attributes: str | int | float | None) -> Markup:
    """An element. Text in it is escaped, unless it is Markup; attributes always. None is left out.

    In the name of an attribute `_` stands for `-`, and one at the end for nothing: `class_`, `aria_label`.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_safe(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _ENDLESS:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Some elements and texts, one after the other."""
    return Markup("".join(one if isinstance(one, Markup) else _safe(one) for one in children if one is not None))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> Markup:
    """A table; where it is narrow, every row is a block in which each value stands after its name."""
    looks = ["number" if at in numbers else None for at in range(len(head))]
    top = tag("tr", *(tag("th", name, class_=look, scope="col") for name, look in zip(head, looks, strict=True)))
    body = [
        tag("tr", *(tag("td", *it[:1], class_=it[1], data_name=it[2]) for it in zip(row, looks, head, strict=True)))
        for row in rows
    ]
    return tag("table", tag("thead", top), tag("tbody", *body))


def _safe(text: str) -> str:
    return escape(_LONE.sub("\N{REPLACEMENT CHARACTER}", harmless(text)), quote=True)
