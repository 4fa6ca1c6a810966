"""Printing: for people in colours, for pipes in plain lines, for machines in JSON."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from persona.errors import MisuseError, PersonaError
from persona.reports.spans import harmless, one_line

if TYPE_CHECKING:
    from rich.table import Table

FAILED, MISUSED = 1, 2


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def colours() -> bool:
    """Whether standard output takes colours: https://no-color.org."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def show(text: str) -> None:
    """One text and a line end, at once; on a terminal without what could steer it."""
    sys.stdout.write(f"{harmless(text) if on_terminal() else text}\n")
    sys.stdout.flush()


def show_json(value: object) -> None:
    """A value as one line of JSON, or over several lines on a terminal."""
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()  # another encoding would lose letters
    text = json.dumps(value, ensure_ascii=ascii_only, indent=2 if on_terminal() else None)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str] | None = None) -> None:
    """Rows under headers on a terminal; in a pipe one line a row, parted by tabs. A style goes with a cell's text."""
    if on_terminal():
        _console().print(_table(headers, rows, styles or {}))
    else:
        for row in rows:
            show("\t".join(one_line(cell) for cell in row))


def aside(text: str) -> None:
    """A remark for a person, on standard error; a pipe never sees it."""
    if sys.stderr.isatty() and on_terminal():
        sys.stderr.write(f"\x1b[2m{text}\x1b[0m\n" if colours() else f"{text}\n")
        sys.stderr.flush()


def show_error(error: PersonaError) -> int:
    """Says what failed and what to do, and returns the exit code."""
    sys.stdout.flush()
    sys.stderr.write(f"persona: {harmless(str(error))}\n")
    sys.stderr.flush()
    return MISUSED if isinstance(error, MisuseError) else FAILED


def picture(coloured: Callable[[int], Any], plain: Callable[[int], str]) -> None:
    """A report in colours where they can be seen, else in plain letters."""
    if colours():
        _console().print(coloured(width()))
    else:
        show(plain(width()))


def _console() -> Any:
    from rich.console import Console

    return Console(width=width(), no_color=not colours(), highlight=False)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for place, header in enumerate(headers):
        table.add_column(header, no_wrap=place < len(headers) - 1, overflow="fold")  # ids are there to be copied
    for row in rows:
        table.add_row(*(Text(one_line(cell), style=styles.get(cell, "")) for cell in row))
    return table
