"""`persona datasets`: those that were made, how they differ, and writing one again without what was erased."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.cli.harvest import show_funnel
from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.words import moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.values.harvest import Funnel

Dataset = Annotated[str, typer.Argument(metavar="ID", help="The id of a dataset, dst_…")]


def listing(json: Json = False, config: Config = None) -> None:
    """List the datasets that were made of this database, the newest first."""
    from persona.assistant.harvesting import listing as find

    found = find(read_settings(config))
    if json:
        show_json([asdict(one) for one in found])
        return
    if not found:
        aside("there are no datasets yet: persona harvest")
        return
    rows = [
        (
            one.id,
            moment(one.created_us),
            one.route,
            f"{one.examples:,}",
            one.path if one.state == "ready" else _gone(one.replaced_by),
        )
        for one in found
    ]
    show_table(("dataset", "made", "route", "examples", "folder"), rows)


def describe(id: Dataset, json: Json = False, config: Config = None) -> None:
    """Show how a dataset was made, and what its checks took out."""
    from persona.assistant.harvesting import show as find

    entry, manifest = find(read_settings(config), id)
    if json:
        show_json({**asdict(entry), "manifest": manifest})
        return
    show(f"{entry.id}: {entry.examples:,} examples of the route {entry.route}, made {moment(entry.created_us)}")
    if entry.state == "replaced":
        show(_gone(entry.replaced_by))
        return
    show(f"in {entry.path}")
    show(str(manifest["consent"]))
    show_funnel(_funnel(manifest))
    files = manifest["files"]
    rows = [(path, f"{one['examples']:,}", f"{one['bytes']:,}") for path, one in files.items()]
    show_table(("file", "lines", "bytes"), rows)


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="The id of a dataset, or its folder.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The id of another one, or its folder.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """Show how two datasets differ: settings, checks, and the examples that only one has."""
    from persona.assistant.harvesting import diff as compare

    found = compare(read_settings(config), first, second)
    if json:
        show_json(asdict(found))
        return
    show(f"{found.both:,} examples in both, {found.only_first:,} only in A, {found.only_second:,} only in B")
    if found.moved:
        show(f"{found.moved:,} of those in both lie on another side of the split")
    rows = [(name, str(a), str(b)) for name, (a, b) in found.settings.items()]
    rows += [(f"taken out: {name}", f"{a:,}", f"{b:,}") for name, (a, b) in found.checks.items()]
    if rows:
        show_table(("", "A", "B"), rows)


def rewrite(
    id: Dataset,
    without_erased: Annotated[
        bool, typer.Option("--without-erased", help="Leave out what was erased or withdrawn since it was made.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Write a dataset again under a new id, and take the files of the old one away; its manifest says so."""
    if not without_erased:
        raise MisuseError("nothing says what is to be left out", hint="pass --without-erased")
    from persona.assistant.harvesting import rewrite as write

    made = write(read_settings(config), id)
    if json:
        show_json(asdict(made))
    elif not made.taken and made.id == id:
        show("nothing of it was erased or withdrawn: it stays as it is")
    elif made.id:
        show(f"{made.taken:,} examples were taken out, {made.kept:,} stay: {made.id} in {made.path}")
    else:
        show(f"all {made.taken:,} examples were taken out, and nothing is left of {id}")


def _gone(replaced_by: str) -> str:
    return f"taken away, replaced by {replaced_by}" if replaced_by else "taken away"


def _funnel(manifest: dict[str, Any]) -> "Funnel":
    from persona.values.harvest import Checked, Funnel

    told = manifest["funnel"]
    checks = tuple(Checked(**{**one, "samples": ()}) for one in told["checks"])
    return Funnel(**{**told, "checks": checks})
