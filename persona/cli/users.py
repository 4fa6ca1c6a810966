"""What is kept about one user: conversations and facts."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.ask import as_text
from persona.cli.opening import looking, talking
from persona.cli.options import Config, Json, Tenant, User
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.words import moment, page_json, why_it_came, why_json
from persona.values.time import iso_day

if TYPE_CHECKING:
    from persona.values.memory import Fact, Recalled
    from persona.values.turn import ConversationEntry

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def conversations(
    user: User,
    tenant: Tenant = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Most conversations that are listed.")] = 20,
    cursor: Annotated[
        str, typer.Option("--cursor", metavar="CURSOR", help="The next page, as the last one says.")
    ] = "",
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List a user's conversations, the newest first."""
    with looking(config) as assistant:
        page = assistant.user(user, tenant).conversations(limit, cursor, archived)
    if json:
        show_json(page_json(page))
        return
    rows = [
        (one.id, moment(one.updated_us), str(one.messages), one.route, _title(one), ", ".join(one.tags)) for one in page
    ]
    if not rows:
        aside(f"{user} has no conversations yet: persona chat --user {user}")
        return
    show_table(("conversation", "last used", "messages", "route", "title", "tags"), rows)
    if page.cursor:
        aside(f"there are more: --cursor {page.cursor}")


def _title(one: "ConversationEntry") -> str:
    return f"{one.title}{' (archived)' * one.archived}"


def remember(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The fact, in one or two sentences.")],
    user: User,
    tenant: Tenant = "",
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Such as preference or instruction.")] = "fact",
    slot: Annotated[
        str | None, typer.Option("--slot", metavar="NAME", help="Fill this slot of the profile with it, alone.")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Keep a fact about a user, known from the next turn on."""
    with talking(config) as assistant:
        person = assistant.user(user, tenant)
        if slot is None:
            fact = person.remember(as_text(text), kind)
        else:
            (fact,) = person.set({slot: as_text(text)})
    if json:
        show_json(asdict(fact))
    else:
        show(f"remembered {fact.id}")


def facts(
    user: User,
    tenant: Tenant = "",
    at: Annotated[
        datetime | None, typer.Option("--at", formats=_TIMES, help="Those that held at this time, in UTC.")
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="All that ever held, with the day they ended.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the facts that hold about a user, the oldest first."""
    with looking(config) as assistant:
        found = assistant.user(user, tenant).facts(at, history=history)
    if json:
        show_json([asdict(fact) for fact in found])
    else:
        show_facts(found, user, ended=history or at is not None)


def show_facts(found: "Sequence[Fact]", user: str, *, ended: bool = False) -> None:
    """Facts as a table; with `ended`, also until when each held."""
    if not found:
        aside(f"nothing is known about {user}: persona remember TEXT --user {user}")
        return
    rows = [
        (
            *(fact.id, fact.slot or fact.kind, iso_day(fact.valid_from_us)),
            *((iso_day(fact.valid_to_us) or "now",) if ended else ()),
            *(fact.origin, fact.text),
        )
        for fact in found
    ]
    until = ("until",) if ended else ()
    show_table(("fact", "kind", "since", *until, "told by", "text"), rows)


def recall(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What is asked, in the user's words.")],
    user: User,
    tenant: Tenant = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Most memories that are shown.")] = 5,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what a question would bring back of what a user said and of the facts, and why."""
    with looking(config) as assistant:
        found = assistant.user(user, tenant).recall(as_text(question), limit)
    if json:
        show_json([_hit_json(hit) for hit in found])
    elif found:
        show_table(
            ("score", "date", "kind", "why", "text"),
            [(f"{hit.score:.2f}", hit.source.date, _kind(hit), why_it_came(hit), hit.text) for hit in found],
        )
    else:
        aside("nothing is near enough")


def _kind(hit: "Recalled") -> str:
    return hit.fact_kind or hit.source.kind


def _hit_json(hit: "Recalled") -> dict[str, object]:
    where = {"id": hit.id, "message_id": hit.message_id, "date": hit.source.date, "kind": _kind(hit)}
    return {**where, "score": hit.score, "text": hit.text, "why": why_json(hit)}
