"""`persona tasks`: the background work that waits, runs or was given up."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.words import moment
from persona.errors import MisuseError

if TYPE_CHECKING:
    from persona.store.tasks import TaskEntry

State = Annotated[
    Literal["waiting", "running", "dead"] | None, typer.Option("--state", help="Only those in this state.")
]


def tasks(
    context: typer.Context,
    state: State = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most tasks that are listed.")] = 100,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the background work that waits, runs, or was given up (dead), the oldest first; nothing that was said."""
    if context.invoked_subcommand:
        return
    from persona.assistant import operator

    found = operator.outbox(read_settings(config), state, limit + 1)
    if json:
        show_json([asdict(one) for one in found[:limit]])
        return
    if not found:
        aside("nothing waits")
        return
    headers = ("task", "kind", "state", "attempts", "since", "next try", "error")
    show_table(headers, [_row(one) for one in found[:limit]])
    if len(found) > limit:
        aside(f"there are more: --limit {10 * limit}")


def retry(
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="The id of a task that was given up.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Let tasks that were given up be tried again."""
    if (task is None) != every:
        raise MisuseError("name one task, or pass --all", hint="`persona tasks --state dead` lists them")
    from persona.assistant import operator

    number = operator.retry(read_settings(config), task)
    if json:
        show_json({"retried": number})
    else:
        show(f"{number} will be tried again")


def _row(one: "TaskEntry") -> tuple[str, ...]:
    next_try = moment(one.next_try_us) if one.next_try_us else "never" if one.state == "dead" else "now"
    return one.id, one.kind, one.state, str(one.attempts), moment(one.created_us), next_try, one.error
