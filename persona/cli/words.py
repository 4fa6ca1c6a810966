"""Values as the command line says them: JSON types for machines, short words for people."""

import getpass
from dataclasses import asdict
from typing import Annotated, Any

import typer

from persona.values.memory import Recalled, Source
from persona.values.time import from_us
from persona.values.turn import Page, Reply

Who = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who is recorded.", show_default="you")]


def me() -> str:
    """Whoever runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "unknown"


def reply_json(reply: Reply) -> dict[str, Any]:
    """A reply in JSON types; the cost is a decimal as text, and null where it is unknown."""
    amount = reply.cost.amount
    cost = {"amount": None if amount is None else f"{amount:f}", "source": reply.cost.source}
    whole = {**asdict(reply), "cost": cost}
    del whole["answer"]  # nobody asks for an object here
    return whole


def page_json(page: Page) -> dict[str, Any]:
    """One page of conversations in JSON types."""
    return asdict(page)


def sources(reply: Reply) -> str:
    """Where a reply's recalled texts come from, each once; empty when there were none."""
    return ", ".join(dict.fromkeys(map(_named, reply.sources)))


def _named(source: Source) -> str:
    if not source.title:
        return f"what you said{f' on {source.date}' if source.date else ''}"
    place = [*([source.heading] if source.heading else []), *([f"page {source.page}"] if source.page else [])]
    return f"{source.title} ({', '.join(place)})" if place else source.title


def why_it_came(hit: Recalled) -> str:
    """What the score of a hit is made of."""
    said = f"meaning {hit.dense:+.2f}, words {hit.lexical:+.2f} × {hit.coverage:.2f}, {hit.holds:.0%} of the terms"
    more = {"as a statement": hit.standing, "its date": hit.dated, "what it changes": hit.newer}
    return ", ".join([said, *(f"{name} {value:+.2f}" for name, value in more.items() if value)])


def why_json(hit: Recalled) -> dict[str, float]:
    """The same for machines; the score is `dense + coverage * lexical + standing + dated + newer`."""
    parts = ("dense", "lexical", "coverage", "holds", "near_dense", "near_lexical", "standing", "dated", "newer")
    return {name: getattr(hit, name) for name in parts}


def moment(us: int) -> str:
    """A stored time in the zone of this machine, to the minute."""
    return from_us(us).astimezone().strftime("%Y-%m-%d %H:%M")
