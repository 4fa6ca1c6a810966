"""What a model came from, and what came of a user's words: a walk along links, both ways. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from persona.errors import NotFound

Kind = Literal["user", "dataset", "job", "model", "evaluation", "promotion", "route"]
KINDS: tuple[Kind, ...] = ("user", "dataset", "job", "model", "evaluation", "promotion", "route")
"""In the order in which one comes of the other."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One thing in a lineage. A user's `id` is the key of their rows, never a name."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Link:
    """`later` came of `earlier`; `words` say how, such as how many examples of a user are in a dataset."""

    earlier: Node
    later: Node
    words: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything that the nodes in the middle came from, and everything that came of them."""

    of: tuple[Node, ...]
    earlier: tuple[Link, ...]
    later: tuple[Link, ...]

    def to_dict(self) -> dict[str, Any]:
        """For machines: JSON types only."""
        sides = {"came_from": self.earlier, "led_to": self.later}
        told = {name: [_told(link) for link in links] for name, links in sides.items()}
        return {"of": [{"kind": one.kind, "id": one.id} for one in self.of], **told}


def lineage(links: Iterable[Link], wanted: str, kind: Kind | None = None) -> Lineage:
    """The lineage of what is called so (a model also without its provider), of one kind or of any. Raises NotFound."""
    every = sorted(links, key=lambda one: (one.earlier, one.later))
    nodes = {node for link in every for node in (link.earlier, link.later)}
    of = tuple(sorted(node for node in nodes if kind in (None, node.kind) and _is_called(node, wanted)))
    if not of:
        raise NotFound(
            f"nothing is known of {wanted!r}", hint="name a route, a model, a dataset, a job, or a user with --user"
        )
    return Lineage(of, _walk(every, of, back=True), _walk(every, of, back=False))


def _walk(links: Sequence[Link], start: Iterable[Node], *, back: bool) -> tuple[Link, ...]:
    """The links that lead away from the start, each once, in the order of the kinds."""
    leads = defaultdict[Node, list[tuple[Link, Node]]](list)
    for link in links:
        here, there = (link.later, link.earlier) if back else (link.earlier, link.later)
        leads[here].append((link, there))
    seen, waiting, found = set(start), list(start), dict[Link, None]()
    while waiting:
        for link, there in leads[waiting.pop()]:
            found[link] = None
            if there not in seen:
                seen.add(there)
                waiting.append(there)
    place = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(
        sorted(found, key=lambda one: (place[one.earlier.kind], one.earlier, place[one.later.kind], one.later))
    )


def _is_called(node: Node, wanted: str) -> bool:
    return wanted == node.id or (node.kind == "model" and node.id.partition(":")[2] == wanted)


def _told(link: Link) -> dict[str, Any]:
    return {
        "earlier": {"kind": link.earlier.kind, "id": link.earlier.id},
        "later": {"kind": link.later.kind, "id": link.later.id},
        "words": link.words,
    }
