"""`persona users`: who there is, what is kept about one, and what they may ask: a copy, to be joined, to be erased."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import looking, read_settings
from persona.cli.options import Config, Json, Tenant, decoded
from persona.cli.output import FAILED, aside, on_terminal, picture, show, show_json, show_table
from persona.cli.words import moment
from persona.errors import MisuseError
from persona.values.owner import Owner
from persona.values.time import iso_day

if TYPE_CHECKING:
    from persona.privacy.look import Portrait
    from persona.values.privacy import Receipt

Name = Annotated[str, typer.Argument(metavar="USER", callback=decoded, help="The user's name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_CONSENT = {None: "never asked", True: "yes", False: "no"}


def users(
    tenant: Tenant = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most users that are listed.")] = 100,
    after: Annotated[str, typer.Option("--after", metavar="NAME", help="Those after this name.")] = "",
    json: Json = False,
    config: Config = None,
) -> None:
    """List the users of a tenant by name; with --json one line a user."""
    from persona.assistant import people

    found = people.users(read_settings(config), tenant, limit + 1, after)
    shown = found[:limit]
    if json:
        for one in shown:
            show_json(asdict(one))
    elif not shown:
        aside("there are none" if not after else f"there are none after {after}")
    else:
        headers = ("user", "conversations", "messages", "since", "last seen", "training")
        rows = [
            (
                *(one.name, str(one.conversations), str(one.messages), iso_day(one.created_us)),
                *(moment(one.seen_us) if one.seen_us else "never", _CONSENT[one.consent]),
            )
            for one in shown
        ]
        show_table(headers, rows)
    if len(found) > limit:
        aside(f"there are more: --after {shown[-1].name}")


def show_user(user: Name, tenant: Tenant = "", json: Json = False, config: Config = None) -> None:
    """Show what is kept about a user, and what was known of them when."""
    from persona.assistant import people

    found = people.portrait(read_settings(config), Owner(tenant, user))
    if json:
        show_json(asdict(found))
    else:
        _show_portrait(found)


def _show_portrait(found: "Portrait") -> None:
    from persona.conversation.services import utc_now_us
    from persona.reports import timeline

    numbers, now_us = found.numbers, utc_now_us()
    show(f"user           {found.owner.name}{f' of {found.owner.tenant}' if found.owner.tenant else ''}")
    show(f"since          {iso_day(numbers.created_us)}")
    show(f"last seen      {moment(numbers.seen_us) if numbers.seen_us else 'never'}")
    show(f"conversations  {numbers.conversations} with {numbers.messages} messages")
    show(f"memories       {numbers.memories}")
    answers = ", ".join(f"{_CONSENT[one.training]} on {iso_day(one.at_us)}" for one in found.consents)
    show(f"training       {_CONSENT[found.consent]}{f' ({answers})' if answers else ''}")
    show(f"learning       {'on' if found.learning else 'off'}")
    holding = sum(not fact.valid_to_us for fact in found.facts)
    show(f"facts          {holding} hold, {len(found.facts) - holding} ended")
    if found.facts:
        show("")
        picture(
            lambda width: timeline.picture(found.facts, now_us, width),
            lambda width: timeline.plain_picture(found.facts, now_us, width),
        )


def export(
    user: Name,
    tenant: Tenant = "",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="A file instead of standard output.")
    ] = None,
    config: Config = None,
) -> None:
    """Write everything that belongs to a user as one JSON document."""
    if output is None:
        from persona.assistant import people

        people.write_export(read_settings(config), Owner(tenant, user), sys.stdout)
        return
    with looking(config) as assistant:
        exported = assistant.user(user, tenant).export(output)
    show(f"{output} holds {sum(exported.counts.values())} rows of {user}")


def erase(
    user: Name,
    tenant: Tenant = "",
    conversation: Annotated[
        str | None, typer.Option("--conversation", "-c", metavar="ID", help="Only this conversation.")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", metavar="ID", help="Only this message, with its answers.")
    ] = None,
    fact: Annotated[str | None, typer.Option("--fact", metavar="ID", help="Only this fact.")] = None,
    yes: Yes = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Erase a user, or one thing of theirs, for good, and print the receipt. A copy first: persona users export."""
    if sum(one is not None for one in (conversation, message, fact)) > 1:
        raise MisuseError("one thing is erased at a time", hint="pass --conversation, --message or --fact, or none")
    part = next((what for what, id in _parts(conversation, message, fact) if id), "everything")
    _confirm(f"Erase {part} of {user}{f' of {tenant}' if tenant else ''} for good?", yes)
    with looking(config) as assistant:
        person = assistant.user(user, tenant)
        if conversation is not None:
            receipt = person.conversation(conversation).erase()
        elif message is not None:
            receipt = person.erase_message(message)
        elif fact is not None:
            receipt = person.erase_fact(fact)
        else:
            receipt = person.erase()
    _show_receipt(receipt, json)


def _parts(conversation: str | None, message: str | None, fact: str | None) -> tuple[tuple[str, str | None], ...]:
    return (
        (f"conversation {conversation}", conversation),
        (f"message {message}", message),
        (f"fact {fact}", fact),
    )


def merge(
    visitor: Annotated[str, typer.Argument(metavar="VISITOR", callback=decoded, help="Who goes.")],
    into: Annotated[str, typer.Argument(metavar="USER", callback=decoded, help="Who stays, and gets everything.")],
    tenant: Tenant = "",
    yes: Yes = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Join an anonymous visitor to the account they log in to; the visitor is gone afterwards."""
    _confirm(f"Give everything of {visitor} to {into}, for good?", yes)
    with looking(config) as assistant:
        merged = assistant.user(visitor, tenant).merge_into(into)
    if json:
        show_json(asdict(merged))
        return
    moved = ", ".join(f"{number} {name}" for name, number in merged.counts.items())
    show(f"{into} has {moved or 'nothing new'}")
    for old, new in merged.renamed.items():
        show(f"conversation {old} is now {new}: {into} had one of that id")


def consent(
    user: Name,
    tenant: Tenant = "",
    training: Annotated[
        str | None, typer.Option("--training", metavar="yes|no", help="May their exchanges be used for training?")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Record whether a user's exchanges may be used for training, or list their answers."""
    if training not in (None, "yes", "no"):
        raise MisuseError(f"--training is {training!r}", hint="pass yes or no")
    with looking(config, make=training is not None) as assistant:
        person = assistant.user(user, tenant)
        if training is not None:
            person.consent(training=training == "yes")
        answers = person.consents()
    if json:
        show_json([asdict(one) for one in answers])
    elif not answers:
        aside(f"{user} was never asked: --training yes|no records an answer")
    else:
        show_table(("since", "training"), [(moment(one.at_us), _CONSENT[one.training]) for one in answers])


def learning(
    user: Name,
    switch: Annotated[str, typer.Argument(metavar="on|off", help="Are facts learnt from what they write?")],
    tenant: Tenant = "",
    config: Config = None,
) -> None:
    """Turn learning on or off for a user. What was learnt stays: see persona users show and persona users erase."""
    if switch not in ("on", "off"):
        raise MisuseError(f"learning is {switch!r}", hint="pass on or off")
    with looking(config, make=True) as assistant:
        assistant.user(user, tenant).learning(switch == "on")
    show(f"learning is {switch} for {user}")


def audit(
    user: Name,
    tenant: Tenant = "",
    days: Annotated[int, typer.Option("--days", min=1, help="A fact older than that is stale.")] = 365,
    json: Json = False,
    config: Config = None,
) -> None:
    """Find facts that are said twice, contradict each other, have no source, or are stale. Exits with 1 for any."""
    from persona.assistant import people

    found = people.findings(read_settings(config), Owner(tenant, user), days)
    if json:
        show_json([asdict(one) for one in found])
    elif not found:
        aside("nothing to look at")
    else:
        rows = [
            (one.kind, one.reason, fact.id, iso_day(fact.valid_from_us), fact.text)
            for one in found
            for fact in one.facts
        ]
        show_table(("finding", "why", "fact", "since", "text"), rows)
    if found:
        raise typer.Exit(FAILED)


def receipts(
    receipt: Annotated[str | None, typer.Argument(metavar="[RECEIPT]", help="Show this one.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most receipts that are listed.")] = 100,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the receipts of what was erased, the newest first, or show one."""
    from persona.assistant import people

    settings = read_settings(config)
    if receipt is not None:
        _show_receipt(people.receipt(settings, receipt), json)
        return
    found = people.erasures(settings, limit)
    if json:
        for one in found:
            show_json(one.to_dict())
    elif not found:
        aside("nothing was ever erased")
    else:
        rows = [(one.id, moment(one.erased_us), one.scope, str(sum(one.counts.values()))) for one in found]
        show_table(("receipt", "erased", "scope", "rows"), rows)


def _show_receipt(receipt: "Receipt", json: bool) -> None:
    if json:
        show_json(receipt.to_dict())
        return
    show(f"receipt {receipt.id}: {receipt.scope}, {moment(receipt.erased_us)}")
    rows = [(name, str(number), "table") for name, number in receipt.counts.items()]
    rows += [(name, str(number), "index") for name, number in receipt.indexes.items()]
    show_table(("erased from", "rows", ""), rows)
    if receipt.scrubbed_us:
        show(f"no trace is left in the database file since {moment(receipt.scrubbed_us)}")
    for sentence in receipt.remains:
        show(f"may still hold it: {sentence}")


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and on_terminal()):
        raise MisuseError("this cannot be taken back, and nobody is here to be asked", hint="pass --yes")
    if not typer.confirm(question):
        raise typer.Exit(FAILED)
