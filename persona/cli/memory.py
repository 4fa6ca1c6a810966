"""`persona memory`: which embedder made the vectors, and moving them to another."""

import asyncio
from typing import TYPE_CHECKING

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show, show_json, show_table
from persona.cli.progress import progress

if TYPE_CHECKING:
    from persona.tasks.reembed import Reembedding


def status(json: Json = False, config: Config = None) -> None:
    """List which embedder made how many memories' vectors, and which one is in use."""
    from persona.assistant import operator

    settings = read_settings(config)
    used, counts = operator.embedders(settings)
    if json:
        show_json({"in_use": used, "memories": counts})
        return
    named = {used: 0, **counts}
    rows = [(name, f"{number:,}", "in use" if name == used else "stale") for name, number in named.items()]
    show_table(("embedder", "memories", "state"), rows)
    if len(counts.keys() - {used}):
        aside("run `persona memory reembed`: until then the stale ones are found by their words alone")


def reembed(json: Json = False, config: Config = None) -> None:
    """Give every memory a vector of the embedder in use, while it is served. Interrupted, it goes on where it was."""
    from persona.assistant import operator

    settings = read_settings(config)
    seen: list[Reembedding] = []
    with progress("embedding") as advance:

        def say(state: "Reembedding") -> None:
            seen[1:] = [state]  # the first is kept, and the last
            advance(state.done, state.total)

        try:
            done = asyncio.run(operator.reembed(settings, say))
        except KeyboardInterrupt:
            if seen:
                aside(f"{seen[-1].done:,} of {seen[-1].total:,} have their vector; run it again to go on")
            raise
    renewed = done.done - seen[0].done
    if json:
        show_json({"embedder": done.embedder, "renewed": renewed, "memories": done.total})
    else:
        show(f"{renewed:,} of {done.total:,} memories got a new vector by {done.embedder}")
