"""`persona import`: chats that were held elsewhere."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json, Tenant, decoded
from persona.cli.output import FAILED, aside, show, show_json, show_table
from persona.cli.progress import progress

if TYPE_CHECKING:
    from persona.harvest.imports.run import ImportReport, Running


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The chats: JSONL, JSON or CSV, or .gz of one.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="FORMAT",
            help="The form of its rows: trl, sharegpt, alpaca, csv …",
            show_default="told by it",
        ),
    ] = None,
    route: Annotated[
        str | None, typer.Option("--route", metavar="NAME", help="The route they are logged under.")
    ] = None,
    tenant: Tenant = "",
    user: Annotated[
        str,
        typer.Option(
            "--user",
            "-u",
            metavar="NAME",
            callback=decoded,
            help="Whose rows without a user are.",
            show_default="each somebody of its own",
        ),
    ] = "",
    remember: Annotated[bool, typer.Option("--remember", help="What users said becomes memories.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Import chats that were logged elsewhere: they can then be harvested, exported and erased like any other.

    Beside its messages a row may tell user, tenant, conversation, created, rating, correction, tags, consent,
    metadata and model. Rows that are no conversation are set aside in FILE.rejected.jsonl, with line and reason.
    Interrupted, the same command goes on where it was; the same file twice imports nothing twice.

    Exit code 0 when every row was taken, 1 when some were set aside.
    """
    from persona.assistant.datasets import import_chats

    settings = read_settings(config)
    seen: list[Running] = []
    with progress("importing") as advance:

        def say(running: "Running") -> None:
            seen[:] = [running]
            advance(running.read, running.size)

        try:
            report = import_chats(
                settings, file, form, route=route, tenant=tenant, user=user, remembers=remember, say=say
            )
        except KeyboardInterrupt:
            sys.stderr.write(f"persona: {_far(seen)}; the same command goes on\n")
            raise
    if json:
        show_json(asdict(report) | {"rejected_file": str(report.rejected_file or "")})
    else:
        _show(report)
    if report.reasons:
        raise typer.Exit(FAILED)


def _far(seen: "list[Running]") -> str:
    return f"{seen[0].progress.conversations:,} conversations are imported" if seen else "nothing is imported yet"


def _show(report: "ImportReport") -> None:
    done = report.progress
    if report.before:
        aside("this file was imported before: nothing is done")
    elif report.resumed:
        aside(f"an earlier import came to line {report.resumed:,}; this one went on")
    if report.reasons:
        show_table(("times", "set aside because"), [(f"{n:,}", reason) for reason, n in report.reasons.items()])
        show(f"set aside in {report.rejected_file}")
    show(
        f"{done.conversations:,} conversations, {done.messages:,} messages as {report.form}, {done.rejected:,} rejected"
    )
