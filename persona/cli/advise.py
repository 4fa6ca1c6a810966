"""`persona advise`: prompt, retrieval or fine-tuning?"""

from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import show, show_json, show_table

if TYPE_CHECKING:
    from persona.promotion.advice import Advice


def advise(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")],
    days: Annotated[int, typer.Option("--days", min=1, max=3_650, help="Turns of so many days are looked at.")] = 90,
    training_price: Annotated[
        float | None,
        typer.Option(
            "--training-price", min=0, metavar="USD", help="A million trained tokens.", show_default="the backend's"
        ),
    ] = None,
    hosting_price: Annotated[
        float | None,
        typer.Option(
            "--hosting-price",
            min=0,
            metavar="USD",
            help="An hour of hosting the tuned model.",
            show_default="the backend's",
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            "--base", metavar="TARGET", help="The model that would be tuned.", show_default="what serves most"
        ),
    ] = "",
    json: Json = False,
    config: Config = None,
) -> None:
    """Say from the log what comes first on a route: a better prompt, retrieval, fine-tuning, or nothing yet, and why.

    What is unknown is said to be unknown. Nothing is called, and nobody's words are printed.
    """
    from persona.assistant.advising import advise_on

    settings = read_settings(config)
    found = advise_on(settings, route, days=days, base=base, training_price=training_price, hosting_price=hosting_price)
    if json:
        show_json(found.to_dict())
    else:
        _show(found)


def _show(found: "Advice") -> None:
    show(f"{found.route}: {found.answer}")
    for reason in found.because:
        show(f"- {reason}")
    saving, faults = found.saving, found.faults
    enough = ", ".join(name for name, reached in found.purposes.items() if reached) or "nothing yet"
    bad = "unknown" if found.bad_share is None else f"{found.bad_share:.0%} of those judged"
    rows = [
        ("bad replies", bad),
        ("- shown nothing recalled", str(faults["knowledge"])),
        ("- not in the style or form wanted", str(faults["style"])),
        ("- unclear", str(faults["unclear"])),
        ("instructions and shots", f"{saving.tokens_a_turn:,.0f} tokens a turn"),
        ("a tuned model saves at most", _dollars(saving.usd_a_month, " a month")),
        ("training", _dollars(saving.training_usd)),
        ("hosting", _dollars(saving.hosting_usd_a_month, " a month")),
        ("paid for after", _months(saving.months)),
        ("usable examples", f"{found.usable:,}, enough for {enough}"),
        ("- waiting for a judgement", f"{found.waiting:,}"),
        ("a comparison would show", _difference(found.detectable)),
        *((f"tuning {found.base}" if not at else "", words) for at, words in enumerate(found.tuning)),
    ]
    show_table(("", ""), rows)


def _dollars(amount: float | None, per: str = "") -> str:
    return "unknown" if amount is None else f"${amount:,.2f}{per}"


def _months(months: float | None) -> str:
    if months is None:
        return "unknown"
    return "never" if months == float("inf") else f"{months:,.1f} months"


def _difference(least: float | None) -> str:
    return "nothing: too few users" if least is None else f"differences from {least:.0%} of passed examples on"
