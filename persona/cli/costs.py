"""`persona costs`: what the model calls in the log used and cost."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show_json, show_table
from persona.errors import MisuseError

_USUAL_DAYS = 30


def costs(
    by: Annotated[
        str, typer.Option("--by", metavar="NAMES", help="Any of tenant, user, route, arm, target, purpose, day.")
    ] = "day,target",
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="The first day, in UTC.", show_default="30 days ago")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="The last day, in UTC.", show_default="today")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Sum up what model calls used and cost, background work included. An unknown price is never taken as 0.

    "from cache" is the share of the input that the providers read from their cache. "repeated" is the share that the
    plans had from the conversation's request before: where the cache is well under it, it expires between requests.
    """
    from persona.assistant.spending import spent
    from persona.store.costs import DIMENSIONS

    names = [name.strip() for name in by.split(",")]
    unknown = [name for name in names if name not in DIMENSIONS]
    if unknown:
        raise MisuseError(f"costs cannot be told by {unknown[0]!r}", hint=f"--by takes {', '.join(DIMENSIONS)}")
    last = _day(until) if until else datetime.now(UTC).date()
    first = _day(since) if since else last - timedelta(days=_USUAL_DAYS - 1)
    chosen = [name for name in dict.fromkeys(names) if name in DIMENSIONS]
    rows = spent(read_settings(config), chosen, first, last)
    if json:
        show_json([{**dict(zip(chosen, one.of, strict=True)), **_numbers(asdict(one))} for one in rows])
        return
    if not rows:
        aside(f"no model was called from {first} to {last}")
        return
    headers = (*chosen, "calls", "failed", "input", "from cache", "repeated", "output", "US dollars")
    show_table(headers, [(*one.of, *_cells(asdict(one))) for one in rows])
    if unpriced := sum(one.unpriced for one in rows):
        aside(f"{unpriced:,} calls have no known price, and are not in the sums: `persona doctor` says which models")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise MisuseError(f"{text!r} is no day", hint="write it like 2026-11-21") from None


def _numbers(one: dict[str, object]) -> dict[str, object]:
    return {**{name: value for name, value in one.items() if name != "of"}, "cost": f"{one['cost']:f}"}


def _cells(one: dict[str, object]) -> tuple[str, ...]:
    counts = [f"{one[name]:,}" for name in ("calls", "failed", "input_tokens")]
    shares = [_share(one[name]) for name in ("cache_share", "prefix_share")]
    known = "unknown" if one["unpriced"] == one["calls"] else f"{one['cost']:f}"
    paid = f"{known} + {one['unpriced']} unknown" if one["unpriced"] and known != "unknown" else known
    return (*counts, *shares, f"{one['output_tokens']:,}", paid)


def _share(share: object) -> str:
    return "-" if share is None else f"{share:.0%}"
