"""`persona promote` and `persona rollback`: an arm on its way to serve its route, and back."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import settings_path
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.words import Who, me, moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.values.promotion import Promotion

Route = Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")]


def promote(
    route: Route,
    arm: Annotated[
        str, typer.Argument(metavar="[ARM]", help="The arm that is to serve it; without one, where each arm stands.")
    ] = "",
    to: Annotated[
        str, typer.Option("--to", metavar="STEP", help="Go on to shadow, canary or promoted.", show_default="next step")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Go over what stands against it; needs --why.")] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What is recorded as the reason.")] = "",
    job: Annotated[str, typer.Option("--job", metavar="ID", help="The tuning job that made the arm's model.")] = "",
    who: Who = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Take an arm one step on: from candidate to shadow, to a canary share of the users, to serving all of its route.

    Each step needs a comparison with the arm that serves: a win, or no worse and cheaper. It is written to the settings
    file, whose comments stay, and running assistants follow by themselves.
    """
    from persona.assistant.promoting import promote

    path = _path(config)
    if not arm:
        _show_standing(route, path, json=json)
        return
    made = promote(path, route, arm, who or me(), to=to, why=why, force=force, job=job, environment=os.environ)
    if json:
        show_json([asdict(one) for one in made])
        return
    for one in made:
        show(f"{route}: {arm} is at {one.step!r} now{f', by {one.evaluation}' if one.evaluation else ''}")
        for reason in one.refused:
            aside(f"forced over: {reason}")


def rollback(
    route: Route,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What is recorded as the reason.")] = "",
    who: Who = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Let a route serve again what served before the last promotion: at once, everywhere, in running conversations too.

    It is held on that arm, and the settings file is changed back. The hold stays until it is released.
    """
    from persona.assistant.promoting import rollback

    made, hold = rollback(_path(config), route, who or me(), why, os.environ)
    if json:
        show_json({"promotion": asdict(made), "hold": asdict(hold)})
        return
    show(f"{route}: {made.arm} was rolled back, {hold.arm} serves")
    aside(f"conversations that began on {made.arm} would go back to it after `persona routes release {route}`")


def _show_standing(route: str, path: Path, *, json: bool) -> None:
    from persona.assistant.promoting import standing
    from persona.settings import load

    found = standing(load(path), route)
    if json:
        show_json([asdict(one) for one in found])
        return
    rows = [(one.arm, one.state, f"{one.share:.0%}", *(_last(one.last) if one.last else ("",) * 4)) for one in found]
    show_table(("arm", "state", "share", "last step", "when", "by", "why"), rows)


def _last(step: "Promotion") -> tuple[str, str, str, str]:
    return step.step, moment(step.at_us), step.who, step.why or step.evaluation


def _path(config: str | None) -> Path:
    path = settings_path(config)
    if path is None:
        raise MisuseError("there is no settings file to change", hint="run `persona init`, or pass --config")
    return path
