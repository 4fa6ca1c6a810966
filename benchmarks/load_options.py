"""The options of the load benchmark: apart from it, so that reading the command line loads nothing else."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields
from pathlib import Path

_CONVERSATIONS = 1_000


@dataclass(frozen=True, slots=True)
class Options:
    """What one run of load is like. Each user begins with so many `memories`.

    `postgres_url` is empty for a server of its own; `out` takes the pictures.
    """

    seconds: float
    conversations: int
    concurrency: int
    processes: int
    latency_ms: float
    memories: int
    postgres: bool
    postgres_url: str
    advised: bool
    out: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this benchmark."""
    group = parser.add_argument_group(
        "load", "options of --only load, and of harvest its conversations; 1800 seconds make a soak"
    )
    group.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    group.add_argument(
        "--conversations", type=int, default=0, help="open ones, two to a user (1000); of harvest: how many (20000)"
    )
    group.add_argument("--concurrency", type=int, default=100, help="turns at a time (100)")
    group.add_argument("--processes", type=int, default=1, help="assistants on the same database (1)")
    group.add_argument("--latency-ms", type=float, default=1_200.0, help="median time of the model's server (1200)")
    group.add_argument("--memories", type=int, default=100, help="that each user has at the start (100)")
    group.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own instead of SQLite")
    group.add_argument("--postgres-url", default="", help="on this server instead; a database is made and dropped")
    group.add_argument(
        "--advised",
        action="store_true",
        help="set up as docs/running.md advises: jemalloc, rare collections",
    )
    group.add_argument("--out", type=Path, help="folder for a page with the pictures")


def options_of(asked: Namespace) -> Options:
    """The options that were asked for."""
    asked.conversations = asked.conversations or _CONVERSATIONS
    return Options(**{field.name: getattr(asked, field.name) for field in fields(Options)})
