"""How the demo looks in a terminal: 80 columns, with or without colour."""

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from persona import Plan, Reply
from persona.reports.bar import bar
from persona.reports.spans import coloured, plain
from persona.reports.window import picture, plain_picture
from persona.values.harvest import Funnel

WIDTH = 80
console = Console(highlight=False)
console.width = min(console.width, WIDTH)
COLOUR = console.is_terminal and not console.no_color  # without, letters make the bars


def scene(title: str) -> None:
    """Begins a new scene."""
    console.print()
    console.print(Rule(Text(title, style="bold"), align="left", characters="─"))


def note(text: str) -> None:
    """Says something about what happens."""
    console.print(Text(text, style="dim"))


def said(who: str, text: str) -> None:
    """A line of a user."""
    _hanging(f"{who}:", "bold cyan", text)


def replied(reply: Reply) -> None:
    """A reply."""
    _hanging("  →", "bold green", reply.text)


def checked(what: str, holds: bool) -> None:
    """A claim of the demo, verified. Raises AssertionError where it does not hold."""
    if not holds:
        raise AssertionError(f"the demo claims {what!r}, and it is not so")
    _hanging("  ✓", "bold green", what)


def window(plan: Plan) -> None:
    """A window as `persona why` shows it."""
    console.print(picture(plan, console.width) if COLOUR else Text(plain_picture(plan, console.width, cut=True)))


def stripe(plan: Plan) -> None:
    """A window as a bar, one colour or letter per section, and how full it is."""
    line = bar(plan, console.width, colour=COLOUR)
    console.print(coloured([line]) if COLOUR else Text(plain([line])))
    console.print(Text(f"{plan.total} of {plan.limit} tokens, {plan.history.turns} turns of history", style="dim"))


def funnel(funnel: Funnel) -> None:
    """What a harvest kept, and what each check took out or mended."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right")
    grid.add_row(str(funnel.exchanges), Text("replies in the log"))
    for one in funnel.checks:
        if one.number or one.mended:
            sign, number = ("-", one.number) if one.number else ("~", one.mended)
            grid.add_row(Text(f"{sign}{number}"), Text(f"{one.name}: {one.about}", style="dim"))
    grid.add_row(str(funnel.kept), Text("examples kept"))
    console.print(grid)


def copied(line: str) -> None:
    """Something to be copied: on one line, however long."""
    console.print(Text(line), soft_wrap=True)


def _hanging(lead: str, style: str, text: str) -> None:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text(lead, style=style), Text(text))
    console.print(grid)
