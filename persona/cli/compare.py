"""`persona compare`: is another arm better, on a holdout or as it serves?"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.progress import progress
from persona.cli.words import moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.values.comparison import Comparison, LiveMetric, Measured

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def compare(
    route: Annotated[str, typer.Argument(metavar="[ROUTE]", help="The route, when there are several.")] = "",
    on: Annotated[
        Path | None, typer.Option("--on", metavar="PATH", help="The holdout: a dataset's folder, or a test file.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="By what the arms served, from the log.")] = False,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=_TIMES, help="With --live: from this time on, in UTC.")
    ] = None,
    arms: Annotated[
        str,
        typer.Option(
            "--arms",
            metavar="A,B",
            help="The base and the other arm; logged: as answered then.",
            show_default="serves most, other",
        ),
    ] = "",
    judge: Annotated[str, typer.Option("--judge", metavar="ROUTE", help="A route whose model judges.")] = "",
    schema: Annotated[
        Path | None, typer.Option("--schema", metavar="FILE", help="A JSON schema that an answer has to follow.")
    ] = None,
    pattern: Annotated[
        str, typer.Option("--pattern", metavar="REGEX", help="A regular expression that a whole answer has to match.")
    ] = "",
    by: Annotated[
        str,
        typer.Option("--by", metavar="METRIC", help="What it is about.", show_default="judge, format, chrf"),
    ] = "",
    margin: Annotated[float, typer.Option("--margin", min=0, help="How much worse is still no worse.")] = 0.02,
    limit_usd: Annotated[
        str,
        typer.Option("--limit-usd", metavar="AMOUNT", help="Stop before dollars pass this.", show_default="none"),
    ] = "",
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=1_000, help="Most calls at once.")] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0, help="For what is drawn: the same numbers again.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="For answers and report.", show_default="one in comparisons/"),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Compare two arms of a route, on the same examples (--on) or as they serve (--live).

    With --on every example is asked through both arms, each with its own window. Interrupted, the same command goes on
    and asks nothing twice. With --live nothing is asked, and looking as often as you like is safe.
    """
    named = tuple(name.strip() for name in arms.split(",") if name.strip())
    if live == (on is not None):
        raise MisuseError("nothing says what to compare by", hint="pass either --on PATH or --live")
    if live:
        _live(route, named, since, json=json, config=config)
        return
    assert on is not None, "--on was given"  # noqa: S101 - narrows the type
    from persona.assistant.evaluating import Wish
    from persona.assistant.evaluating import compare as run

    wish = Wish(
        *(on, route, named, judge, schema, pattern, by, margin, _dollars(limit_usd), concurrency, seed, out),
    )
    try:
        with progress("comparing") as advance:
            found = asyncio.run(run(read_settings(config), wish, advance))
    except KeyboardInterrupt:
        sys.stderr.write("persona: interrupted; the answers so far are kept, and the same command goes on\n")
        raise
    if json:
        show_json(found.to_dict())
    else:
        _show(found)


def _live(route: str, arms: Sequence[str], since: datetime | None, *, json: bool, config: str | None) -> None:
    from persona.assistant.evaluating import live
    from persona.values.time import to_us

    found = live(read_settings(config), route, arms, to_us(since.replace(tzinfo=UTC)) if since else 0)
    if json:
        show_json(found.to_dict())
        return
    base, other = found.arms
    if not any(found.turns):
        aside("no turn has ended yet")
        return
    rows = [_live_row(one) for one in found.metrics]
    show_table(("metric", base, other, "difference", "always-valid 95 %", "p", "users", "so far"), rows)
    aside(f"{found.turns[0]:,} turns on {base}, {found.turns[1]:,} on {other}")
    for note in found.notes:
        aside(note)


def _live_row(one: "LiveMetric") -> tuple[str, ...]:
    between = "too few users" if one.low is None else f"{one.low:+.3g} to {one.high:+.3g}"
    so_far = "no difference shown yet"
    if one.since_us:
        good = (one.difference > 0) == (one.better == "higher")
        so_far = f"{'better' if good else 'worse'} since {moment(one.since_us)}"
    return (
        *(one.metric, f"{one.base:.3g}", f"{one.other:.3g}", f"{one.difference:+.3g}", between),
        *(f"{one.p:.3g}", f"{one.users[0]:,} / {one.users[1]:,}", so_far),
    )


def _show(found: "Comparison") -> None:
    base, other = found.arms
    heads = ("metric", base, other, "difference", "95 %", "p", "shows from", "won / lost")
    whole = [one for one in found.measured if not one.topic]
    show_table(heads, [_row(one, one.metric) for one in whole])
    by_topic = [one for one in found.measured if one.topic and one.metric == found.by]
    if by_topic:
        show_table((f"{found.by} on", *heads[1:]), [_row(one, one.topic) for one in by_topic])
    show(found.words)
    for arm, errors in found.failures.items():
        show(f"{arm} failed: {', '.join(f'{number} {error}' for error, number in errors.items())}")
    for note in found.notes:
        aside(note)
    paid = ", ".join(f"{name} {f'${cost}' if cost else 'unknown'}" for name, cost in found.costs.items())
    aside(f"{found.pairs:,} of {found.examples:,} examples, {found.users:,} users; cost: {paid}")
    show(f"{found.id} in {found.report}")


def _row(one: "Measured", name: str) -> tuple[str, ...]:
    between = "too few users" if one.low is None else f"{one.low:+.3g} to {one.high:+.3g}"
    least = "-" if one.detectable is None else f"{one.detectable:.2g}"
    return (
        *(name, f"{one.base:.3g}", f"{one.other:.3g}", f"{one.difference:+.3g}", between),
        *(f"{one.corrected:.3g}", least, f"{one.wins:,} / {one.losses:,}"),
    )


def _dollars(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise MisuseError(f"{text!r} is no amount of dollars", hint="write it like 2.50")
    return amount
