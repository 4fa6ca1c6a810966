"""How far a long command is: a bar for a person on standard error, nothing in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from persona.cli.output import colours

Advance = Callable[[int, int | None], None]
"""Says how much is done, and of how much, where that is known."""


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Shows a bar while the block runs, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True, no_color=not colours())
    with Progress(*columns, console=console, transient=True) as bar:
        running = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(running, completed=done, total=total)
