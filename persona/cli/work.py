"""`persona work` and `persona prune`: what runs beside the backend."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.settings import Settings
    from persona.tasks.batch import Batch


def work(
    once: Annotated[bool, typer.Option("--once", help="Leave when nothing is due.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Do background work in this process, until SIGTERM or Ctrl-C. Several may work on one database.

    Prints a line for each batch; what fails, and what is pruned, is logged to standard error.
    """
    with _logging_to_stderr():
        asyncio.run(_work(read_settings(config), once, _say_in_json if json else _say))


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help="Rewrite SQLite's file however large it is; writers wait meanwhile.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Delete the conversations that the rules under `retention` say are old enough, now. Without rules: none.

    SQLite may keep copies of deleted rows in unused parts of its file until that is rewritten, as it is here when it
    has less than 64 MB.
    """
    from persona.assistant import operator

    settings = read_settings(config)
    if dry_run and vacuum:
        raise MisuseError("--dry-run changes nothing, and --vacuum rewrites the file", hint="pass one of them")
    found = asyncio.run(operator.prune(settings, dry=dry_run, vacuum=vacuum))
    if json:
        show_json({"dry_run": dry_run, "pruned": [asdict(one) for one in found]})
    elif not settings.retention:
        aside("there are no rules: write [[retention]] into the settings")
    elif not found:
        aside("nothing is old enough")
    else:
        rows = [(one.tenant or "-", one.route, str(one.conversations), str(one.messages)) for one in found]
        show_table(("tenant", "route", "conversations", "messages"), rows)


async def _work(settings: "Settings", once: bool, say: "Callable[[Batch], None]") -> None:
    from persona.assistant.work import work

    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # on Windows, where Ctrl-C still cancels
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await work(settings, say, stopping, once=once)


def _say(batch: "Batch") -> None:
    show(str(batch))


def _say_in_json(batch: "Batch") -> None:
    show_json([{"kind": kind, "outcome": outcome, "tasks": number} for kind, outcome, number in batch.counts])


@contextmanager
def _logging_to_stderr() -> Iterator[None]:
    log, handler = logging.getLogger("persona"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
