"""`persona harvest`: from the log to training data."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.progress import Advance, progress
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.harvest.run import Progress
    from persona.settings import Settings
    from persona.values.harvest import Funnel, Outcome

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_STAGES = {"selection": "asked for", "log": "in the log", "example": "as an example", "dataset": "beside the others"}


def harvest(
    route: Annotated[str | None, typer.Argument(metavar="[ROUTE]", help="The route, when there are several.")] = None,
    form: Annotated[
        list[str] | None, typer.Option("--format", metavar="FORMAT", help="A form of files; may be given again.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Datasets get folders in it.")] = Path(
        "datasets"
    ),
    arm: Annotated[
        str, typer.Option("--arm", metavar="NAME", help="The arm that will serve.", show_default="serves most")
    ] = "",
    raw: Annotated[bool, typer.Option("--raw", help="As it was said, not through the arm's window.")] = False,
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="UNIT", help="exchange or conversation: what one example is.")
    ] = None,
    answered_by: Annotated[
        list[str] | None, typer.Option("--answered-by", metavar="ARM", help="Only replies of this arm; again for more.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=_TIMES, help="From this time on, in UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=_TIMES, help="Before this time, in UTC.")] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", metavar="CODE", help="Only this language; again for more.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Only conversations with a tag; again for more.")
    ] = None,
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", metavar="NAME", help="Only this customer's users; again for more.")
    ] = None,
    user: Annotated[
        list[str] | None, typer.Option("--user", metavar="NAME", help="Only this user; again for more.")
    ] = None,
    rated_from: Annotated[
        float | None, typer.Option("--rated-from", metavar="NUMBER", help="Only replies rated so or better.")
    ] = None,
    holdout: Annotated[
        datetime | None, typer.Option("--holdout", formats=_TIMES, help="What comes after this is for testing alone.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="Processes at work.", show_default="one on each core")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be kept, and why not more.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with a run that was interrupted.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Make a dataset of the log: selected, rendered, checked, without personal data or duplicates, split, written.

    The same log, settings and seed give the same bytes. Interrupted, the same command goes on where it was.
    """
    from persona.assistant.harvesting import Wish, try_out
    from persona.assistant.harvesting import harvest as run

    settings = _changed(read_settings(config), rows, language, processes)
    wish = Wish(
        *(route or "", tuple(form or ("trl",)), out, arm, raw, tuple(answered_by or ()), since, until),
        *(tuple(tenant or ()), tuple(user or ()), tuple(tag or ()), rated_from, holdout, anew),
    )
    with _going_on(dry_run), progress("harvesting") as advance:
        outcome = (try_out if dry_run else run)(settings, wish, _say(advance, quiet=json))
    if json:
        show_json(outcome.to_dict())
        return
    show_funnel(outcome.funnel)
    _show(outcome)


def show_funnel(funnel: "Funnel") -> None:
    """From the log to what is kept, with each check that took something out."""
    rows = [("exchanges in the log", f"{funnel.exchanges:,}", "")]
    for stage, place in _STAGES.items():
        some = [one for one in funnel.checks if one.stage == stage]
        rows += [(f"  - {one.name}", f"{one.number:,}", f"{place}: {one.about}") for one in some if one.number]
        rows += [(f"  ~ {one.name}", f"{one.mended:,}", one.about) for one in some if one.mended]
        if stage == "log":
            rows.append(("examples made of them", f"{funnel.examples:,}", ""))
    rows.append(("kept", f"{funnel.kept:,}", ""))
    show_table(("", "number", "because"), rows)


def _show(outcome: "Outcome") -> None:
    sides = ", ".join(f"{one.side} {one.examples:,} of {one.users:,} users" for one in outcome.sides)
    show(sides)
    for each in outcome.formats:
        if each.unsayable:
            reason, number = max(each.unsayable.items(), key=lambda one: one[1])
            show(f"{each.name} has no words for {sum(each.unsayable.values()):,} of them, such as {number:,}: {reason}")
        for told in each.problems:
            show(f"{each.name} would be refused: {told}")
    for note in outcome.notes:
        aside(note)
    if outcome.settings["settings"]["consent"] != "required":  # type: ignore[index]
        show(outcome.consent)
    reached = [one.name for one in outcome.purposes if one.reached]
    show(
        f"enough for {', '.join(reached)}" if reached else f"not enough yet: {outcome.purposes[0].least} are the least"
    )
    if outcome.id:
        show(f"{outcome.id} in {outcome.path}")
        show(f"look at {Path(outcome.path) / 'report.html'}")


def _changed(settings: "Settings", rows: str | None, languages: list[str] | None, processes: int | None) -> "Settings":
    from persona.settings.fields import is_language  # by now it is loaded anyway

    if rows not in (None, "exchange", "conversation"):
        raise MisuseError(f"an example is no {rows!r}", hint="--rows takes exchange or conversation")
    if bad := next((one for one in languages or () if not is_language(one)), None):
        raise MisuseError(f"{bad!r} is no code of a language", hint="write --language fr, by ISO 639-1")
    told = {"rows": rows, "languages": tuple(languages) if languages else None, "processes": processes}
    wished = settings.harvest.model_copy(update={name: value for name, value in told.items() if value is not None})
    return settings.model_copy(update={"harvest": wished})


def _say(advance: Advance, *, quiet: bool) -> "Callable[[Progress], None]":
    told = False

    def say(one: "Progress") -> None:
        nonlocal told
        if one.step == "reading":
            advance(one.done, one.total)
        if one.resumed and not told and not quiet:
            aside(f"going on: {one.resumed:,} of {one.total:,} parts were done by an earlier run")
            told = True

    return say


@contextmanager
def _going_on(dry: bool) -> Iterator[None]:
    """Says after an interruption that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        if not dry:
            sys.stderr.write("persona: interrupted; what is done stays, and the same command goes on\n")
            sys.stderr.flush()
        raise
