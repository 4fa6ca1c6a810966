"""`persona routes`: what serves which share of the conversations, how it goes, and changing it."""

import getpass
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings, settings_path
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.words import moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.assistant.serving import Served


def routes(context: typer.Context, json: Json = False, config: Config = None) -> None:
    """List what each route serves: arms, shares, targets and fallbacks, with what is known of the models.

    Prices are US dollars for a million tokens, read and written. Calls are those of the last 24 hours.
    """
    if context.invoked_subcommand:
        return
    from persona.assistant.serving import served

    found = served(read_settings(config))
    if json:
        show_json([{**asdict(one), "target": str(one.target)} for one in found])
        return
    headers = ("route", "arm", "share", "target", "context", "in", "out", "retires", "calls", "failed")
    show_table(headers, [_row(one) for one in found])


def change(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key under [routes], such as support.serve.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As in TOML, or a bare word.")],
    who: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who is recorded.", show_default="you")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Change one key of the routes in the settings file, keeping its comments; running assistants follow by themselves.

    The change is recorded with its time and who made it. A change that would leave the settings broken is refused.
    """
    path = settings_path(config)
    if path is None:
        raise MisuseError("there is no settings file to change", hint="run `persona init`, or pass --config")
    from persona.assistant import serving

    made = serving.change(path, key, value, who or _me(), os.environ)
    if json:
        show_json(asdict(made))
    else:
        show(f"{made.key}: {made.before or 'not set'} -> {made.after}")


def history(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most changes that are listed.")] = 20,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the changes that were made here, the newest first."""
    from persona.assistant import serving

    found = serving.history(read_settings(config), limit)
    if json:
        show_json([asdict(one) for one in found])
    elif not found:
        aside("nothing was changed yet")
    else:
        rows = [(moment(one.at_us), one.who, one.key, one.before or "not set", one.after) for one in found]
        show_table(("when", "who", "key", "before", "after"), rows)


def _row(one: "Served") -> tuple[str, ...]:
    share = f"fallback {one.fallback}" if one.fallback else f"{one.share:.0%}" if one.share else "waits"
    card = one.card
    context = f"{card.context_tokens:,}" if card and card.context_tokens else "unknown"
    read, written = (_price(card.input_price if card else None), _price(card.output_price if card else None))
    retires = (card.retires if card else "") or "-"
    return one.route, one.arm, share, str(one.target), context, read, written, retires, str(one.calls), str(one.failed)


def _price(dollars: float | None) -> str:
    return "unknown" if dollars is None else f"{dollars:g}"


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "unknown"
