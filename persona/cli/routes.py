"""`persona routes`: what serves which share of the conversations, how it goes, and changing it."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings, settings_path
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.words import Who, me, moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.assistant.serving import Served
    from persona.store.changes import Change
    from persona.store.holds import Hold


def routes(context: typer.Context, json: Json = False, config: Config = None) -> None:
    """List what each route serves: arms, shares, targets and fallbacks, with what is known of the models.

    Prices are US dollars for a million tokens, read and written. Calls are those of the last 24 hours.
    """
    if context.invoked_subcommand:
        return
    from persona.assistant import serving

    settings = read_settings(config)
    found, holds = serving.served(settings), {one.route: one for one in serving.held(settings)}
    if json:
        rows = [{**asdict(one), "target": str(one.target), "hold": _hold_json(holds.get(one.route))} for one in found]
        show_json(rows)
        return
    headers = ("route", "arm", "share", "target", "context", "in", "out", "retires", "calls", "failed")
    show_table(headers, [_row(one, holds.get(one.route)) for one in found])
    for one in holds.values():
        missing = "" if one.arm in {row.arm for row in found if row.route == one.route} else ", which is not there"
        aside(f"{one.route} is held on {one.arm}{missing} since {moment(one.since_us)} by {one.who}: {one.why}")


def change(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key under `routes`, such as support.serve.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As in TOML, or a bare word.")],
    who: Who = None,
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

    made = serving.change(path, key, value, who or me(), os.environ)
    if json:
        show_json(asdict(made))
    else:
        show(f"{made.key}: {made.before or 'not set'} -> {made.after}")


def hold(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route that is held.")],
    arm: Annotated[str, typer.Argument(metavar="ARM", help="The arm that is to serve it.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What is recorded as the reason.")],
    who: Who = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Make one arm serve all of a route, at once and everywhere: in running conversations and in other processes too.

    It goes over the settings from each one's next turn on, until it is released. It is recorded with its reason.
    """
    from persona.assistant import serving

    _show_hold(serving.hold(read_settings(config), route, arm, who or me(), why), json)


def release(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route that is held.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What is recorded as the reason.")] = "",
    who: Who = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Let the settings say again what serves a route: each conversation is back on its own arm with its next turn."""
    from persona.assistant import serving

    _show_hold(serving.release(read_settings(config), route, who or me(), why), json)


def history(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most changes that are listed.")] = 20,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the changes and holds that were made here, the newest first."""
    from persona.assistant import serving

    found = serving.history(read_settings(config), limit)
    if json:
        show_json([asdict(one) for one in found])
    elif not found:
        aside("nothing was changed yet")
    else:
        rows = [(moment(one.at_us), one.who, one.key, *_values(one), one.why) for one in found]
        show_table(("when", "who", "key", "before", "after", "why"), rows)


def _show_hold(made: "Change", json: bool) -> None:
    if json:
        show_json(asdict(made))
    else:
        before, after = _values(made)
        show(f"{made.key}: {before} -> {after}")


def _values(one: "Change") -> tuple[str, str]:
    return one.before or "not set", one.after or "not set"


def _hold_json(one: "Hold | None") -> dict[str, object] | None:
    return asdict(one) if one else None


def _row(one: "Served", hold: "Hold | None") -> tuple[str, ...]:
    share = f"fallback {one.fallback}" if one.fallback else f"{one.share:.0%}" if one.share else "waits"
    if hold and not one.fallback:
        share = f"held ({share})" if hold.arm == one.arm else f"not now ({share})"
    card = one.card
    context = f"{card.context_tokens:,}" if card and card.context_tokens else "unknown"
    read, written = (_price(card.input_price if card else None), _price(card.output_price if card else None))
    retires = (card.retires if card else "") or "-"
    return one.route, one.arm, share, str(one.target), context, read, written, retires, str(one.calls), str(one.failed)


def _price(dollars: float | None) -> str:
    return "unknown" if dollars is None else f"{dollars:g}"
